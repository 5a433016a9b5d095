import { join } from 'node:path';
import { Client } from 'pg';
import { stackDir } from '../../local/paths';
import { startPostgres } from '../../local/postgres';

let counter = 0;

/**
 * The URL of a new, empty database on the tests' own PostgreSQL server. The server is started by the first
 * caller and stopped by jest's global teardown; each test makes the databases it needs.
 */
export async function freshDatabase(name: string): Promise<string> {
  const server = await startPostgres(join(stackDir('test'), 'postgres'), { fsync: 'off', max_connections: '300' });
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
