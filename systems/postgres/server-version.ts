import type { PoolClient } from 'pg';
import { SystemFault } from '../ports';

/** As in `server_version_num`: what the statements of this program are written for. */
const OLDEST = 150_000;

/** Throws when the server is older than PostgreSQL 15, before anything is installed in it. */
export async function demandServerVersion(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const version = rows[0]?.version ?? 0;
  if (version >= OLDEST) return;
  throw new SystemFault(
    `the server is PostgreSQL ${Math.floor(version / 10_000)}, this program needs ${OLDEST / 10_000} or newer: upgrade it, ` +
      'or name a database on a newer server',
    false,
  );
}
