import type { Pool, PoolClient } from 'pg';

export type Mode = 'read committed' | 'repeatable read' | 'repeatable read, read only';

/**
 * Runs `body` in one transaction. Rolled back when it throws; a connection that cannot even roll back is destroyed.
 * Clock and money formats are fixed, because key values are logged and compared as text.
 */
export async function inTransaction<T>(pool: Pool, mode: Mode, body: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query(`begin isolation level ${mode}`);
    const result = await body(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** First number of the lock that lets one pass at a time write into a database. The ASCII codes of "cutp". */
const PASS_LOCK_CLASS = 1_668_641_904;

/** Serialises passes into this database until the transaction ends. Taken before the other side's snapshot (PROTOCOL 7). */
export async function takePassLock(client: PoolClient): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1, 0)', [PASS_LOCK_CLASS]);
}

/** Locks the fence row, compares the epoch and marks the transaction as ours. Returns the position, null before the first. */
export async function takeFence(client: PoolClient, key: string, epoch: number): Promise<string | null> {
  const { rows } = await client.query<{ position: string | null }>('select cutover.take_fence($1, $2) as position', [key, epoch]);
  return rows[0]?.position ?? null;
}

export async function currentSnapshot(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ position: string }>('select pg_current_snapshot()::text as position');
  return rows[0]!.position;
}
