import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { BUILT_DIR, projectDir } from './paths';
import { endProcess, isRunning } from './processes';

export interface ChildOptions {
  /** Names the log file and appears in errors. */
  name: string;
  /** Compiled entry point under `dist`, such as `local/legacy/backoffice.js`. */
  entry: string;
  args?: readonly string[];
  /** Added to PATH and HOME, which are all it inherits besides. */
  env: Record<string, string>;
  logDir: string;
  /** Runs for each line of standard output, the ready line included. */
  onLine?: (line: string) => void;
  /** The first line of standard output it matches means ready; without it the child is ready once it runs. */
  ready?: RegExp;
  readyTimeoutMs?: number;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  name: string;
  pid: number;
  logFile: string;
  /** The line that said ready; empty when none was asked for. */
  readyLine: string;
  exited: Promise<ChildExit>;
  isRunning(): boolean;
  /** SIGTERM, then SIGKILL; resolves when it is gone. */
  stop(graceMs?: number): Promise<ChildExit>;
  /** SIGKILL: dies on the spot, as in a power cut. */
  kill(): Promise<ChildExit>;
}

const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'NODE_OPTIONS', 'TZ'];

const inherited = (): Record<string, string> =>
  Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])) as [
      string,
      string,
    ][],
  );

/**
 * Starts a compiled entry point as a process of its own, standard output and error in `<logDir>/<name>.log`. Throws with
 * the log's path when the process ends, or says nothing in time, before it is ready.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const entry = join(BUILT_DIR, options.entry);
  if (!existsSync(entry)) throw new Error(`${entry} is not built. Run \`npm run build\`.`);
  mkdirSync(options.logDir, { recursive: true });
  const logFile = join(options.logDir, `${options.name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(process.execPath, [entry, ...(options.args ?? [])], {
    cwd: projectDir(),
    env: { ...inherited(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<ChildExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => (log.end(), resolve({ code, signal })));
  });
  exited.catch(() => undefined); // a failed spawn is reported by waitReady
  const lines = createInterface({ input: child.stdout });
  const ready = waitReady(child, lines, exited, options, logFile);
  lines.on('line', (line) => {
    log.write(`${line}\n`);
    options.onLine?.(line);
  });
  child.stderr.pipe(log, { end: false });
  const readyLine = await ready;
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} did not start`);
  return {
    name: options.name,
    pid,
    logFile,
    readyLine,
    exited,
    isRunning: () => isRunning(pid),
    stop: (graceMs) => endProcess(pid, graceMs).then(() => exited),
    kill: () => (child.kill('SIGKILL'), exited),
  };
}

async function waitReady(
  child: ChildProcess,
  lines: Interface,
  exited: Promise<ChildExit>,
  options: ChildOptions,
  logFile: string,
): Promise<string> {
  const { ready, readyTimeoutMs = 60_000 } = options;
  if (!ready) return '';
  let timer: NodeJS.Timeout | undefined;
  let found: (text: string) => void = () => undefined;
  const line = new Promise<string>((resolve) => {
    found = (text) => void (ready.test(text) && resolve(text));
    lines.on('line', found);
  });
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${options.name} was not ready after ${readyTimeoutMs} ms. Its log: ${logFile}`)),
      readyTimeoutMs,
    );
  });
  const ended = exited.then((exit) => {
    throw new Error(`${options.name} ended (${exit.signal ?? exit.code}) before it was ready. Its log: ${logFile}`);
  });
  try {
    return await Promise.race([line, late, ended]);
  } catch (error) {
    if (child.pid !== undefined) await endProcess(child.pid);
    throw error;
  } finally {
    clearTimeout(timer);
    lines.off('line', found);
  }
}

/** Stops all children at once; one that will not go does not keep the others alive. */
export async function stopAll(children: readonly Child[]): Promise<void> {
  const results = await Promise.allSettled(children.map((child) => child.stop()));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} processes did not end`);
}
