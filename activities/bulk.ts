import type { Activities, EffectRef, PreloadStart } from '../engine/contract';
import {
  claimChunk,
  dropChunks,
  finishChunk,
  planChunks as storeChunks,
  progress,
  releaseClaim,
} from '../systems/control/chunks';
import { saveResult } from '../systems/control/results';
import { keepBaseline } from '../systems/postgres/data/baseline';
import { planChunks } from '../systems/postgres/data/chunks';
import { startCopy } from '../systems/postgres/data/kept-copy';
import { lag, readPosition } from '../systems/postgres/data/position';
import { preloadChunk } from '../systems/postgres/data/preload';
import { runPass, type Unmappable } from '../systems/postgres/data/pass';
import { guardedTables } from '../systems/postgres/data/compile';
import { copyReference } from '../systems/postgres/data/reference';
import { countWave } from '../systems/postgres/data/purge';
import { quarantine, ruleCounts } from '../systems/postgres/data/quarantine';
import { guardTables } from '../systems/postgres/schema';
import { SystemFault } from '../systems/ports';
import { beating, staleEpoch, type Beat } from './attempt';
import { ownerOf, purgeUntrusted } from './copies';
import { excludeCustomers, includeStaying, takeBackHalfMoved } from './exclude';
import { countRowsMoved } from './rows-moved';
import { waveOf } from './wave-of';
import type { CutoverWorld, World } from './world';
import { chunkRowsOf } from './step-of';

const CLAIM_MS = 60_000;
/** Between looks for a chunk that is free: twice as long each time, so that many copies that wait do not keep `control` busy. */
const IDLE_MS = { least: 50, most: 500 };
/** Between passes that find nothing: twice as long each time, so that waves at rest cost little however many they are. */
const REST_MS = { least: 500, most: 4_000 };

type BulkActivities = Pick<Activities, 'startPreload' | 'preloadStream' | 'catchUp' | 'follow' | 'convert'>;

/** Moving data: preload by chunks, passes that follow the source, and the last ones. */
export function bulkActivities(world: World): BulkActivities {
  return {
    startPreload: ({ ref }) => beating((beat) => startPreload(world, ref, beat)),
    preloadStream: ({ ref, stream }) => beating((beat) => preloadStream(world, ref, stream, beat)),
    catchUp: ({ ref, lagRows }) => beating((beat) => passUntil(world, ref, beat, (rows) => rows <= lagRows)),
    follow: ({ ref }) =>
      beating(async (beat) => {
        await passUntil(world, ref, beat, () => false);
      }),
    convert: ({ ref }) =>
      beating(async (beat) => {
        const cutover = await world.of(ref.cutover);
        await takeBackHalfMoved(world, cutover, ref);
        const { rows, passes } = await passUntil(world, ref, beat, (left) => left === 0);
        beat.check();
        await bringReferences(cutover, ref); // a pass that finds nothing to do does not look
        return { deltaRows: rows, passes };
      }),
  };
}

/** Guards before the starting position, so that nothing written later escapes the log; then who cannot be mapped stays behind. */
async function startPreload(world: World, ref: EffectRef, beat: Beat): Promise<PreloadStart> {
  const cutover = await world.of(ref.cutover);
  const { pair } = cutover;
  const compiled = await cutover.compiled();
  const wave = waveOf(ref);
  for (const side of ['source', 'target'] as const) await guardTables(pair[side], guardedTables(compiled, side));
  const purged = await purgeUntrusted(world, cutover, ref);
  await keepBaseline(pair, compiled);
  beat.check();
  const at = { cutover: ref.cutover, wave, epoch: ref.epoch };
  // Chunks of a copy that is gone say nothing of the next one.
  if ((await readPosition(pair.target, wave)) === null) await dropChunks(world.control, at);
  await refuseForeignRows(cutover, wave);
  const started = await startCopy(pair, wave, ref.epoch, ownerOf(cutover), compiled);
  if ('outcome' in started) throw staleEpoch(`preload of wave ${wave}`);
  await bringReferences(cutover, ref);
  await saveResult(world.control, { ...ref, kind: 'rules', result: await ruleCounts(pair.source, compiled) });
  await includeStaying(world, cutover, ref);
  const excluded = await excludeUnmappable(world, cutover, ref);
  beat.check();
  const planned = await planChunks(compiled, pair.source, wave, chunkRowsOf(cutover.documents, ref.step));
  const chunks = await storeChunks(world.control, at, planned);
  const { chunksDone } = await progress(world.control, at);
  return { chunks, chunksThere: chunksDone, excluded, purged };
}

async function bringReferences({ pair, compiled }: CutoverWorld, ref: EffectRef): Promise<void> {
  const copied = await copyReference(pair, await compiled(), waveOf(ref), ref.epoch);
  if ('outcome' in copied) throw staleEpoch(`reference tables for wave ${waveOf(ref)}`);
}

/** Before the first copy the target holds nothing of the wave: what is there is not ours, and a way back would purge it. */
async function refuseForeignRows({ pair, compiled }: CutoverWorld, wave: number): Promise<void> {
  if ((await readPosition(pair.target, wave)) !== null) return;
  const rows = await countWave(pair, await compiled(), wave);
  if (rows > 0)
    throw new SystemFault(
      `the target already holds ${rows} rows of customers of wave ${wave} that this cutover did not copy; move them away, then retry`,
      false,
    );
}

/** Customers with a row that cannot be mapped leave the wave whole (CONSERVE). */
async function excludeUnmappable(world: World, cutover: CutoverWorld, ref: EffectRef): Promise<number> {
  const found = await quarantine(cutover.pair.source, await cutover.compiled(), waveOf(ref));
  if (found.customers.length > 0) await keepBack(world, cutover, ref, found);
  return found.customers.length;
}

async function keepBack(
  world: World,
  cutover: CutoverWorld,
  ref: EffectRef,
  { customers, counts }: Pick<Unmappable, 'customers' | 'counts'>,
): Promise<void> {
  await excludeCustomers(world, cutover, ref, customers);
  await saveResult(world.control, { ...ref, kind: 'quarantine', result: counts });
}

/** Waits twice as long each time, until it is `reset`. */
function pauses(
  beat: Beat,
  { least, most }: { least: number; most: number },
): { next(): Promise<void>; reset(): void } {
  let ms = least;
  return {
    next: async () => {
      await beat.pause(ms);
      ms = Math.min(ms * 2, most);
    },
    reset: () => void (ms = least),
  };
}

async function preloadStream(
  world: World,
  ref: EffectRef,
  stream: number,
  beat: Beat,
): Promise<{ chunksDone: number; chunksTotal: number; rows: number }> {
  const cutover = await world.of(ref.cutover);
  const compiled = await cutover.compiled();
  const wave = waveOf(ref);
  const at = { cutover: ref.cutover, wave };
  let rows = 0;
  let chunksDone = 0;
  const idle = pauses(beat, IDLE_MS);
  for (;;) {
    beat.check();
    const claim = await claimChunk(world.control, { ...at, epoch: ref.epoch, claimedBy: `stream ${stream}` }, CLAIM_MS);
    if (claim.outcome === 'stale') throw staleEpoch(`stream ${stream} of wave ${wave}`);
    if (claim.outcome === 'none') break;
    if (claim.outcome !== 'claimed') {
      await idle.next();
      continue;
    }
    idle.reset();
    const { chunk } = claim;
    const claimed = { ...at, entity: chunk.entity, no: chunk.no, epoch: chunk.epoch };
    const copied = await preloadChunk(cutover.pair, compiled, {
      wave,
      epoch: ref.epoch,
      entity: chunk.entity,
      no: chunk.no,
      lo: chunk.lo ?? '',
      hi: chunk.hi ?? '',
    }).catch(async (error: unknown) => {
      await releaseClaim(world.control, claimed).catch(() => undefined); // it lapses by itself
      throw error;
    });
    if (copied.outcome === 'stale') throw staleEpoch(`chunk ${chunk.no} of ${chunk.entity}`);
    await finishChunk(world.control, claimed, copied.rows);
    countRowsMoved('preload', copied.rows);
    rows += copied.rows;
    chunksDone += 1;
    beat.progress(await progress(world.control, at));
  }
  return { chunksDone, chunksTotal: (await progress(world.control, at)).chunksTotal, rows };
}

/** Applies pass after pass until `enough` of the rows that are left; resolves to what was applied. */
async function passUntil(
  world: World,
  ref: EffectRef,
  beat: Beat,
  enough: (lagRows: number) => boolean,
): Promise<{ lagRows: number; passes: number; rows: number }> {
  const cutover = await world.of(ref.cutover);
  const compiled = await cutover.compiled();
  const wave = waveOf(ref);
  let [passes, rows] = [0, 0];
  const rest = pauses(beat, REST_MS);
  for (;;) {
    beat.check();
    const pass = await runPass(cutover.pair, compiled, wave, ref.epoch);
    if (pass.outcome === 'stale') throw staleEpoch(`passes of wave ${wave}`);
    if (pass.outcome === 'unmappable') {
      await keepBack(world, cutover, ref, pass);
      continue;
    }
    passes += 1;
    countRowsMoved('delta', pass.changes);
    rows += pass.changes;
    const lagRows = await lag(cutover.pair, wave, pass.position);
    beat.progress({ passes, rows, lagRows });
    if (enough(lagRows)) return { lagRows, passes, rows };
    if (pass.changes > 0) rest.reset();
    if (lagRows > 0) continue;
    await rest.next();
  }
}
