import type { Pool } from 'pg';
import type { RollbackState } from '../engine/run-rollback';
import type { GateState, RunState } from '../engine/state';
import type { RunView } from '../engine/view';
import { rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import type { TemporalClient } from './connect';
import { unreachable } from './exit';
import type { FoundCutover } from './find-cutover';
import {
  areServed,
  hasEnded,
  keptRuns,
  quietLook,
  seenRun,
  type KeptRuns,
  type SeenRun,
  type SeenRuns,
} from './kept-runs';
import { queryRun } from './query-run';
import { whyFailed } from './workflow-tasks';

export type GateShown = Omit<GateState, 'seen'>;

/** One run, the cutover's own (wave null) or a wave's, as `status` prints it. Times are epoch ms. */
export interface RunShown extends Omit<RunView, 'gates' | 'cutover' | 'waves'> {
  workflowId: string;
  gates: GateShown[];
  /** Terminated or failed before it came to an end: nobody carries it on. */
  isDead: boolean;
}

export interface RollbackShown {
  workflowId: string;
  wave: number | null;
  status: RollbackState['status'];
  done: RollbackState['done'];
  problem: string | null;
}

/** What `status --output json` prints. */
export interface StatusShown {
  cutover: string;
  workflowId: string;
  /** Null while it runs. */
  outcome: string | null;
  status: string;
  /** `saved`: no worker takes up its tasks, and this is how far it had come. `dead`: its own run is, and this is how far it had come. */
  source: 'live' | 'saved' | 'dead';
  /** What a dead run failed of; null when it was ended from outside, or nobody says. */
  failure: string | null;
  startedBy: string | null;
  startedAt: number | null;
  waves: RunState['waves'];
  /** The cutover's own run first, then the waves that have started. */
  runs: RunShown[];
  rollbacks: RollbackShown[];
}

function shown({ workflowId, view: { gates, cutover: _cutover, waves: _waves, ...view }, isDead }: SeenRun): RunShown {
  return {
    workflowId,
    ...view,
    waitsFor: isDead || hasEnded(view) ? [] : view.waitsFor,
    gates: gates.map(({ seen: _seen, ...gate }) => gate),
    isDead,
  };
}

/**
 * The whole cutover: what its workers keep in `control`; where there is none, or nothing of this run yet, asked of its runs. Throws a CliError
 * (not reachable) when neither knows.
 */
export async function readStatus(
  found: FoundCutover,
  temporal: TemporalClient | null,
  control: Pool | null,
): Promise<StatusShown> {
  const kept = control ? await keptRuns(found, temporal, control) : null;
  const asked = !kept && temporal ? await askRuns(found, temporal) : null;
  const seen = kept ?? (asked?.outcome === 'answered' ? asked : null);
  const own = seen?.views.find(({ view }) => view.wave === null);
  const main = own?.view;
  if (!main && !found.row) {
    const why = asked && asked.outcome !== 'answered' ? asked.reason : 'Temporal cannot be reached';
    throw unreachable(`the run ${found.workflowId} does not answer: ${why}`, 'start a worker: cutover worker');
  }
  const outcome = main?.outcome ?? found.row?.outcome ?? null;
  const views = seen?.views ?? [];
  const isDead = outcome === null && (own ? own.isDead : await hasDied(temporal, found.workflowId));
  const isLive = asked?.outcome === 'answered' || (await isServed(kept, temporal));
  const source = isDead ? 'dead' : isLive ? 'live' : 'saved';
  return {
    cutover: found.cutover,
    workflowId: found.workflowId,
    outcome,
    status: outcome ?? (isDead ? 'dead' : overallStatus(views.map(({ view }) => view))),
    source,
    failure: isDead && temporal ? await whyFailed(temporal, found.workflowId) : null,
    startedBy: main?.startedBy ?? found.row?.startedBy ?? null,
    startedAt: main?.startedAt ?? found.row?.startedAt.getTime() ?? null,
    waves: main?.waves ?? [],
    runs: views.map(shown),
    rollbacks: (seen?.rollbacks ?? []).map(({ workflowId, state: { wave, status, done, problem } }) => ({
      workflowId,
      wave,
      status,
      done,
      problem,
    })),
  };
}

/** Asked of Temporal, which alone knows it of a run that kept and showed nothing; false where nobody can be asked. */
export const hasDied = async (temporal: TemporalClient | null, workflowId: string): Promise<boolean> =>
  temporal !== null && (await quietLook(temporal, workflowId))?.hasDied === true;

/** What has ended is as it ended; the rest is as new as the tasks its runs were served. */
async function isServed(kept: KeptRuns | null, temporal: TemporalClient | null): Promise<boolean> {
  if (!kept) return false;
  return kept.looks.length === 0 || (temporal !== null && areServed(temporal, kept.looks));
}

type Asked = ({ outcome: 'answered' } & SeenRuns) | { outcome: 'silent'; reason: string };

async function askRuns(found: FoundCutover, temporal: TemporalClient): Promise<Asked> {
  const main = await queryRun<RunView | null>(temporal, found.workflowId);
  if (main.outcome !== 'answered') return { outcome: 'silent', reason: main.reason };
  if (!main.value) return { outcome: 'silent', reason: 'it is still reading its documents' };
  const view = main.value;
  const started = view.waves.filter((wave) => wave.status !== 'pending').map((wave) => wave.wave);
  const waves = await Promise.all(
    started.map(async (wave) => {
      const workflowId = waveWorkflowId(found.workflowId, wave);
      const answer = await queryRun<RunView | null>(temporal, workflowId);
      if (answer.outcome !== 'answered' || !answer.value) return [];
      return [seenRun(workflowId, answer.value, await quietLook(temporal, workflowId))];
    }),
  );
  return {
    outcome: 'answered',
    views: [seenRun(found.workflowId, view, await quietLook(temporal, found.workflowId)), ...waves.flat()],
    rollbacks: await askRollbacks(found, view, started, temporal),
  };
}

/** Rollbacks are asked for only where there may be one: a run that goes forward has none. */
async function askRollbacks(
  found: FoundCutover,
  view: RunView,
  started: number[],
  temporal: TemporalClient,
): Promise<SeenRuns['rollbacks']> {
  const goingBack =
    view.rollback !== null || view.waves.some((wave) => ['stopped', 'rolled-back'].includes(wave.status));
  if (!goingBack) return [];
  const asked = [...started.sort((a, b) => b - a), null].map(async (wave) => {
    const workflowId = rollbackWorkflowId(found.workflowId, wave);
    const answer = await queryRun<RollbackState>(temporal, workflowId);
    return answer.outcome === 'answered' ? [{ workflowId, state: answer.value }] : [];
  });
  return (await Promise.all(asked)).flat();
}

/** What is said of the cutover as a whole: a wave that waits for people makes all of it wait. */
export function overallStatus(views: readonly Pick<RunView, 'wave' | 'status'>[]): string {
  const main = views.find((view) => view.wave === null);
  if (!main) return 'unknown';
  if (main.status !== 'running') return main.status;
  const waves = views.filter((view) => view.wave !== null);
  const telling = (['rolling-back', 'paused', 'waiting-for-person'] as const).find((status) =>
    waves.some((view) => view.status === status),
  );
  return telling ?? main.status;
}
