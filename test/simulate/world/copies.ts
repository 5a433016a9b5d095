import type { EffectRef, KeepResult } from '../../../engine/contract';
import { ActivityFault, type Attempt } from './attempt';
import { compareControl, compareFence, waveNumber } from './fences';
import { fenceOf, rowsOfWave, unapplied, waveRow, type World } from './world';

/** Why the copy of an ended run must go; null when catching up makes it right. */
export function distrust(world: World, wave: number): string | null {
  const copy = world.target.copies.get(wave);
  if (!copy || fenceOf(world, 'target', wave).position === null) return 'nothing was copied';
  return unapplied(world, 'target', copy.targetLog, wave).length > 0 ? 'the target was written by others' : null;
}

/** A dead run's copy stays for the next one, if it can be trusted. */
export async function keepCopy(world: World, attempt: Attempt, ref: EffectRef): Promise<KeepResult> {
  const wave = waveNumber(ref);
  await attempt.tick(100);
  const reason = distrust(world, wave);
  if (reason !== null) return { outcome: 'untrusted', reason };
  compareFence(world, 'target', ref);
  const copy = world.target.copies.get(wave);
  if (copy) copy.kept = true;
  await attempt.tick(50);
  compareFence(world, 'source', ref);
  fenceOf(world, 'source', wave).position = null;
  await attempt.tick(50);
  compareControl(world, ref);
  for (const row of world.control.undo) if (row.wave === wave && row.kind === 'preload' && !row.done) row.kept = true;
  world.happened('custody/copy kept');
  const chunks = world.control.chunks.get(wave) ?? [];
  return { outcome: 'kept', chunksDone: chunks.filter((chunk) => chunk.done).length, chunksTotal: chunks.length };
}

export function dropChunks(world: World, ref: EffectRef): void {
  const wave = waveNumber(ref);
  if ((world.control.chunks.get(wave)?.[0]?.plannedUnder ?? ref.epoch) < ref.epoch) world.control.chunks.delete(wave);
}

/** Undo of preload, and what comes before a preload that cannot use the copy it finds: only while the source owns the wave. */
export async function purge(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
  { onlyKept = false }: { onlyKept?: boolean } = {},
): Promise<{ rows: number }> {
  const wave = waveNumber(ref);
  await attempt.tick(100);
  const check = (): void => {
    compareFence(world, 'target', ref);
    if (waveRow(world, 'target', wave).state !== 'sealed' || waveRow(world, 'source', wave).state === 'sealed')
      throw new ActivityFault('SystemRefused', 'the target owns this wave: its rows are not a copy');
  };
  check();
  if (onlyKept && !world.target.copies.get(wave)?.kept) return { rows: 0 };
  const copied = rowsOfWave(world, 'target', wave).map(([key]) => key);
  for (const key of copied) world.target.rows.delete(key);
  for (const key of [...world.target.chunksDone]) if (key.startsWith(`${wave}/`)) world.target.chunksDone.delete(key);
  fenceOf(world, 'target', wave).position = null;
  world.target.copies.delete(wave);
  await attempt.tick(200);
  compareFence(world, 'source', ref);
  fenceOf(world, 'source', wave).position = null;
  await attempt.tick(50);
  dropChunks(world, ref);
  world.happened('custody/copy purged');
  return { rows: copied.length };
}
