import { stepId } from '../runbooks/plan-timeline/phases';
import { watchWaveAmendments, withAmendments } from './amend/watch';
import { resumeBackground, stopBackground } from './background';
import { record, type Context } from './context';
import { downtimeOf } from './downtime';
import { phasesOf } from './initial-state';
import { Cancelled } from './runtime';
import { runPhases, watchFreeze } from './run-phases';
import { settleAll } from './settle';
import type { WaveSummary } from './state';
import { viewOf } from './view';
import { withLedger } from './with-ledger';

/**
 * A wave's run: `perWave`, from where the state says. Ends `live`, or `stopped` with every effect ended, so that the
 * cutover can undo it. Throws ContinueRun when it continues as new.
 */
export async function runWave(context: Context): Promise<WaveSummary['status']> {
  const { runtime, state } = context;
  return withLedger(context, async () => {
    resumeBackground(context);
    try {
      await withAmendments(context, watchWaveAmendments, () =>
        settleAll([runPhases(context, 'perWave'), watchFreeze(context)]),
      );
      state.status = 'live';
      record(context, 'system', 'wave live', `wave-${state.wave}`);
      return 'live' as const;
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      state.status = 'stopped';
      if (state.frozen && !state.downtimeMs) state.downtimeMs = downtimeOf({ ...state, switchedAt: runtime.now() });
      record(context, 'system', 'wave stopped', `wave-${state.wave}`, { reason: state.rollback?.reason ?? null });
      return 'stopped' as const;
    } finally {
      await stopBackgroundAll(context);
      await runtime.activities.saveView({ cutover: state.cutover, wave: state.wave, view: viewOf(context) });
      runtime.publish();
    }
  });
}

/** The lease is left to its undo, `thaw`: what stops here is only its renewal. */
async function stopBackgroundAll(context: Context): Promise<void> {
  const following = context.state.following;
  await stopBackground(context, 'lease');
  await stopBackground(context, 'follow');
  context.state.following = following && context.state.status === 'running';
}

/** What the cutover keeps of a wave. */
export function summaryOf({ state, run }: Context, status: WaveSummary['status']): WaveSummary {
  const phase = phasesOf(run, state.wave).find((candidate) =>
    candidate.steps.some((step) => !['done', 'skipped'].includes(state.steps[stepId(step)]?.status ?? 'done')),
  );
  return {
    wave: state.wave ?? 0,
    name: run.plan.waves[(state.wave ?? 1) - 1]?.id ?? '',
    status,
    phase: phase?.phase ?? null,
    frozenAt: state.frozen?.at ?? null,
    switchedAt: state.switchedAt,
    verification: state.verification,
    deltaRows: state.deltaRows,
    downtimeMs: state.downtimeMs,
    rollback: state.rollback,
    ...(state.pointOfNoReturnPassed ? { pointOfNoReturnPassed: true } : {}),
    ...(state.adopting?.stage === 'answered'
      ? { amendment: { attempt: state.adopting.attempt, problem: state.adopting.problem ?? null } }
      : {}),
  };
}
