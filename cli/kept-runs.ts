import type { Pool } from 'pg';
import type { RollbackState } from '../engine/run-rollback';
import type { RunView } from '../engine/view';
import { readViews, type KeptView } from '../systems/control/views';
import { QUEUES, rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import type { TemporalClient } from './connect';
import type { FoundCutover } from './find-cutover';
import { pollers } from './pollers';
import { lookAtRun, type RunLook } from './workflow-tasks';

export interface SeenRun {
  workflowId: string;
  view: RunView;
  /** Terminated or failed, as Temporal says, before it came to an end: nobody carries it on. */
  isDead: boolean;
}

export interface SeenRuns {
  /** The cutover's own run first, then the waves that have started. */
  views: SeenRun[];
  /** Waves from the last to the first, then the cutover's own. */
  rollbacks: { workflowId: string; state: RollbackState }[];
}

/**
 * The runs of a cutover, and what Temporal says of those that have not ended; null where it knows one not, or does not answer. What
 * has ended changes no more, and Temporal forgets it one day.
 */
export interface KeptRuns extends SeenRuns {
  looks: (RunLook | null)[];
}

/** One run as its worker kept it, and what Temporal says of it; `look` is null when Temporal knows it not, or does not answer. */
interface Kept extends KeptView {
  workflowId: string;
  look: RunLook | null;
}

const ENDED: readonly string[] = ['live', 'stopped', 'rolled-back', 'aborted'];

type RunId = Pick<FoundCutover, 'cutover' | 'workflowId'>;

/**
 * What the workers keep of the runs in `control` with every step they take. Null while nothing of this run is kept: it has not read its
 * documents, or what is kept is of an earlier run under the same id.
 */
export async function keptRuns(found: RunId, temporal: TemporalClient | null, control: Pool): Promise<KeptRuns | null> {
  const kept = await Promise.all(
    (await readViews(control, found.cutover)).map((view) => withLook(found.workflowId, view, temporal)),
  );
  const current = kept.filter(({ chain, look }) => !chain || !look?.chain || chain === look.chain);
  const own = current.find(({ wave, kind }) => wave === null && kind === 'run');
  if (!own) return null;
  const { startedAt, waves } = own.body as RunView;
  const started = waves.filter(({ status }) => status !== 'pending').map(({ wave }) => wave);
  const runs = current.filter(({ wave, kind }) => kind === 'run' && (wave === null || started.includes(wave)));
  const back = current
    .filter(({ kind, body }) => kind === 'rollback' && (body as RollbackState).startedAt >= startedAt)
    .sort((a, b) => (b.wave ?? -1) - (a.wave ?? -1));
  return {
    views: runs.map(({ workflowId, body, look }) => seenRun(workflowId, body as RunView, look)),
    rollbacks: back.map(({ workflowId, body }) => ({ workflowId, state: body as RollbackState })),
    looks: [
      ...runs.filter(({ body }) => !hasEnded(body as RunView)),
      ...back.filter(({ body }) => (body as RollbackState).status !== 'done'),
    ].map(({ look }) => look),
  };
}

/** True when the run hears nothing any more and waits for nobody. */
export const hasEnded = (run: Pick<RunView, 'status' | 'outcome'>): boolean =>
  run.outcome !== null || ENDED.includes(run.status);

export const seenRun = (workflowId: string, view: RunView, look: RunLook | null): SeenRun => ({
  workflowId,
  view,
  isDead: look !== null && look.hasDied && !hasEnded(view),
});

/** Null when Temporal knows it not, or does not answer. */
export const quietLook = (temporal: TemporalClient, workflowId: string): Promise<RunLook | null> =>
  lookAtRun(temporal, workflowId, Date.now()).catch(() => null);

async function withLook(cutoverWorkflowId: string, view: KeptView, temporal: TemporalClient | null): Promise<Kept> {
  const { wave, kind } = view;
  const ofRun = wave === null ? cutoverWorkflowId : waveWorkflowId(cutoverWorkflowId, wave);
  const workflowId = kind === 'run' ? ofRun : rollbackWorkflowId(cutoverWorkflowId, wave);
  const look = temporal && (await quietLook(temporal, workflowId));
  return { ...view, workflowId, look };
}

/** Whether workers take up the tasks of these runs, those that Temporal calls open: what is kept of them is then no older than the task at hand. */
export async function areServed(temporal: TemporalClient, looks: readonly (RunLook | null)[]): Promise<boolean> {
  if (!looks.every((look) => look !== null && look.trouble === null)) return false;
  if (!looks.some((look) => look?.isRunning)) return true;
  // Whether anybody polls may be unknown: then nobody is known to.
  return (await pollers(temporal, QUEUES.main, 'workflow', Date.now()).catch(() => [])).length > 0;
}
