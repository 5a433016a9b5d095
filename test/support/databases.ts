import { join } from 'node:path';
import { Client } from 'pg';
import { stackDir } from '../../local/paths';
import { startPostgres, type PostgresServer } from '../../local/postgres';

/** Names the run's stack; set by jest's global setup, inherited by its workers. */
export const TEST_STACK_ENV = 'CUTOVER_TEST_STACK';

/** Names the folder of the run's temporary files; set and inherited likewise. */
export const TEST_TMP_ENV = 'CUTOVER_TEST_TMP';

export const testStackDir = (): string => stackDir(process.env[TEST_STACK_ENV] ?? 'test');

/** Starts the run's server, or finds it running. */
export const startTestServer = (): Promise<PostgresServer> =>
  startPostgres(join(testStackDir(), 'postgres'), { fsync: 'off', max_connections: '300' });

let counter = 0;
let earlier: Promise<void> | undefined;

/** The URL of a new, empty database on the run's own PostgreSQL server. It goes away with its test file. */
export async function freshDatabase(name: string): Promise<string> {
  const server = await startTestServer();
  const database = `${name}_${process.pid}_${Date.now().toString(36)}_${counter++}`.toLowerCase();
  const client = new Client(server.url('postgres'));
  await client.connect();
  try {
    await (earlier ??= dropEarlier(client));
    await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
  return server.url(database);
}

/** Those of test files this process ran before: together they fill a disk. One that a prepared transaction holds stays. */
async function dropEarlier(client: Client): Promise<void> {
  const mine = await client.query<{ name: string }>(
    `select quote_ident(datname) as name from pg_database where datname ~ $1`,
    [`_${process.pid}_[0-9a-z]+_[0-9]+$`],
  );
  for (const { name } of mine.rows) await client.query(`drop database ${name} with (force)`).catch(() => undefined);
}
