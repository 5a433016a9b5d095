import type { PostgresServer } from './postgres';
import { withClient } from './with-client';

/**
 * Makes the database `name` on a server unless it is there. It is made under another name and renamed when `make` is
 * done, so a database of that name is always whole; what a killed attempt left is dropped. `make` must close its
 * connections. Returns whether it was made.
 */
export async function ensureDatabase(
  server: PostgresServer,
  name: string,
  make: (url: string) => Promise<void>,
): Promise<boolean> {
  const unfinished = `${name}_unfinished`;
  return withClient(server.url('postgres'), async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 1) return false;
    await client.query(`drop database if exists ${client.escapeIdentifier(unfinished)} with (force)`);
    await client.query(`create database ${client.escapeIdentifier(unfinished)}`);
    await make(server.url(unfinished));
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [unfinished]);
    await client.query(
      `alter database ${client.escapeIdentifier(unfinished)} rename to ${client.escapeIdentifier(name)}`,
    );
    return true;
  });
}
