import { setTimeout as sleep } from 'node:timers/promises';
import type { Side } from '../../domain/custody';
import type { Random } from '../support/random';
import type { World } from './world';

/** Who moves waves and members, and whom it tells. */
export interface Mover {
  world: World;
  random: Random;
  /** False for the moves that end a run: no stalls, no shortcuts. */
  reckless: boolean;
  note(event: string): void;
  broken(what: string): void;
}

/** Sometimes a mover sleeps here and wakes with an epoch that others have passed. */
export async function maybeStall({ random, reckless }: Mover, probability: number, longestMs: number): Promise<void> {
  if (reckless && random.chance(probability)) await sleep(random.below(longestMs));
}

export async function ownerOf(world: World, wave: number): Promise<Side | null> {
  const [source, target] = await Promise.all([world.source.custody.wave(wave), world.target.custody.wave(wave)]);
  if (source.state !== 'sealed') return 'source';
  return target.state === 'sealed' ? null : 'target';
}
