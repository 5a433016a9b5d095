import type { Pool } from 'pg';
import type { RollbackState } from '../engine/run-rollback';
import type { RunView } from '../engine/view';
import { readViews } from '../systems/control/views';
import { QUEUES, rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import type { TemporalClient } from './connect';
import type { FoundCutover } from './find-cutover';
import { pollers } from './pollers';
import { chainOf, troubleOf } from './workflow-tasks';

export interface SeenRuns {
  /** The cutover's own run first, then the waves that have started. */
  views: { workflowId: string; view: RunView }[];
  /** Waves from the last to the first, then the cutover's own. */
  rollbacks: { workflowId: string; state: RollbackState }[];
}

/**
 * What the workers keep of the runs in `control` with every step they take. Null while nothing of this run is kept: it has not read its
 * documents, or what is kept is of an earlier run under the same id.
 */
export async function keptRuns(
  { cutover, workflowId }: Pick<FoundCutover, 'cutover' | 'workflowId'>,
  temporal: TemporalClient | null,
  control: Pool,
): Promise<SeenRuns | null> {
  const kept = await readViews(control, cutover);
  const own = kept.find(({ wave, kind }) => wave === null && kind === 'run');
  if (!own) return null;
  const chain = temporal && own.chain !== null ? await chainOf(temporal, workflowId) : null;
  if (chain !== null && chain !== own.chain) return null;
  const since = (own.body as RunView).startedAt;
  const ofThisRun = kept.filter(({ body }) => (body as RunView | RollbackState).startedAt >= since);
  const views = ofThisRun
    .filter(({ kind }) => kind === 'run')
    .map(({ wave, body }) => ({
      workflowId: wave === null ? workflowId : waveWorkflowId(workflowId, wave),
      view: body as RunView,
    }));
  const rollbacks = ofThisRun
    .filter(({ kind }) => kind === 'rollback')
    .map(({ wave, body }) => ({ workflowId: rollbackWorkflowId(workflowId, wave), state: body as RollbackState }))
    .sort((a, b) => (b.state.wave ?? -1) - (a.state.wave ?? -1));
  return { views, rollbacks };
}

/** Whether a worker takes up the tasks of these runs: what is kept of them is then no older than the task at hand. */
export async function areServed(
  temporal: TemporalClient,
  workflowIds: readonly string[],
  nowMs: number,
): Promise<boolean> {
  const [asking, ...troubles] = await Promise.all([
    pollers(temporal, QUEUES.main, 'workflow', nowMs),
    ...workflowIds.map((workflowId) => troubleOf(temporal, workflowId, nowMs)),
  ]);
  return asking.length > 0 && troubles.every((trouble) => trouble === null);
}
