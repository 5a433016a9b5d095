import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client } from 'pg';
import { loadConfig } from '../../../workers/config';
import { runWorkers, type WorkerActivities } from '../../../workers/run-workers';
import { CALLS_FILE, heldFile, markerFile, releaseFile, type Call } from './break-files';

/**
 * A worker as shipped that breaks at chosen moments, once each: BREAK_AT is a list with commas of `activity:moment` or
 * `activity:moment:deed`. Moments: `before`, `during` and `after` the effect. Deeds: `kill` (SIGKILL; what is done when none is
 * named), `stop` (SIGSTOP: somebody must wake it) and `wait` (for `releaseFile`). Named twice, it happens twice. Files in
 * BREAK_DIR remember what has happened, for the worker that takes over. An activity that has a `heldFile` in BREAK_DIR
 * waits before its effect until the file is gone.
 */
const breaks = (process.env['BREAK_AT'] ?? '').split(',').filter(Boolean);
const dir = process.env['BREAK_DIR'] ?? '.';
const LOOK_MS = 20;

/** The activity that is to break in its first statement. */
const doomed = new AsyncLocalStorage<string>();
/** What comes before an effect: transactions and settings, and the run's documents, which are all that `loadRun` reads. */
const PREAMBLE = /^\s*(begin|start|commit|rollback|set|reset|discard|select pg_advisory)/i;
const DOCUMENTS = /^\s*select.* from control\.(cutover|document)/is;
const isEffect = (activity: string, text: string): boolean =>
  !PREAMBLE.test(text) && (activity === 'loadRun' || !DOCUMENTS.test(text));

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

/** True for whoever comes first, in all workers. */
function isFirst(marker: string): boolean {
  try {
    writeFileSync(marker, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** What is to happen now at this moment, if anything. */
function deedOf(moment: string): { deed: string; marker: string } | undefined {
  const due = breaks.filter((each) => each === moment || each.startsWith(`${moment}:`));
  return due
    .map((each, turn) => ({ deed: each.slice(moment.length + 1) || 'kill', marker: markerFile(dir, moment, turn) }))
    .find(({ marker }) => !existsSync(marker) && isFirst(marker));
}

async function breakAt(moment: string): Promise<void> {
  const due = deedOf(moment);
  if (due?.deed === 'wait') while (!existsSync(releaseFile(dir, moment))) await pause();
  else if (due) strike(due.deed);
}

const strike = (deed: string): void => void process.kill(process.pid, deed === 'stop' ? 'SIGSTOP' : 'SIGKILL');

const textOf = (query: unknown): string => {
  if (typeof query === 'string') return query;
  const { text, cursor } = query as { text?: string; cursor?: { text?: string } };
  return text ?? cursor?.text ?? '';
};

/** During an effect: its statement is on its way, and nobody will hear whether it took effect. */
function breakInsideStatements(): void {
  const send = Client.prototype.query as (...args: unknown[]) => unknown;
  Client.prototype.query = function (this: Client, ...args: unknown[]): unknown {
    const activity = doomed.getStore();
    const sent = send.apply(this, args);
    const due =
      activity !== undefined && isEffect(activity, textOf(args[0])) ? deedOf(`${activity}:during`) : undefined;
    if (due) setImmediate(strike, due.deed);
    return sent;
  } as typeof Client.prototype.query;
}

/** Which call of an activity began or ended: for whoever waits for an attempt to win, or to wake. */
function note(activity: string, event: Call['event']): void {
  const { activityId, attempt, workflowExecution } = Context.current().info;
  const workflow = workflowExecution?.workflowId ?? '';
  const call: Call = { at: Date.now(), pid: process.pid, activity, workflow, activityId, attempt, event };
  appendFileSync(join(dir, CALLS_FILE), `${JSON.stringify(call)}\n`);
}

function breaking(activities: WorkerActivities): WorkerActivities {
  const wrap =
    (name: string, call: (input: unknown) => Promise<unknown>) =>
    async (input: unknown): Promise<unknown> => {
      note(name, 'begun');
      while (existsSync(heldFile(dir, name))) await pause();
      await breakAt(`${name}:before`);
      try {
        const result = await doomed.run(name, () => call(input));
        await breakAt(`${name}:after`);
        note(name, 'done');
        return result;
      } catch (error) {
        note(name, 'failed');
        throw error;
      }
    };
  const wrapped = Object.entries(activities).map(([name, call]) => [name, wrap(name, call as never)]);
  return Object.fromEntries(wrapped) as unknown as WorkerActivities;
}

breakInsideStatements();
runWorkers(loadConfig(process.env), breaking).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
