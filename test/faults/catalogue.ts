import { Random } from '../support/random';
import type { Trial } from './trial';
import { amendments } from './trials/amendments';
import { cuts } from './trials/cuts';
import { kills } from './trials/kills';
import { servers } from './trials/servers';
import { temporal } from './trials/temporal';
import { zombies } from './trials/zombies';

/** Every trial; what is combined with what is the seed's choice. */
export function catalogue(seed: number): Trial[] {
  const random = new Random(seed);
  return [...kills(random), ...amendments(), ...servers(), ...temporal(random), ...cuts(random), ...zombies(random)];
}
