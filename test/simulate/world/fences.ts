import type { Custody, Side } from '../../../domain/custody';
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
  if (fenceOf(world, side, waveNumber(ref)).epoch !== ref.epoch) {
    world.happened('fault/stale epoch refused');
    throw new ActivityFault('StaleEpoch', `epoch ${ref.epoch} is stale at the ${side}`);
  }
}

export function compareControl(world: World, ref: EffectRef): void {
  if (world.broken.has('fence')) return;
  if (ref.epoch < (world.control.epoch.get(controlKey(ref.wave)) ?? 0)) {
    world.happened('fault/stale epoch refused');
    throw new ActivityFault('StaleEpoch', `epoch ${ref.epoch} is stale in control`);
  }
}

/** What routing shows of the wave. On the way only if it has not arrived under this epoch already. */
export function project(world: World, ref: EffectRef, custody: Custody): void {
  const wave = waveNumber(ref);
  compareControl(world, ref);
  mark(world, world.control.ended.custody, ref, custody === 'moving');
  world.control.custody.set(wave, custody);
}

/** Holds new work, unless the intake was opened under this epoch already, or opens it. */
export function setIntake(world: World, ref: EffectRef, intake: 'open' | 'held'): void {
  const wave = waveNumber(ref);
  compareControl(world, ref);
  mark(world, world.control.ended.intake, ref, intake === 'held');
  world.control.intake.set(wave, intake);
}

function mark(world: World, ended: Map<number, number>, ref: EffectRef, begins: boolean): void {
  const wave = waveNumber(ref);
  const last = ended.get(wave) ?? -1;
  if (!begins) ended.set(wave, Math.max(last, ref.epoch));
  else if (last >= ref.epoch && !world.broken.has('late-projection'))
    throw new ActivityFault('StaleEpoch', `wave ${wave} has settled under epoch ${ref.epoch}`);
}

/** Control first, so that undo rows written later are refused; then the side that must not be opened, then the source. */
export async function raiseEpoch(
  world: World,
  attempt: Attempt,
  ref: RunRef & { key: string },
): Promise<{ epoch: number }> {
  await attempt.tick(20);
  const key = controlKey(ref.wave);
  // Without a key each attempt takes an epoch of its own, the late ones too.
  const taken = `${key}/${world.broken.has('epoch-key') ? world.control.epochs : ref.key}`;
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
