import { stepId } from '../runbooks/plan-timeline/phases';
import type { Phase } from '../runbooks/schema/step';
import { isHeld, wait, type Context } from './context';
import { backOutBy } from './hours';
import { phasesOf } from './initial-state';
import { runGate } from './run-gate';
import { runStep } from './run-step';
import { settleAll } from './settle';

type Part = 'before' | 'perWave' | 'after';

/**
 * Runs the phases of a part in order: each phase's steps as their `needs` allow, then its gate. An amendment may change what
 * has not begun: phases and steps are looked up as the documents are now.
 */
export async function runPhases(context: Context, part: Part): Promise<void> {
  const done = new Set<string>();
  for (;;) {
    const phase = context.run.runbook[part].find((candidate) => !done.has(candidate.phase));
    if (!phase && !isHeld(context)) return;
    if (!phase) {
      await wait(context, () => !isHeld(context)); // there may be one more then
      continue;
    }
    await runSteps(context, phase.phase);
    const now = phaseNow(context, phase.phase);
    if (!now) continue; // an amendment left it out before it began
    await runGate(context, now);
    done.add(phase.phase);
  }
}

const phaseNow = ({ run, state }: Context, name: string): Phase | undefined =>
  phasesOf(run, state.wave).find((phase) => phase.phase === name);

const isEnded = ({ state }: Context, id: string): boolean =>
  ['done', 'skipped'].includes(state.steps[id]?.status ?? 'skipped');

/** Until every step of the phase has ended, those an amendment added included; and not while one is being adopted. */
async function runSteps(context: Context, phase: string): Promise<void> {
  const open = (): string[] =>
    (phaseNow(context, phase)?.steps ?? []).map(stepId).filter((id) => !isEnded(context, id));
  const work = new Map<string, Promise<void>>();
  let begun = 0;
  let over = false;
  const more = (): string[] => open().filter((id) => !work.has(id));
  const begin = (): void => {
    for (const id of more()) {
      const step = runStep(context, id, phase);
      // Left out, or moved to another phase: it may come back.
      const forget = (): void => {
        if (context.state.steps[id] === undefined || !isEnded(context, id)) work.delete(id);
      };
      step.then(forget, () => undefined); // settled below, which may be later
      work.set(id, step);
      begun++;
    }
  };
  const added = async (): Promise<void> => {
    while (!over) {
      await wait(context, () => over || more().length > 0);
      if (!over) begin();
    }
  };
  begin();
  added().catch(() => undefined); // what ends this wait ends the steps' as well
  try {
    for (let seen = -1; seen < begun || isHeld(context);) {
      seen = begun;
      await settleAll([...work.values()]);
      if (isHeld(context)) await wait(context, () => !isHeld(context));
      begin();
    }
  } catch (error) {
    await Promise.allSettled([...work.values()]); // those added meanwhile
    throw error;
  } finally {
    over = true;
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
