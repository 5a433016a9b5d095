import type { PoolClient } from 'pg';
import { SystemFault } from '../../ports';
import { waveKey } from './transaction';

/**
 * The cluster and its timeline. A failover or a recovery begins another timeline: what was committed last may be gone, and the
 * numbers of its transactions are given out again, so that a position taken before takes new writes for applied ones. A disk put back to an earlier state keeps its timeline, but not its numbers.
 */
async function serverOf(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ server: string }>(
    `select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) as server from pg_control_system()`,
  );
  return rows[0]!.server;
}

/** Keeps in the fence that its position is one of the server that is read. */
export async function noteServer(written: PoolClient, read: PoolClient, key: string): Promise<void> {
  await written.query('update cutover.fence set server = $2 where key = $1', [key, await serverOf(read)]);
}

/** Whether the fence's position, where it has one, is of the server that is read, and not of its future. */
export async function isOfServer(written: PoolClient, read: PoolClient, key: string): Promise<boolean> {
  const { rows } = await written.query<{ position: string; server: string | null }>(
    'select position, server from cutover.fence where key = $1 and position is not null',
    [key],
  );
  const at = rows[0];
  if (!at) return true;
  if (at.server !== null && at.server !== (await serverOf(read))) return false;
  const { rows: clocks } = await read.query<{ reached: boolean }>(
    'select pg_snapshot_xmax($1::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) as reached',
    [at.position],
  );
  return clocks[0]!.reached;
}

/** Forward nothing has gone live yet: what a failover may have taken away, or hidden from the log, is copied anew. */
export async function demandSameSource(source: PoolClient, target: PoolClient, wave: number): Promise<void> {
  if (!(await isOfServer(target, source, waveKey(wave))))
    throw new SystemFault(
      `the source failed over, or was set back, since wave ${wave} was copied: what it had committed last may be gone, and what it ` +
        'commits now may look applied; roll back, and start again: the wave is copied anew',
      false,
    );
}
