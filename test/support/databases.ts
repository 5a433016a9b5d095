import { join } from 'node:path';
import { Client } from 'pg';
import { stackDir } from '../../local/paths';
import { startPostgres, type PostgresServer } from '../../local/postgres';

/** Names the run's stack; set by jest's global setup, inherited by its workers. */
export const TEST_STACK_ENV = 'CUTOVER_TEST_STACK';

export const testStackDir = (): string => stackDir(process.env[TEST_STACK_ENV] ?? 'test');

/** Starts the run's server, or finds it running. */
export const startTestServer = (): Promise<PostgresServer> =>
  startPostgres(join(testStackDir(), 'postgres'), { fsync: 'off', max_connections: '300' });

let counter = 0;

/** The URL of a new, empty database on the run's own PostgreSQL server. It goes away with the server. */
export async function freshDatabase(name: string): Promise<string> {
  const server = await startTestServer();
  const database = `${name}_${process.pid}_${Date.now().toString(36)}_${counter++}`.toLowerCase();
  const client = new Client(server.url('postgres'));
  await client.connect();
  try {
    await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
  return server.url(database);
}
