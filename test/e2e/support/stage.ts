import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { connectClient, type TemporalClient } from '../../../cli/connect';
import { startChild, type Child } from '../../../local/children';
import { stackDir } from '../../../local/paths';
import { startPostgres, type PostgresServer } from '../../../local/postgres';
import { isFreeAgain } from '../../../local/ports';
import { isRunning } from '../../../local/processes';
import { childrenOf, killNow } from '../../support/processes';
import { waitUntil } from '../../support/wait-until';
import { connect } from '../../../systems/postgres/connect';
import { startTemporal, type Temporal } from '../../../local/temporal';
import { asRole, giveToOwner, grantRoles, makeRoles } from './roles';
import { TINY_SOURCE_SQL, TINY_TARGET_SQL, tinyFillSql } from '../../runbooks/tiny/schema';

export const DATABASES = ['source', 'target', 'control'] as const;
export type Database = (typeof DATABASES)[number];

const VARIABLE = { source: 'SOURCE_URL', target: 'TARGET_URL', control: 'CONTROL_URL' } as const;

export interface StageOptions {
  /** Settings of its Temporal server, `name=value`. */
  dynamicConfig?: readonly string[];
  /** Each database has a server of its own, which can be killed. */
  apart?: boolean;
  /** Added to the environment of everything that is started, and of the stage's own client. */
  env?: Record<string, string>;
}

/** Real servers for one test file: PostgreSQL with a source, a target and a control database, and Temporal. */
export class Stage {
  private readonly children: Child[] = [];
  private supervising = false;
  /** Workers on their way: one that starts while all are stopped must be stopped too. */
  private readonly starting = new Set<Promise<unknown>>();
  /** Processes of the database server that was killed last. */
  private killed: number[] = [];
  private readonly controls = new Map<string, Pool>();
  /** How many worker processes ended so far. */
  deaths = 0;

  private constructor(
    readonly dir: string,
    private readonly servers: Record<Database, PostgresServer>,
    private server: Temporal,
    readonly temporal: TemporalClient,
    readonly env: Record<string, string>,
  ) {}

  /** `name` gives the stage its folder; databases are new each time. */
  static async open(
    name: string,
    { dynamicConfig = [], apart = false, env: more = {} }: StageOptions = {},
  ): Promise<Stage> {
    const dir = join(stackDir(`e2e-${process.pid}`), name);
    mkdirSync(dir, { recursive: true });
    const [servers, server] = await Promise.all([
      startServers(dir, apart),
      startTemporal({ dir: join(dir, 'temporal'), env: process.env, dynamicConfig }),
    ]);
    const env: Record<string, string> = {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: 'default',
      CUTOVER_LOG_LEVEL: 'info',
      ...more,
    };
    const temporal = await connectClient(env);
    return new Stage(dir, servers, server, temporal, env);
  }

  private async makeDatabases(): Promise<Record<Database, string>> {
    const suffix = Date.now().toString(36);
    const urls = {} as Record<Database, string>;
    for (const name of DATABASES) {
      urls[name] = this.servers[name].url(`${name}_${suffix}`);
      await this.query(this.servers[name].url('postgres'), `create database ${name}_${suffix}`);
    }
    return urls;
  }

  /** Three fresh databases with the tiny systems in them; their URLs are in `env` from here on. */
  async freshDatabases(customers: number): Promise<void> {
    await this.emptyDatabases();
    await this.query(this.urlOf('source'), TINY_SOURCE_SQL + tinyFillSql(customers));
    await this.query(this.urlOf('target'), TINY_TARGET_SQL);
  }

  /** The same with nothing in them. */
  async emptyDatabases(): Promise<void> {
    const urls = await this.makeDatabases();
    for (const name of DATABASES) this.env[VARIABLE[name]] = urls[name];
  }

  /** The Temporal Web UI; null when the server is not ours. */
  get uiUrl(): string | null {
    return this.server.uiUrl;
  }

  /**
   * Three fresh databases, reached under the roles of docs/database-roles.md from here on. `make` fills source and target under
   * the role that owns their tables; returns the owner's URLs.
   */
  async freshSystems(make: (owned: Record<Database, string>) => Promise<void>): Promise<Record<Database, string>> {
    const urls = await this.makeDatabases();
    await makeRoles(this.servers.source.url('postgres'));
    const owned = await giveToOwner(urls);
    await make(owned);
    await grantRoles(urls);
    for (const name of DATABASES) this.env[VARIABLE[name]] = asRole(urls[name], `cutover_${name}`);
    return owned;
  }

  portOf(database: Database): number {
    return this.servers[database].port;
  }

  /** For whoever looks again and again. */
  get control(): Pool {
    const url = this.urlOf('control');
    const pool = this.controls.get(url) ?? connect(url, { applicationName: 'cutover test', max: 10 });
    this.controls.set(url, pool);
    return pool;
  }

  urlOf(database: Database): string {
    return this.env[VARIABLE[database]] ?? '';
  }

  async query<R = Record<string, unknown>>(database: string, sql: string, values?: unknown[]): Promise<R[]> {
    const client = new Client(database.startsWith('postgres://') ? database : this.servers.source.url(database));
    client.on('error', () => undefined); // a lost connection shows in the query
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
    const own = { BREAK_DIR: this.dir, ...env };
    await Promise.all(['worker-1', 'worker-2'].map((name) => this.supervise(name, own)));
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
    await waitUntil(() => isFreeAgain(Number(address.split(':')[1])));
    this.server = await startTemporal({ dir: join(this.dir, 'temporal'), env: process.env });
    if (this.server.address !== address) throw new Error('the Temporal server came back on another port');
  }

  /** SIGKILL for the server of a database and all its processes, as in a power cut. Only on a stage whose servers are apart. */
  killDatabase(name: Database): void {
    const postmaster = this.servers[name].pid();
    this.killed = [postmaster, ...childrenOf(postmaster)];
    for (const pid of this.killed) killNow(pid);
  }

  /** Starts it again where it was; it recovers from its log. */
  async restartDatabase(name: Database): Promise<void> {
    const { port } = this.servers[name];
    await waitUntil(async () => !this.killed.some(isRunning) && (await isFreeAgain(port))); // no two servers over one folder
    this.servers[name] = await startPostgres(join(this.dir, name), { ...SETTINGS, port: String(port) });
  }

  async stopChildren(graceMs = 2_000): Promise<void> {
    this.supervising = false;
    await Promise.allSettled(this.starting);
    const running = this.children.splice(0).filter((child) => child.isRunning());
    await Promise.all(running.map((child) => child.stop(graceMs)));
  }

  /** Logs stay; databases go: together they fill a disk, and nobody opens them again. */
  async close(): Promise<void> {
    await this.stopChildren();
    await Promise.all([...this.controls.values()].map((pool) => pool.end()));
    await this.temporal.close();
    await this.server.stop();
    for (const server of new Set(Object.values(this.servers))) {
      await server.stop('immediate');
      rmSync(server.dataDir, { recursive: true });
    }
  }
}

const SETTINGS = { fsync: 'off', max_connections: '800' };

async function startServers(dir: string, apart: boolean): Promise<Record<Database, PostgresServer>> {
  const start = (name: string): Promise<PostgresServer> => startPostgres(join(dir, name), SETTINGS);
  if (!apart) {
    const one = await start('postgres');
    return { source: one, target: one, control: one };
  }
  const [source, target, control] = await Promise.all([start('source'), start('target'), start('control')]);
  return { source, target, control };
}
