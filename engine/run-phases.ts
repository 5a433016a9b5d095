import type { Phase } from '../runbooks/schema/step';
import type { Context } from './context';
import { wait } from './context';
import { backOutBy } from './hours';
import { Cancelled, ContinueRun } from './runtime';
import { runGate } from './run-gate';
import { runStep } from './run-step';

/** Runs phases in order: each phase's steps as their `needs` allow, then its gate. */
export async function runPhases(context: Context, phases: readonly Phase[]): Promise<void> {
  for (const phase of phases) {
    await settleAll(phase.steps.map((step) => runStep(context, phase, step)));
    await runGate(context, phase);
  }
}

/**
 * While customers are frozen, whatever people do or do not do, the way back starts in time: at `backOutBy` the run asks
 * for its own rollback. Runs beside the phases; ends with the freeze.
 */
export async function watchFreeze(context: Context): Promise<void> {
  const { runtime, state } = context;
  for (;;) {
    await wait(context, () => state.frozen !== null || state.switchedAt !== null);
    if (state.switchedAt !== null) return;
    const limit = backOutBy(context);
    const over = await wait(context, () => state.frozen === null, limit);
    if (over) continue;
    state.rollback ??= {
      by: 'system',
      reason: 'back out by: later than this a rollback would not end inside the window or the freeze limit',
      at: runtime.now(),
      outcome: 'rolled-back',
      confirmedBy: [],
    };
    runtime.publish();
    return;
  }
}

/** Waits for all, so that no effect is still under way when undo starts; then the first error, a Cancelled before others. */
export async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const errors = results
    .filter((result): result is PromiseRejectedResult => result.status === 'rejected')
    .map((result) => result.reason as unknown);
  const first =
    errors.find((error) => error instanceof Cancelled) ??
    errors.find((error) => !(error instanceof ContinueRun)) ??
    errors[0];
  if (first !== undefined) throw first;
}
