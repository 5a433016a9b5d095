import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { connectClient, type TemporalClient } from '../../../cli/connect';
import { startChild, type Child } from '../../../local/children';
import { stackDir } from '../../../local/paths';
import { startPostgres, type PostgresServer } from '../../../local/postgres';
import { startTemporal, type Temporal } from '../../../local/temporal';
import { TINY_SOURCE_SQL, TINY_TARGET_SQL, tinyFillSql } from '../../runbooks/tiny/schema';

/** Real servers for one test file: PostgreSQL with a source, a target and a control database, and Temporal. */
export class Stage {
  private readonly children: Child[] = [];
  private supervising = false;
  /** Workers on their way: one that starts while all are stopped must be stopped too. */
  private readonly starting = new Set<Promise<unknown>>();
  /** How many worker processes ended so far. */
  deaths = 0;

  private constructor(
    readonly dir: string,
    private readonly postgres: PostgresServer,
    private server: Temporal,
    readonly temporal: TemporalClient,
    readonly env: Record<string, string>,
  ) {}

  /** `name` gives the stage its folder; databases are new each time. */
  static async open(name: string, options: { dynamicConfig?: readonly string[] } = {}): Promise<Stage> {
    const dir = join(stackDir(`e2e-${process.pid}`), name);
    mkdirSync(dir, { recursive: true });
    const [postgres, server] = await Promise.all([
      startPostgres(join(dir, 'postgres'), { fsync: 'off', max_connections: '800' }),
      startTemporal({ dir: join(dir, 'temporal'), env: process.env, ...options }),
    ]);
    const env: Record<string, string> = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: 'default',
      CUTOVER_LOG_LEVEL: 'info',
    };
    const temporal = await connectClient(env);
    return new Stage(dir, postgres, server, temporal, env);
  }

  /** Three fresh databases with the tiny systems in them; their URLs are in `env` from here on. */
  async freshDatabases(customers: number): Promise<void> {
    const suffix = Date.now().toString(36);
    for (const [variable, name] of Object.entries({
      SOURCE_URL: 'source',
      TARGET_URL: 'target',
      CONTROL_URL: 'control',
    })) {
      await this.query('postgres', `create database ${name}_${suffix}`);
      this.env[variable] = this.postgres.url(`${name}_${suffix}`);
    }
    await this.query(this.env['SOURCE_URL'] ?? '', TINY_SOURCE_SQL + tinyFillSql(customers));
    await this.query(this.env['TARGET_URL'] ?? '', TINY_TARGET_SQL);
  }

  async query<R = Record<string, unknown>>(database: string, sql: string, values?: unknown[]): Promise<R[]> {
    const client = new Client(database.startsWith('postgres://') ? database : this.postgres.url(database));
    await client.connect();
    try {
      const result = await client.query(sql, values);
      return (Array.isArray(result) ? [] : result.rows) as R[];
    } finally {
      await client.end();
    }
  }

  async start(
    name: string,
    entry: string,
    options: { args?: string[]; env?: Record<string, string>; ready?: RegExp } = {},
  ): Promise<Child> {
    const { env, ...rest } = options;
    const child = await startChild({
      name,
      entry,
      logDir: join(this.dir, 'logs'),
      env: { ...this.env, ...env },
      ...rest,
    });
    this.children.push(child);
    return child;
  }

  /** Two workers, as the lease wants; compiled ones, since tests kill them. One that dies is started again, as a supervisor would. */
  async startWorkers(env: Record<string, string> = {}): Promise<void> {
    this.supervising = true;
    await Promise.all(['worker-1', 'worker-2'].map((name) => this.supervise(name, env)));
  }

  private supervise(name: string, env: Record<string, string>): Promise<void> {
    const starting = this.start(name, 'test/e2e/support/breaking-worker.js', { env, ready: /"ready":true/ });
    this.starting.add(starting);
    const again = (): void => {
      this.deaths += 1;
      if (this.supervising) void this.supervise(name, env);
    };
    return starting
      .then(
        (child) => void child.exited.then(again),
        () => again(), // it died before it was ready
      )
      .finally(() => this.starting.delete(starting));
  }

  /** SIGKILL for the Temporal server, as in a power cut. */
  killTemporal(): void {
    if (this.server.pid === null) throw new Error('the Temporal server is not ours to kill');
    process.kill(this.server.pid, 'SIGKILL');
  }

  /** Starts it again where it was, with its database. */
  async restartTemporal(): Promise<void> {
    const { address } = this.server;
    this.server = await startTemporal({ dir: join(this.dir, 'temporal'), env: process.env });
    if (this.server.address !== address) throw new Error('the Temporal server came back on another port');
  }

  async stopChildren(): Promise<void> {
    this.supervising = false;
    await Promise.allSettled(this.starting);
    const running = this.children.splice(0).filter((child) => child.isRunning());
    await Promise.all(running.map((child) => child.stop(2_000)));
  }

  async close(): Promise<void> {
    await this.stopChildren();
    await this.temporal.close();
    await this.server.stop();
    await this.postgres.stop('immediate');
  }
}
