import type { EffectRef } from '../engine/contract';
import { SystemFault } from '../systems/ports';

/** The wave of an effect that only waves have. */
export function waveOf(ref: EffectRef): number {
  if (ref.wave === null) throw new SystemFault(`step ${ref.step} belongs to a wave: move it to perWave`, false);
  return ref.wave;
}
