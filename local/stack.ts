import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureDatabase } from './databases';
import { fillLegacy, type LegacyFill } from './legacy/fill';
import { csvFile } from './legacy/load-csv';
import { withLock } from './lock';
import { projectDir, reachableTwin, stackDir } from './paths';
import { isFreeAgain } from './ports';
import { startPostgres, type PostgresServer } from './postgres';
import { endProcess, processMark } from './processes';
import { createTarget } from './target/schema';
import { removeTemporal, runningTemporal, startTemporal, stopTemporal } from './temporal';
import { withClient } from './with-client';

const SERVERS = ['source', 'target', 'control'] as const;
type ServerName = (typeof SERVERS)[number];

/** The database each server holds. */
const DATABASES: Record<ServerName, string> = { source: 'legacy', target: 'business', control: 'control' };
const DEFAULT_CUSTOMERS = 2_000;

const serverState = z.object({ url: z.string(), port: z.number(), pid: z.number(), mark: z.string() });
const stateSchema = z.object({
  name: z.string(),
  fill: z.union([
    z.object({ customers: z.number(), seed: z.number() }),
    z.object({ customersCsv: z.string(), seed: z.number() }),
  ]),
  servers: z.object({ source: serverState, target: serverState, control: serverState }),
  temporal: z.object({ address: z.string(), uiUrl: z.string().nullable(), pid: z.number().nullable() }),
  env: z.record(z.string(), z.string()),
});

/** What another process needs to know of a stack, as `stack.json` says it. */
export type StackState = z.output<typeof stateSchema>;

export interface Stack extends StackState {
  /** Everything of the stack lies here, but for databases of a root user, which PostgreSQL wants elsewhere. */
  dir: string;
  /** Ends every server of the stack; its data stays. */
  stop(): Promise<void>;
}

export interface StackOptions {
  name?: string;
  /** How many customers the legacy system is generated with; default 2,000. Not together with `customersCsv`. */
  customers?: number;
  customersCsv?: string;
  seed?: number;
  env?: NodeJS.ProcessEnv;
  /** Told what takes long; one line each. */
  log?: (line: string) => void;
}

export const DEFAULT_STACK = 'local';

const stateFile = (name: string): string => join(stackDir(name), 'stack.json');

/** What the stack was when it was last started; undefined when it never was. It may have been stopped or killed since. */
export function readStack(name: string = DEFAULT_STACK): StackState | undefined {
  if (!existsSync(join(projectDir(), '.cutover', name, 'stack.json'))) return undefined;
  return stateSchema.parse(JSON.parse(readFileSync(stateFile(name), 'utf8')));
}

function wantedFill(options: StackOptions, before: StackState | undefined): LegacyFill {
  const { customers, customersCsv, seed = 1 } = options;
  if (customers !== undefined && customersCsv !== undefined)
    throw new Error('Give a number of customers or a file, not both');
  if (customers === undefined && customersCsv === undefined && before) return before.fill;
  if (customersCsv === undefined) return { customers: customers ?? DEFAULT_CUSTOMERS, seed };
  return { customersCsv: csvFile(customersCsv), seed };
}

async function startServer(dir: string, name: ServerName, portBefore: number | undefined): Promise<PostgresServer> {
  const same = portBefore !== undefined && (await isFreeAgain(portBefore));
  return startPostgres(join(dir, name), { max_connections: '200', ...(same ? { port: String(portBefore) } : {}) });
}

/** Starts one server and, when it is new or was left half filled, its database with everything in it. */
async function bringUp(
  dir: string,
  name: ServerName,
  before: StackState | undefined,
  make: (url: string) => Promise<void>,
): Promise<PostgresServer> {
  const server = await startServer(dir, name, before?.servers[name].port);
  await ensureDatabase(server, DATABASES[name], make);
  return server;
}

const describe = (server: PostgresServer, name: ServerName): StackState['servers'][ServerName] => {
  const pid = server.pid();
  return { url: server.url(DATABASES[name]), port: server.port, pid, mark: processMark(pid) ?? '' };
};

/** Throws the first failure, but only when all have ended: nothing goes on behind the caller's back. */
async function allOf<T extends readonly unknown[]>(work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(work as readonly Promise<unknown>[]);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(work as readonly Promise<unknown>[]) as unknown as Promise<T>;
}

/**
 * Starts the stack, or what is missing of it: three PostgreSQL servers with the sample systems, and Temporal. May be
 * called on a stack that runs, was stopped, was killed or was never finished. Throws when the stack is there with
 * other customers than asked for.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { name = DEFAULT_STACK, env = process.env, log = () => undefined } = options;
  const dir = stackDir(name);
  return withLock(
    join(dir, 'lock'),
    () => start(name, dir, env, log, options),
    () => log(`Another process is starting the stack ${name}; waiting for it.`),
  );
}

async function start(
  name: string,
  dir: string,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
  options: StackOptions,
): Promise<Stack> {
  const before = readStack(name);
  const fill = wantedFill(options, before);
  if (before && JSON.stringify(before.fill) !== JSON.stringify(fill)) {
    throw new Error(
      `The stack ${name} holds other customers. Run \`node dist/local/main.js reset --name ${name}\` first.`,
    );
  }
  const [source, target, control, temporal] = await allOf([
    bringUp(dir, 'source', before, (url) => (log('Filling the legacy system.'), fillLegacy(url, fill))),
    bringUp(dir, 'target', before, (url) => withClient(url, createTarget)),
    bringUp(dir, 'control', before, () => Promise.resolve()),
    startTemporal({ dir: join(dir, 'temporal'), env, log }),
  ]);
  const servers = {
    source: describe(source, 'source'),
    target: describe(target, 'target'),
    control: describe(control, 'control'),
  };
  const state: StackState = {
    name,
    fill,
    servers,
    temporal: { address: temporal.address, uiUrl: temporal.uiUrl, pid: temporal.pid },
    env: {
      SOURCE_URL: servers.source.url,
      TARGET_URL: servers.target.url,
      CONTROL_URL: servers.control.url,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: 'default',
    },
  };
  writeFileSync(`${stateFile(name)}.new`, JSON.stringify(state, null, 2));
  renameSync(`${stateFile(name)}.new`, stateFile(name));
  return { ...state, dir, stop: () => stopStack(name) };
}

/** Which parts of the stack run at this moment. */
export function stackStatus(name: string = DEFAULT_STACK): Record<ServerName | 'temporal', boolean> | undefined {
  const state = readStack(name);
  if (!state) return undefined;
  const runs = ({ pid, mark }: { pid: number; mark: string }): boolean => processMark(pid) === mark;
  const { source, target, control } = state.servers;
  const temporal = state.temporal.pid === null || runningTemporal(join(stackDir(name), 'temporal')) !== undefined;
  return { source: runs(source), target: runs(target), control: runs(control), temporal };
}

/** Ends every process of the stack, also of one that was never finished. Each is found by its own id. */
export async function stopStack(name: string = DEFAULT_STACK): Promise<void> {
  const dir = stackDir(name);
  await Promise.all([stopTemporal(join(dir, 'temporal')), ...SERVERS.map((server) => stopServer(join(dir, server)))]);
}

const dataDirs = (dir: string): string[] =>
  [dir, twinOf(dir)].flatMap((home) => (home && existsSync(join(home, 'data')) ? [join(home, 'data')] : []));

/** Where a root user's server keeps its data instead; undefined when the folder was never made. */
const twinOf = (dir: string): string | undefined =>
  process.getuid?.() === 0 && existsSync(dir) ? reachableTwin(dir) : undefined;

/** The first line of postmaster.pid; a server started by nobody any more is ended just the same. */
async function stopServer(dir: string): Promise<void> {
  for (const data of dataDirs(dir)) {
    const file = join(data, 'postmaster.pid');
    if (!existsSync(file)) continue;
    const [pid, folder] = readFileSync(file, 'utf8').split('\n');
    if (folder === data) await endPostmaster(Number(pid));
  }
}

/** SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave. */
async function endPostmaster(pid: number): Promise<void> {
  if (processMark(pid) === null) return;
  process.kill(pid, 'SIGINT');
  await endProcess(pid, 15_000);
}

/** Stops the stack and removes all it holds. */
export async function removeStack(name: string = DEFAULT_STACK): Promise<void> {
  await stopStack(name);
  const dir = stackDir(name);
  removeTemporal(join(dir, 'temporal'));
  for (const server of SERVERS)
    for (const data of dataDirs(join(dir, server))) rmSync(join(data, '..'), { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
}
