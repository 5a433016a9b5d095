/** The files by which a breaking worker and whoever watches it speak, all in its BREAK_DIR. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** While this file is there, workers wait before the effect of `activity`. */
export const heldFile = (dir: string, activity: string): string => join(dir, `held-${activity}`);

/** Written when the moment `activity:when` came, with the process id of the worker; `turn` counts from 0. */
export const markerFile = (dir: string, moment: string, turn = 0): string =>
  join(dir, `broke-${moment.replace(':', '-')}${turn === 0 ? '' : `-${turn + 1}`}`);

/** A worker that waits at `activity:when` goes on when this is there. */
export const releaseFile = (dir: string, moment: string): string => join(dir, `release-${moment.replace(':', '-')}`);

export const CALLS_FILE = 'calls.jsonl';

export interface Call {
  /** Epoch ms. */
  at: number;
  pid: number;
  activity: string;
  workflow: string;
  activityId: string;
  attempt: number;
  event: 'begun' | 'done' | 'failed';
}

/** Every call of an activity so far, in the order in which they were noted. */
export function readCalls(dir: string): Call[] {
  const file = join(dir, CALLS_FILE);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Call);
}

/** The process that was broken at the moment; null while it has not come. */
export function brokenPid(dir: string, moment: string, turn = 0): number | null {
  const marker = markerFile(dir, moment, turn);
  const text = existsSync(marker) ? readFileSync(marker, 'utf8') : '';
  return text === '' ? null : Number(text);
}
