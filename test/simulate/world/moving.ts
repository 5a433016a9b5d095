import type {
  BulkProgress,
  CatchUpResult,
  ConvertResult,
  EffectRef,
  PreloadStart,
  VerifyResult,
} from '../../../engine/contract';
import { distrust, dropChunks, purge } from './copies';
import { ActivityFault, heartbeat, type Attempt } from './attempt';
import { compareControl, compareFence, waveNumber } from './fences';
import { fenceOf, holdsLock, rowsOfWave, toTarget, unapplied, waveOf, waveRow, type Chunk, type World } from './world';

const CHUNKS = 3;
const CLAIM_MS = 120_000;

const chunkOf = (key: string): number => [...key].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % CHUNKS;
const chunkKey = (wave: number, chunk: number): string => `${wave}/${chunk}`;

/** Excludes customers that cannot be mapped, notes the position from before the first chunk, plans the chunks. */
export async function startPreload(world: World, attempt: Attempt, ref: EffectRef): Promise<PreloadStart> {
  const wave = waveNumber(ref);
  await attempt.tick(500);
  const purged = world.target.copies.get(wave)?.kept ? distrust(world, wave) : null;
  if (purged !== null) await purge(world, attempt, ref, { onlyKept: true });
  compareControl(world, ref);
  compareFence(world, 'target', ref);
  if (fenceOf(world, 'target', wave).position === null) dropChunks(world, ref);
  const bad = rowsOfWave(world, 'source', wave).filter(([key, row]) => key.endsWith('/0') && row.value === 'bad');
  if (bad.length > 0 && (holdsLock(world, 'source', wave) || holdsLock(world, 'source', 0)))
    throw new ActivityFault('SystemUnavailable', 'a membership change waits for open transactions');
  for (const [, row] of bad) exclude(world, wave, row.customer);
  const fence = fenceOf(world, 'target', wave);
  if (world.broken.has('kept-position') && world.target.copies.get(wave)?.kept) fence.position = null;
  fence.position ??= world.source.log.length;
  world.target.copies.set(wave, {
    targetLog: world.target.copies.get(wave)?.targetLog ?? world.target.log.length,
    kept: false,
  });
  await attempt.tick(500);
  compareControl(world, ref);
  if (!world.control.chunks.has(wave))
    world.control.chunks.set(
      wave,
      Array.from({ length: CHUNKS }, (_, index) => ({ index, claimedAt: null, done: false, plannedUnder: ref.epoch })),
    );
  const chunksThere = (world.control.chunks.get(wave) ?? []).filter((chunk) => chunk.done).length;
  if (chunksThere > 0) world.happened('custody/copy of an earlier run used');
  return { chunks: CHUNKS, chunksThere, excluded: bad.length, purged };
}

/** A membership change logs every key of the customer (PROTOCOL 3). */
function exclude(world: World, wave: number, customer: string): void {
  for (const [key, row] of world.source.rows) if (row.customer === customer) world.source.log.push({ wave, key });
  world.members.set(customer, 0);
}

/** Claims chunks until none is left; a chunk whose holder fell silent is claimed again. */
export async function preloadStream(world: World, attempt: Attempt, ref: EffectRef): Promise<BulkProgress> {
  const wave = waveNumber(ref);
  let rows = 0;
  for (;;) {
    await attempt.tick(2_000);
    heartbeat(attempt);
    compareControl(world, ref);
    const chunks = world.control.chunks.get(wave) ?? [];
    const open = chunks.filter((chunk) => !chunk.done);
    if (open.length === 0) return { chunksDone: chunks.length, chunksTotal: chunks.length, rows };
    const now = world.clock.now;
    const next = open.find((chunk) => chunk.claimedAt === null || chunk.claimedAt + CLAIM_MS < now);
    if (!next) continue;
    next.claimedAt = now;
    rows += await copyChunk(world, attempt, ref, next);
  }
}

async function copyChunk(world: World, attempt: Attempt, ref: EffectRef, chunk: Chunk): Promise<number> {
  const wave = waveNumber(ref);
  const key = chunkKey(wave, chunk.index);
  const copy = rowsOfWave(world, 'source', wave).filter(([rowKey]) => chunkOf(rowKey) === chunk.index);
  await attempt.tick(world.prng.int(1_000, 30_000));
  compareFence(world, 'target', ref);
  if (!world.target.chunksDone.has(key) || world.broken.has('chunk-fence')) {
    for (const [rowKey, row] of copy)
      world.target.rows.set(rowKey, { customer: row.customer, value: toTarget(row.value), rev: 1 });
    world.target.chunksDone.add(key);
  }
  await attempt.tick(100);
  compareControl(world, ref);
  chunk.done = true;
  return copy.length;
}

/**
 * One pass (PROTOCOL 7): the log lines visible in one snapshot, then one target transaction that compares epoch and
 * position and moves the position. Returns the rows it took, or null when another pass was faster.
 */
async function pass(world: World, attempt: Attempt, ref: EffectRef): Promise<number | null> {
  const wave = waveNumber(ref);
  const fence = fenceOf(world, 'target', wave);
  const from = fence.position;
  if (from === null) throw new ActivityFault('SystemRefused', 'nothing was preloaded');
  const to = world.source.log.length;
  const staged = unapplied(world, 'source', from, wave).map((key) => ({ key, row: world.source.rows.get(key) }));
  await attempt.tick(world.prng.int(200, 3_000));
  compareFence(world, 'target', ref);
  if (fence.position !== from) return null;
  for (const { key, row } of staged) {
    if (row && waveOf(world, row.customer) === wave)
      world.target.rows.set(key, {
        customer: row.customer,
        value: toTarget(row.value),
        rev: (world.target.rows.get(key)?.rev ?? 0) + 1,
      });
    else world.target.rows.delete(key);
  }
  fence.position = to;
  return staged.length;
}

const lag = (world: World, wave: number): number =>
  unapplied(world, 'source', fenceOf(world, 'target', wave).position ?? 0, wave).length;

export async function catchUp(world: World, attempt: Attempt, ref: EffectRef, lagRows: number): Promise<CatchUpResult> {
  const result: CatchUpResult = { lagRows: Infinity, passes: 0, rows: 0 };
  do {
    heartbeat(attempt);
    result.rows += (await pass(world, attempt, ref)) ?? 0;
    result.passes++;
    result.lagRows = lag(world, waveNumber(ref));
    await attempt.tick(1_000);
  } while (result.lagRows > lagRows);
  return result;
}

/** Passes until asked to stop. */
export async function follow(world: World, attempt: Attempt, ref: EffectRef): Promise<void> {
  for (;;) {
    await attempt.tick(900_000);
    heartbeat(attempt);
    await pass(world, attempt, ref);
  }
}

export async function convert(world: World, attempt: Attempt, ref: EffectRef): Promise<ConvertResult> {
  const result: ConvertResult = { deltaRows: 0, passes: 0 };
  do {
    heartbeat(attempt);
    result.deltaRows += (await pass(world, attempt, ref)) ?? 0;
    result.passes++;
  } while (lag(world, waveNumber(ref)) > 0);
  return result;
}

/** Rows of the wave that differ between both sides, keys with unapplied changes left out. */
function differences(world: World, wave: number, except: ReadonlySet<string>): { rows: number; keys: string[] } {
  const expected = new Map(rowsOfWave(world, 'source', wave).map(([key, row]) => [key, toTarget(row.value)]));
  const found = new Map(rowsOfWave(world, 'target', wave).map(([key, row]) => [key, row.value]));
  const keys = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (key) => !except.has(key) && expected.get(key) !== found.get(key),
  );
  return { rows: expected.size, keys };
}

export async function verify(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
  scope: 'live' | 'frozen',
): Promise<VerifyResult> {
  const wave = waveNumber(ref);
  await attempt.tick(world.prng.int(1_000, 60_000));
  heartbeat(attempt);
  const position = fenceOf(world, 'target', wave).position ?? 0;
  const moving = new Set(scope === 'live' ? unapplied(world, 'source', position, wave) : []);
  const { rows, keys } = differences(world, wave, moving);
  const frozen = waveRow(world, 'source', wave).state;
  return {
    rows,
    mismatches: keys.length,
    entities: [{ entity: 'row', rows, mismatches: keys.length }],
    totals: [{ id: 'rows', equal: true }],
    digest: `${frozen}/${rows}/${keys.length}`,
  };
}
