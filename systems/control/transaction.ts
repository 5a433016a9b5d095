import type { Pool, PoolClient } from 'pg';

/** The row key of what belongs to the whole cutover and to no wave. */
const WHOLE_CUTOVER = -1;

export const waveKey = (wave: number | null): number => wave ?? WHOLE_CUTOVER;
export const waveOf = (key: number): number | null => (key === WHOLE_CUTOVER ? null : key);

/**
 * Runs `body` in one READ COMMITTED transaction. When it throws, the transaction is rolled back and the error
 * thrown on; a connection whose rollback fails too is not given back to the pool.
 */
export async function inTransaction<T>(pool: Pool, body: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A client that is checked out reports a lost connection here too; without a listener the process would end.
  const onLost = (): void => undefined;
  client.on('error', onLost);
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await body(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error('rollback failed', { cause });
    });
    throw error;
  } finally {
    client.off('error', onLost);
    client.release(broken);
  }
}
