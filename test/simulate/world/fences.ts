import type { Side } from '../../../domain/custody';
import type { EffectRef, RunRef } from '../../../engine/contract';
import { ActivityFault, type Attempt } from './attempt';
import { fenceOf, type World } from './world';

const controlKey = (wave: number | null): number => wave ?? 0;

export const waveNumber = (ref: { wave: number | null }): number => {
  if (ref.wave === null) throw new ActivityFault('SystemRefused', 'this step belongs to a wave');
  return ref.wave;
};

/** Every write compares its epoch where it writes; an older one finds that it was overtaken. */
export function compareFence(world: World, side: Side, ref: EffectRef): void {
  if (world.broken.has('fence')) return;
  if (fenceOf(world, side, waveNumber(ref)).epoch !== ref.epoch)
    throw new ActivityFault('StaleEpoch', `epoch ${ref.epoch} is stale at the ${side}`);
}

export function compareControl(world: World, ref: EffectRef): void {
  if (world.broken.has('fence')) return;
  if (ref.epoch < (world.control.epoch.get(controlKey(ref.wave)) ?? 0))
    throw new ActivityFault('StaleEpoch', `epoch ${ref.epoch} is stale in control`);
}

/** Control first, so that undo rows written later are refused; then the side that must not be opened, then the source. */
export async function raiseEpoch(
  world: World,
  attempt: Attempt,
  ref: RunRef & { key: string },
): Promise<{ epoch: number }> {
  await attempt.tick(20);
  const key = controlKey(ref.wave);
  const taken = `${key}/${ref.key}`;
  const epoch = world.control.epochsTaken.get(taken) ?? ++world.control.epochs;
  world.control.epochsTaken.set(taken, epoch);
  world.control.epoch.set(key, Math.max(epoch, world.control.epoch.get(key) ?? 0));
  if (ref.wave === null) return { epoch };
  for (const side of ['target', 'source'] as const) {
    await attempt.tick(20);
    const fence = fenceOf(world, side, ref.wave);
    if (fence.epoch > epoch) throw new ActivityFault('StaleEpoch', 'a higher epoch was raised meanwhile');
    fence.epoch = epoch;
  }
  return { epoch };
}
