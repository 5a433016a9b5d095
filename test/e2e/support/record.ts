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

export const HISTORIES_DIR = join(projectDir(), 'test', 'replay', 'histories');

/** Keeps a run's history for `test/replay`, without the names of machines. */
export async function record(name: string, run: WorkflowHandle): Promise<void> {
  if (!RECORD) return;
  const history = History.toObject(History.fromObject(await run.fetchHistory()), {
    longs: String,
    enums: String,
    bytes: String,
  });
  const text = JSON.stringify({ workflowId: run.workflowId, history }, withoutMachines);
  mkdirSync(HISTORIES_DIR, { recursive: true });
  writeFileSync(join(HISTORIES_DIR, `${name}.json`), `${text}\n`);
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

/** A kept history as a worker replays it. */
export function readHistory(name: string): { workflowId: string; history: temporal.api.history.v1.History } {
  const { workflowId, history } = JSON.parse(readFileSync(join(HISTORIES_DIR, `${name}.json`), 'utf8')) as {
    workflowId: string;
    history: object;
  };
  return { workflowId, history: History.fromObject(history) };
}
