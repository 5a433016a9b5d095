import type { Pool } from 'pg';
import { lockedEpoch } from './epochs';
import { inTransaction, waveKey, waveOf } from './transaction';

/** Names one effect; the same shape as the engine's. */
export interface UndoRef {
  cutover: string;
  wave: number | null;
  step: string;
  occurrence: number;
  epoch: number;
}

/** `kept`: the run ended and left the effect for the next one of its cutover; what undoes that one undoes this too. */
export interface RecordedUndo<K extends string = string> {
  seq: number;
  wave: number | null;
  step: string;
  occurrence: number;
  kind: K;
  kept: boolean;
}

/**
 * Writes the undo row of an effect, before the effect. `stale` when a higher epoch was taken for the wave: a rollback
 * has begun and will not look again. Idempotent; a row that was undone or kept since counts as new, and comes last again.
 */
export async function recordUndo(
  pool: Pool,
  ref: UndoRef,
  kind: string,
): Promise<{ outcome: 'recorded'; seq: number } | { outcome: 'stale' }> {
  return inTransaction(pool, async (client) => {
    if (ref.epoch < (await lockedEpoch(client, ref.cutover, ref.wave))) return { outcome: 'stale' };
    const { rows } = await client.query<{ seq: string }>(
      `insert into control.undo as known (cutover, wave, step, occurrence, kind, epoch) values ($1, $2, $3, $4, $5, $6)
       on conflict (cutover, wave, step, occurrence, kind) do update set
         seq = case when known.done_at is null and not known.kept then known.seq else excluded.seq end,
         epoch = greatest(known.epoch, excluded.epoch),
         done_at = null, kept = false
       returning seq`,
      [ref.cutover, waveKey(ref.wave), ref.step, ref.occurrence, kind, ref.epoch],
    );
    return { outcome: 'recorded', seq: Number(rows[0]?.seq) };
  });
}

/**
 * The undo row of an effect, or null when none was written. Its number is a new one each time the effect is done again after
 * it was undone, so that it tells the two apart where an idempotency key is kept for ever.
 */
export async function readUndo(
  pool: Pool,
  ref: Omit<UndoRef, 'epoch'>,
  kind: string,
): Promise<{ seq: number; done: boolean } | null> {
  const { rows } = await pool.query<{ seq: string; done: boolean }>(
    `select seq, done_at is not null as done from control.undo
     where cutover = $1 and wave = $2 and step = $3 and occurrence = $4 and kind = $5`,
    [ref.cutover, waveKey(ref.wave), ref.step, ref.occurrence, kind],
  );
  return rows[0] ? { seq: Number(rows[0].seq), done: rows[0].done } : null;
}

/** Waves with an effect that was kept for a next run of their cutover, which has ended since: no next run comes. */
export async function keptForNobody(pool: Pool): Promise<{ cutover: string; workflowId: string; wave: number }[]> {
  const { rows } = await pool.query<{ cutover: string; workflowId: string; wave: number }>(
    `select distinct u.cutover, c.workflow_id as "workflowId", u.wave from control.undo u
     join control.cutover c on c.cutover = u.cutover and c.outcome is not null
     join control.wave w on w.cutover = u.cutover and w.wave = u.wave and w.custody = 'source'
     where u.kept and u.done_at is null order by 1, 3`,
  );
  return rows;
}

/** How many effects of a cutover, in all its waves, are neither undone nor kept. */
export async function pendingUndo(pool: Pool, cutover: string): Promise<number> {
  const { rows } = await pool.query<{ pending: number }>(
    'select count(*)::int as pending from control.undo where cutover = $1 and done_at is null and not kept',
    [cutover],
  );
  return rows[0]?.pending ?? 0;
}

/** Undo rows not yet done of one wave (null: those of the whole cutover), newest first. Raise the epoch before. */
export async function listUndo<K extends string = string>(
  pool: Pool,
  cutover: string,
  wave: number | null,
): Promise<RecordedUndo<K>[]> {
  const { rows } = await pool.query<{
    seq: string;
    wave: number;
    step: string;
    occurrence: number;
    kind: K;
    kept: boolean;
  }>(
    `select seq, wave, step, occurrence, kind, kept from control.undo
     where cutover = $1 and wave = $2 and done_at is null order by seq desc`,
    [cutover, waveKey(wave)],
  );
  return rows.map((row) => ({ ...row, seq: Number(row.seq), wave: waveOf(row.wave) }));
}

/**
 * Marks the effect as kept for the next run of its cutover. The epoch is that of the rollback which keeps it; `stale` when a higher one
 * was taken. Idempotent.
 */
export async function keepUndo(
  pool: Pool,
  ref: UndoRef,
  kind: string,
): Promise<{ outcome: 'kept' } | { outcome: 'stale' }> {
  return inTransaction(pool, async (client) => {
    if (ref.epoch < (await lockedEpoch(client, ref.cutover, ref.wave))) return { outcome: 'stale' };
    await client.query(
      `update control.undo set kept = true
       where cutover = $1 and wave = $2 and step = $3 and occurrence = $4 and kind = $5 and done_at is null`,
      [ref.cutover, waveKey(ref.wave), ref.step, ref.occurrence, kind],
    );
    return { outcome: 'kept' };
  });
}

/** Marks what a cutover kept in a wave as undone: another one takes its place. */
export async function forgetKept(pool: Pool, cutover: string, wave: number): Promise<void> {
  await pool.query(
    `update control.undo set done_at = clock_timestamp(), kept = false
     where cutover = $1 and wave = $2 and kept and done_at is null`,
    [cutover, waveKey(wave)],
  );
}

/** Marks an undo as done. `stale` when a higher epoch was taken: another rollback is at work. Idempotent. */
export async function completeUndo(
  pool: Pool,
  seq: number,
  epoch: number,
): Promise<{ outcome: 'done' } | { outcome: 'stale' } | { outcome: 'unknown' }> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ cutover: string; wave: number }>(
      'select cutover, wave from control.undo where seq = $1',
      [seq],
    );
    const row = rows[0];
    if (!row) return { outcome: 'unknown' };
    if (epoch < (await lockedEpoch(client, row.cutover, waveOf(row.wave)))) return { outcome: 'stale' };
    await client.query(
      'update control.undo set done_at = clock_timestamp(), epoch = greatest(epoch, $2) where seq = $1 and done_at is null',
      [seq, epoch],
    );
    return { outcome: 'done' };
  });
}
