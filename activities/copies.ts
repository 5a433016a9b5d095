import type { Activities, EffectRef, KeepResult } from '../engine/contract';
import { dropChunks, progress } from '../systems/control/chunks';
import { canonicalJson, sha256 } from '../systems/control/canonical';
import { forgetKept, keepUndo } from '../systems/control/undo';
import { keepCopy, whyPurge, type CopyOwner } from '../systems/postgres/data/kept-copy';
import { purgeWave } from '../systems/postgres/data/purge';
import { beating, staleEpoch } from './attempt';
import { waveOf } from './wave-of';
import type { CutoverWorld, World } from './world';

/** What becomes of a wave's copy at the target when its run has ended, and when a new one finds it. */
export function copyActivities(world: World): Pick<Activities, 'keepCopy' | 'purgeCopy'> {
  return {
    keepCopy: ({ ref }) => beating(() => keep(world, ref)),
    purgeCopy: ({ ref }) =>
      beating(async () => ({ rows: await purge(world, await world.of(ref.cutover), ref, { onlyKept: false }) })),
  };
}

export const ownerOf = ({ row, documents }: CutoverWorld): CopyOwner => ({
  cutover: row.cutover,
  conversion: sha256(canonicalJson(documents.conversion)),
});

async function keep(world: World, ref: EffectRef): Promise<KeepResult> {
  const cutover = await world.of(ref.cutover);
  const wave = waveOf(ref);
  const { chunksDone, chunksTotal } = await progress(world.control, { cutover: ref.cutover, wave });
  const kept = await keepCopy(cutover.pair, wave, ref.epoch, ownerOf(cutover), chunksTotal > 0);
  if (kept.outcome === 'stale') throw staleEpoch(`the copy of wave ${wave}`);
  if (kept.outcome === 'untrusted') return kept;
  const marked = await keepUndo(world.control, ref, 'preload');
  if (marked.outcome === 'stale') throw staleEpoch(`the undo row of step ${ref.step}`);
  return { outcome: 'kept', chunksDone, chunksTotal };
}

async function purge(
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  options: { onlyKept: boolean },
): Promise<number> {
  const wave = waveOf(ref);
  const purged = await purgeWave(cutover.pair, wave, ref.epoch, options);
  if ('outcome' in purged) throw staleEpoch(`purge of wave ${wave}`);
  await dropChunks(world.control, { cutover: ref.cutover, wave, epoch: ref.epoch });
  return purged.rows;
}

/**
 * Before a run copies: takes out the copy of an earlier one that cannot be trusted, and says why; null when there was none, or it is
 * gone on from.
 */
export async function purgeUntrusted(world: World, cutover: CutoverWorld, ref: EffectRef): Promise<string | null> {
  const wave = waveOf(ref);
  const { chunksTotal } = await progress(world.control, { cutover: ref.cutover, wave });
  const untrusted = await whyPurge(cutover.pair, wave, ownerOf(cutover), chunksTotal > 0);
  if (untrusted === null) return null;
  // Before the purge, which this run's own undo row covers: the other cutover's way back must not purge what is copied since.
  if (untrusted.madeBy !== ref.cutover) await forgetKept(world.control, untrusted.madeBy, wave);
  await purge(world, cutover, ref, { onlyKept: true });
  return untrusted.reason;
}
