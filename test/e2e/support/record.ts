import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { rollbackWorkflowId, waveWorkflowId } from '../../../workflows/names';
import type { Night } from './night';
import { projectDir } from '../../../local/paths';

const { History } = temporal.api.history.v1;

/** Histories are kept only when this is set: `npm run histories`. */
const RECORD = process.env['CUTOVER_RECORD'] === 'all';

/** A folder for each release: a run that one of them began must go on with the code of the next. */
export const HISTORIES_DIR = join(projectDir(), 'test', 'replay', 'histories');

/** The release of this code, which `record` writes to. */
export const RELEASE = (JSON.parse(readFileSync(join(projectDir(), 'package.json'), 'utf8')) as { version: string })
  .version;

/** Keeps a run's history for `test/replay`, as far as it has come, without the names of machines. */
export async function record(name: string, run: WorkflowHandle): Promise<void> {
  if (!RECORD) return;
  const history = History.toObject(History.fromObject(await run.fetchHistory()), {
    longs: String,
    enums: String,
    bytes: String,
  });
  const text = JSON.stringify({ workflowId: run.workflowId, history }, withoutMachines);
  const folder = join(HISTORIES_DIR, RELEASE);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${text}\n`);
}

/** The last runs of a night: the cutover's, its wave's, and its rollback's if it went back. */
export async function recordNight(name: string, { stage, workflowId }: Night): Promise<void> {
  const run = (id: string): WorkflowHandle => stage.temporal.client.workflow.getHandle(id);
  await record(`${name}-cutover`, run(workflowId));
  await record(`${name}-wave`, run(waveWorkflowId(workflowId, 1)));
  if (name === 'rolled-back') await record(`${name}-rollback`, run(rollbackWorkflowId(workflowId, 1)));
}

/** Workers sign with their process and machine, queues of their own included. */
const withoutMachines = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && /^\d+@/.test(value) ? 'worker' : value;

/** A kept history as a worker replays it; `name` as in `0.1.0/finished-wave`. */
export function readHistory(name: string): { workflowId: string; history: temporal.api.history.v1.History } {
  const { workflowId, history } = JSON.parse(readFileSync(join(HISTORIES_DIR, `${name}.json`), 'utf8')) as {
    workflowId: string;
    history: object;
  };
  return { workflowId, history: History.fromObject(history) };
}
