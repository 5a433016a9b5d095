import type { Phase } from '../runbooks/schema/step';
import type { Context } from './context';
import { wait } from './context';
import { backOutBy } from './hours';
import { runGate } from './run-gate';
import { runStep } from './run-step';
import { settleAll } from './settle';

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
    const again = await wait(context, () => state.frozen === null || backOutBy(context) !== limit, limit);
    if (again) continue;
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
