import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stackDir } from '../local/paths';
import { startPostgres, type PostgresServer } from '../local/postgres';
import { withClient } from '../local/with-client';

/** Large enough that neither side of a comparison waits for a checkpoint the other one caused. */
const ROOMY = { shared_buffers: '512MB', max_wal_size: '8GB', maintenance_work_mem: '256MB', max_connections: '300' };

/** Where the bench keeps its servers: a folder of its own that goes away with it. */
export class Place {
  private readonly servers: PostgresServer[] = [];
  private ending: Promise<void> | null = null;

  private constructor(readonly dir: string) {}

  static open(): Place {
    return new Place(stackDir(`bench-${process.pid}`));
  }

  /** A server of its own. Commits do not wait for the disk unless `durable`: what is compared is the work. */
  async postgres(name: string, durable = false): Promise<PostgresServer> {
    const settings = durable ? { fsync: 'on', synchronous_commit: 'on' } : { fsync: 'off' };
    const server = await startPostgres(join(this.dir, name), { ...ROOMY, ...settings });
    this.servers.push(server);
    return server;
  }

  /** Stops one server and removes its data. */
  async put(server: PostgresServer): Promise<void> {
    this.servers.splice(this.servers.indexOf(server), 1);
    await server.stop('immediate');
    rmSync(dirname(server.dataDir), { recursive: true, force: true });
  }

  /** Stops every server and removes everything. */
  close(): Promise<void> {
    this.ending ??= Promise.allSettled([...this.servers].map((server) => this.put(server))).then(() =>
      rmSync(this.dir, { recursive: true, force: true }),
    );
    return this.ending;
  }
}

/** A new database with what `sql` makes in it; resolves to its URL. `template`: a copy of that one, which nobody may be using. */
export async function database(
  server: PostgresServer,
  name: string,
  sql: string,
  template = 'template1',
): Promise<string> {
  await withClient(server.url('postgres'), async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    await client.query(`create database ${name} template ${template} strategy file_copy`);
  });
  if (sql !== '') await withClient(server.url(name), (client) => client.query(sql));
  return server.url(name);
}

/** Writes out what earlier work left dirty, so that the next measurement does not pay for it. */
export async function settle(server: PostgresServer): Promise<void> {
  await withClient(server.url('postgres'), (client) => client.query('checkpoint'));
}
