import type { Pool } from 'pg';
import { lockedEpoch } from './epochs';
import { inTransaction } from './transaction';

/** A key range of one entity. `lo` and `hi` are the caller's own text (null: unbounded); control only keeps them. */
export interface PlannedChunk {
  entity: string;
  no: number;
  lo: string | null;
  hi: string | null;
  rows: number;
  /** Entities whose chunks must all be done before one of this entity starts. */
  after: string[];
}

/** `epoch` is this claim's own, unique: the fence of the chunk. A later claim of the same chunk has a higher one. */
export interface ClaimedChunk extends PlannedChunk {
  epoch: number;
}

/** `wait`: all that is left is claimed by others or waits for another entity. `none`: all is done. */
export type Claim = { outcome: 'claimed'; chunk: ClaimedChunk } | { outcome: 'wait' | 'none' | 'stale' };

interface WaveRef {
  cutover: string;
  wave: number;
}

/**
 * Writes the chunks of a wave, entities in the order in which they first appear. A wave that has chunks keeps them: a
 * second plan with other borders would leave gaps. Returns how many there are.
 */
export async function planChunks(
  pool: Pool,
  ref: WaveRef & { epoch: number },
  chunks: readonly PlannedChunk[],
): Promise<number> {
  const order = [...new Set(chunks.map((chunk) => chunk.entity))];
  return inTransaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('control.chunk/' || $1 || '/' || $2, 0))`, [
      ref.cutover,
      String(ref.wave),
    ]);
    const count = async (): Promise<number> => {
      const { rows } = await client.query<{ chunks: number }>(
        'select count(*)::int as chunks from control.chunk where cutover = $1 and wave = $2',
        [ref.cutover, ref.wave],
      );
      return rows[0]?.chunks ?? 0;
    };
    const planned = await count();
    if (planned > 0) return planned;
    await client.query(
      `insert into control.chunk (cutover, wave, entity, no, entity_no, lo, hi, planned_rows, after, planned_under)
       select $1, $2, c.entity, c.no, array_position($4::text[], c.entity), c.lo, c.hi, c.rows,
              array(select jsonb_array_elements_text(c.after)), $5
       from jsonb_to_recordset($3::jsonb) as c(entity text, no int, lo text, hi text, rows bigint, after jsonb)`,
      [ref.cutover, ref.wave, JSON.stringify(chunks), order, ref.epoch],
    );
    return count();
  });
}

/**
 * Claims the next chunk for `leaseMs`; a claim that lapsed is open again, and one made under an older epoch of the wave
 * is taken over at once. `stale` when the caller's epoch is no longer the wave's.
 */
export async function claimChunk(
  pool: Pool,
  ref: WaveRef & { epoch: number; claimedBy: string },
  leaseMs: number,
): Promise<Claim> {
  return inTransaction(pool, async (client) => {
    const current = await lockedEpoch(client, ref.cutover, ref.wave);
    if (ref.epoch < current) return { outcome: 'stale' };
    const { rows } = await client.query<ClaimedChunk & { rows: string; epoch: string }>(
      `with next as (
         select entity, no from control.chunk c
         where cutover = $1 and wave = $2
           and (state = 'open' or (state = 'claimed' and (claimed_until <= clock_timestamp() or epoch < $5)))
           and not exists (select from control.chunk b where b.cutover = c.cutover and b.wave = c.wave
                             and b.entity = any(c.after) and b.state <> 'done')
         order by entity_no, no limit 1 for update skip locked)
       update control.chunk c set state = 'claimed', epoch = nextval('control.epoch_seq'), claimed_by = $3,
              claimed_until = clock_timestamp() + $4 * interval '1 millisecond'
       from next where c.cutover = $1 and c.wave = $2 and c.entity = next.entity and c.no = next.no
       returning c.entity, c.no, c.lo, c.hi, c.planned_rows as rows, c.after, c.epoch`,
      [ref.cutover, ref.wave, ref.claimedBy, leaseMs, current],
    );
    const chunk = rows[0];
    if (chunk) return { outcome: 'claimed', chunk: { ...chunk, rows: Number(chunk.rows), epoch: Number(chunk.epoch) } };
    const left = await client.query(
      `select from control.chunk where cutover = $1 and wave = $2 and state <> 'done' limit 1`,
      [ref.cutover, ref.wave],
    );
    return { outcome: left.rowCount === 0 ? 'none' : 'wait' };
  });
}

type ChunkRef = WaveRef & { entity: string; no: number; epoch: number };
const HELD = `cutover = $1 and wave = $2 and entity = $3 and no = $4 and epoch = $5 and state = 'claimed'`;
const held = (ref: ChunkRef): unknown[] => [ref.cutover, ref.wave, ref.entity, ref.no, ref.epoch];

/** Gives a claim up, so that nobody waits for it to lapse. Nothing happens when the chunk was claimed by somebody else since. */
export async function releaseClaim(pool: Pool, ref: ChunkRef): Promise<void> {
  await pool.query(`update control.chunk set claimed_until = clock_timestamp() where ${HELD}`, held(ref));
}

/** Marks a claimed chunk as done with the rows it brought. Idempotent; `stale` when it was claimed by somebody else since. */
export async function finishChunk(pool: Pool, ref: ChunkRef, rows: number): Promise<{ outcome: 'done' | 'stale' }> {
  const { rowCount } = await pool.query(
    `update control.chunk set state = 'done', rows = $6, done_at = coalesce(done_at, clock_timestamp())
     where cutover = $1 and wave = $2 and entity = $3 and no = $4 and epoch = $5 and state <> 'open'`,
    [...held(ref), rows],
  );
  return { outcome: rowCount === 1 ? 'done' : 'stale' };
}

/** How far the bulk work of a wave is; rows are those of finished chunks. */
export async function progress(
  pool: Pool,
  ref: WaveRef,
): Promise<{ chunksDone: number; chunksTotal: number; rows: number }> {
  const { rows } = await pool.query<{ chunksDone: number; chunksTotal: number; rows: string }>(
    `select count(*) filter (where state = 'done')::int as "chunksDone", count(*)::int as "chunksTotal",
            coalesce(sum(rows) filter (where state = 'done'), 0) as rows
     from control.chunk where cutover = $1 and wave = $2`,
    [ref.cutover, ref.wave],
  );
  const row = rows[0];
  return { chunksDone: row?.chunksDone ?? 0, chunksTotal: row?.chunksTotal ?? 0, rows: Number(row?.rows ?? 0) };
}

/** Chunks of a wave that were finished since an instant (epoch ms), and those that are left: the rate of its copy. */
export async function finishedSince(
  pool: Pool,
  ref: WaveRef,
  sinceMs: number,
): Promise<{ finished: number; left: number }> {
  const { rows } = await pool.query<{ finished: number; left: number }>(
    `select count(*) filter (where state = 'done' and done_at >= to_timestamp($3::float8 / 1000))::int as finished,
            count(*) filter (where state <> 'done')::int as left
     from control.chunk where cutover = $1 and wave = $2`,
    [ref.cutover, ref.wave, sinceMs],
  );
  return rows[0] ?? { finished: 0, left: 0 };
}

/** Forgets the wave's chunks that were planned under an older epoch, when the copy of that time is gone. */
export async function dropChunks(pool: Pool, ref: WaveRef & { epoch: number }): Promise<void> {
  await pool.query('delete from control.chunk where cutover = $1 and wave = $2 and planned_under < $3', [
    ref.cutover,
    ref.wave,
    ref.epoch,
  ]);
}
