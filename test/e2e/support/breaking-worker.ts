import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { loadConfig } from '../../../workers/config';
import { runWorkers, type WorkerActivities } from '../../../workers/run-workers';
import { heldFile } from './held-file';

/**
 * A worker as shipped, which dies by SIGKILL at a chosen moment, once: BREAK_AT is `activity:before`, `activity:during` or
 * `activity:after`, several with commas. A file in BREAK_DIR remembers what has happened already, for the worker that takes
 * over. An activity that has a `heldFile` in BREAK_DIR waits before its effect until the file is gone.
 */
const breaks = (process.env['BREAK_AT'] ?? '').split(',').filter(Boolean);
const dir = process.env['BREAK_DIR'] ?? '.';
const HELD_LOOK_MS = 20;

/** The activity that is to die in its first statement. */
const doomed = new AsyncLocalStorage<string>();
/** What comes before an effect: transactions and settings, and the run's documents, which are all that `loadRun` reads. */
const PREAMBLE = /^\s*(begin|start|commit|rollback|set|reset|discard|select pg_advisory)/i;
const DOCUMENTS = /^\s*select.* from control\.(cutover|document)/is;
const isEffect = (activity: string, text: string): boolean =>
  !PREAMBLE.test(text) && (activity === 'loadRun' || !DOCUMENTS.test(text));

const die = (): void => void process.kill(process.pid, 'SIGKILL');

function breakOnce(moment: string): boolean {
  const marker = join(dir, `broke-${moment.replace(':', '-')}`);
  if (!breaks.includes(moment) || existsSync(marker)) return false;
  writeFileSync(marker, '');
  return true;
}

const textOf = (query: unknown): string => {
  if (typeof query === 'string') return query;
  const { text, cursor } = query as { text?: string; cursor?: { text?: string } };
  return text ?? cursor?.text ?? '';
};

/** During an effect: its statement is on its way, and nobody will hear whether it took effect. */
function dieInsideStatements(): void {
  const send = Client.prototype.query as (...args: unknown[]) => unknown;
  Client.prototype.query = function (this: Client, ...args: unknown[]): unknown {
    const activity = doomed.getStore();
    const sent = send.apply(this, args);
    if (activity !== undefined && isEffect(activity, textOf(args[0])) && breakOnce(`${activity}:during`))
      setImmediate(die);
    return sent;
  } as typeof Client.prototype.query;
}

async function whileHeld(name: string): Promise<void> {
  while (existsSync(heldFile(dir, name))) await new Promise((resolve) => setTimeout(resolve, HELD_LOOK_MS));
}

function breaking(activities: WorkerActivities): WorkerActivities {
  const wrap =
    (name: string, call: (input: unknown) => Promise<unknown>) =>
    async (input: unknown): Promise<unknown> => {
      await whileHeld(name);
      if (breakOnce(`${name}:before`)) die();
      const result = await doomed.run(name, () => call(input));
      if (breakOnce(`${name}:after`)) die();
      return result;
    };
  const wrapped = Object.entries(activities).map(([name, call]) => [name, wrap(name, call as never)]);
  return Object.fromEntries(wrapped) as unknown as WorkerActivities;
}

dieInsideStatements();
runWorkers(loadConfig(process.env), breaking).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
