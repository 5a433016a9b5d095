import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../workers/config';
import { runWorkers, type WorkerActivities } from '../../../workers/run-workers';

/**
 * A worker as shipped, which dies by SIGKILL at a chosen moment, once: BREAK_AT is `activity:before`, `activity:during` or
 * `activity:after`, several with commas. A file in BREAK_DIR remembers what has happened already, for the worker that takes over.
 */
const breaks = (process.env['BREAK_AT'] ?? '').split(',').filter(Boolean);
const dir = process.env['BREAK_DIR'] ?? '.';
/** Long enough to be inside the effect, short enough to be before its end. */
const DURING_MS = 4;

function breakOnce(moment: string): boolean {
  const marker = join(dir, `broke-${moment.replace(':', '-')}`);
  if (!breaks.includes(moment) || existsSync(marker)) return false;
  writeFileSync(marker, '');
  return true;
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

function breaking(activities: WorkerActivities): WorkerActivities {
  const wrap =
    (name: string, call: (input: unknown) => Promise<unknown>) =>
    async (input: unknown): Promise<unknown> => {
      if (breakOnce(`${name}:before`)) die();
      if (breakOnce(`${name}:during`)) setTimeout(die, DURING_MS);
      const result = await call(input);
      if (breakOnce(`${name}:after`)) die();
      return result;
    };
  const wrapped = Object.entries(activities).map(([name, call]) => [name, wrap(name, call as never)]);
  return Object.fromEntries(wrapped) as unknown as WorkerActivities;
}

runWorkers(loadConfig(process.env), breaking).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
