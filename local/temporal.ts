import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../workflows/names';
import { freePort, isFreeAgain } from './ports';
import { endProcess, processMark } from './processes';
import { temporalBinary } from './temporal-binary';

const NAMESPACE = 'default';
const START_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBE_PAUSE_MS = 100;

/** The development server throttles its queues to 20 polls a second, which costs 100 ms an activity. */
const UNTHROTTLED = ['transfer', 'timer', 'visibility', 'outbound'].map(
  (queue) => `history.${queue}ProcessorMaxPollRPS=5000`,
);

const stateSchema = z.object({ pid: z.number(), mark: z.string(), port: z.number(), uiPort: z.number() });
type State = z.output<typeof stateSchema>;

export interface Temporal {
  /** host:port for clients and workers. */
  address: string;
  /** Null for a server that is not ours. */
  uiUrl: string | null;
  /** Null for a server that is not ours. */
  pid: number | null;
  /** Ends our own server; does nothing to another's. */
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** Holds the database, the log and the state file. */
  dir: string;
  env: NodeJS.ProcessEnv;
  log?: (line: string) => void;
  /** Settings of a server that is started here, `name=value`, beside our own: tests force rare moments with them. */
  dynamicConfig?: readonly string[];
}

const stateFile = (dir: string): string => join(dir, 'temporal.json');

function readState(dir: string): State | undefined {
  if (!existsSync(stateFile(dir))) return undefined;
  return stateSchema.parse(JSON.parse(readFileSync(stateFile(dir), 'utf8')));
}

const isOurs = (state: State): boolean => processMark(state.pid) === state.mark;

/** Whether a server at `address` is healthy, serves the namespace and, if asked, knows our search attributes. */
export async function temporalAnswers(address: string, attributes: readonly string[] = []): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: PROBE_TIMEOUT_MS });
    const open = connection;
    return await open.withDeadline(Date.now() + PROBE_TIMEOUT_MS, async () => {
      await open.workflowService.describeNamespace({ namespace: NAMESPACE });
      const { customAttributes } = await open.operatorService.listSearchAttributes({ namespace: NAMESPACE });
      return attributes.every((name) => name in customAttributes);
    });
  } catch {
    return false; // not yet, or no longer: the caller asks again or reports it
  } finally {
    await connection?.close();
  }
}

const handle = (dir: string, state: State): Temporal => ({
  address: `127.0.0.1:${state.port}`,
  uiUrl: `http://127.0.0.1:${state.uiPort}`,
  pid: state.pid,
  stop: () => stopTemporal(dir),
});

/** The server of this folder if it runs; finds, starts and repairs nothing. */
export function runningTemporal(dir: string): Temporal | undefined {
  const state = readState(dir);
  return state && isOurs(state) ? handle(dir, state) : undefined;
}

/** Ends the server of this folder, by its process id. Its database stays. */
export async function stopTemporal(dir: string): Promise<void> {
  const state = readState(dir);
  if (state && isOurs(state)) await endProcess(state.pid);
}

/**
 * The Temporal server: the one TEMPORAL_ADDRESS names, or one of our own with its database in `dir`. A server that
 * runs is used; one that was killed is started again on the ports it had, if they are free.
 */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { dir, env, log = () => undefined, dynamicConfig = [] } = options;
  const before = readState(dir);
  const given = env['TEMPORAL_ADDRESS'];
  // A shell that took over what `up` printed names our own server, and still does when it is down.
  if (given && given !== ownAddress(before)) {
    if (!(await temporalAnswers(given)))
      throw new Error(
        `TEMPORAL_ADDRESS names ${given}, where no Temporal server answers: unset TEMPORAL_ADDRESS to have one of our own`,
      );
    return { address: given, uiUrl: null, pid: null, stop: () => Promise.resolve() };
  }
  mkdirSync(dir, { recursive: true });
  if (before && isOurs(before)) {
    if (await temporalAnswers(`127.0.0.1:${before.port}`, SEARCH_ATTRIBUTES)) return handle(dir, before);
    await endProcess(before.pid);
  }
  const binary = await temporalBinary({ env, log });
  const port = await portLike(before?.port);
  const uiPort = await portLike(before?.uiPort, port);
  const state = launch(binary, dir, port, uiPort, { env, dynamicConfig });
  await waitUntilReady(dir, state);
  return handle(dir, state);
}

const ownAddress = (state: State | undefined): string | undefined => state && `127.0.0.1:${state.port}`;

/** The port of before when it is free; otherwise another. */
async function portLike(before: number | undefined, not?: number): Promise<number> {
  if (before !== undefined && (await isFreeAgain(before))) return before;
  const port = await freePort();
  return port === not ? portLike(undefined, not) : port;
}

/** Starts the server as a process that outlives this one, and notes its id. */
function launch(
  binary: string,
  dir: string,
  port: number,
  uiPort: number,
  { env, dynamicConfig }: { env: NodeJS.ProcessEnv; dynamicConfig: readonly string[] },
): State {
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--db-filename', join(dir, 'temporal.db'), '--log-format', 'json', '--log-level', 'warn');
  for (const value of [...UNTHROTTLED, ...dynamicConfig]) args.push('--dynamic-config-value', value);
  for (const name of SEARCH_ATTRIBUTES) args.push('--search-attribute', `${name}=Keyword`);
  const log = openSync(join(dir, 'temporal.log'), 'a');
  try {
    const server = spawn(binary, args, { detached: true, stdio: ['ignore', log, log], env });
    server.once('error', () => undefined); // it has no pid then, which is reported below
    if (server.pid === undefined) throw new Error(`${binary} cannot be started`);
    server.unref();
    const state: State = { pid: server.pid, mark: processMark(server.pid) ?? '', port, uiPort };
    writeFileSync(`${stateFile(dir)}.new`, JSON.stringify(state));
    renameSync(`${stateFile(dir)}.new`, stateFile(dir));
    return state;
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(dir: string, state: State): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await temporalAnswers(`127.0.0.1:${state.port}`, SEARCH_ATTRIBUTES))) {
    const why = !isOurs(state) ? 'ended' : Date.now() > deadline ? 'did not answer in time' : undefined;
    if (why !== undefined) {
      await endProcess(state.pid);
      throw new Error(`The Temporal server ${why}. Its log: ${join(dir, 'temporal.log')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE_MS));
  }
}

/** Removes the server's database and state. Stop it first. */
export function removeTemporal(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
