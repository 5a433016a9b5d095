import type { Pool, PoolClient } from 'pg';
import { STAYS_WAVE } from '../../../domain/custody';
import { SystemFault } from '../../ports';
import { withTransaction } from '../connect';

/** First number of the lock that lets one pass at a time write into a database. The ASCII codes of "cutp". */
const PASS_LOCK_CLASS = 1_668_641_904;

/** Serialises passes into this database until the transaction ends. Taken before the other side's snapshot (PROTOCOL 7). */
export async function takePassLock(client: PoolClient): Promise<void> {
  await client.query(`set local lock_timeout = '60s'`);
  await client.query('select pg_advisory_xact_lock($1, 0)', [PASS_LOCK_CLASS]);
}

/** Locks the fence row, compares the epoch and marks the transaction as ours. Returns the position, null before the first. */
export async function takeFence(client: PoolClient, key: string, epoch: number): Promise<string | null> {
  const { rows } = await client.query<{ position: string | null }>('select cutover.take_fence($1, $2) as position', [
    key,
    epoch,
  ]);
  return rows[0]?.position ?? null;
}

/** The guards pass this transaction by, which holds a fence: before it commits it calls `vouchFor` with the waves of all it wrote. */
export async function vouch(client: PoolClient): Promise<void> {
  await client.query('select cutover.vouch()');
}

/** False where each row is the wave's own or of customers who stay, and nobody else owns any: then `vouchFor` would ask nothing. */
export async function othersMayOwn(client: PoolClient, wave: number): Promise<boolean> {
  const { rowCount } = await client.query(`select from cutover.wave where wave not in ($1, ${STAYS_WAVE}) limit 1`, [
    wave,
  ]);
  return rowCount !== 0;
}

/** Refused like a single row would be, unless each wave is the fence's own or sealed here. */
export async function vouchFor(client: PoolClient, waves: readonly number[]): Promise<void> {
  await client.query('select cutover.vouch_for($1)', [waves]);
}

export async function movePosition(client: PoolClient, key: string, position: string | null): Promise<void> {
  await client.query('update cutover.fence set position = $2 where key = $1', [key, position]);
}

export async function currentSnapshot(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ position: string }>('select pg_current_snapshot()::text as position');
  return rows[0]!.position;
}

/**
 * One snapshot of the side that is read. It may wait long for the side that is written, which holds the fence and keeps
 * the short timeouts: this one only holds back vacuum. It leaves a record in the server's log, which is on disk when it ends: else a crash
 * could take the numbers of transactions the snapshot calls ended, and give them to others.
 */
export async function inSnapshot<T>(
  pool: Pool,
  body: (client: PoolClient, position: string) => Promise<T>,
): Promise<T> {
  return withTransaction(pool, { isolation: 'repeatable read' }, async (client) => {
    await client.query(`set local idle_in_transaction_session_timeout = '15min'`);
    const position = await currentSnapshot(client);
    await client.query(`select pg_logical_emit_message(true, 'cutover', '')`);
    return body(client, position);
  });
}

const ASKED_EVERY_MS = 20_000;

/**
 * Keeps the session that is written from being ended as left behind while `body` reads the other side, however long that takes. A process
 * that stands still asks nothing: what it holds ends in time. `body` must not use `written`.
 */
export async function keepingAwake<T>(
  written: PoolClient,
  body: () => Promise<T>,
  everyMs = ASKED_EVERY_MS,
): Promise<T> {
  let asked: Promise<unknown> = Promise.resolve();
  const ask = (): Promise<unknown> => written.query('select 1').catch(() => undefined);
  const timer = setInterval(() => (asked = asked.then(ask)), everyMs);
  const result = await body().finally(() => clearInterval(timer));
  await asked;
  return result;
}

export const waveKey = (wave: number): string => `wave/${wave}`;

/** Writes of the other side's rows belong here only while this side does not own the wave. The caller holds the fence. */
export async function requireSealed(client: PoolClient, wave: number): Promise<void> {
  const { rows } = await client.query<{ state: string }>('select state from cutover.wave where wave = $1', [wave]);
  if (rows[0]?.state !== 'sealed')
    throw new SystemFault(
      `wave ${wave} is ${rows[0]?.state ?? 'unknown'} here: only a sealed wave is written from the other side`,
      false,
    );
}
