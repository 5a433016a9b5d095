import { durationMs } from '../runbooks/schema/common';
import { neededMs as remainingMs, backOutBy as backOutOf, sameWindow } from '../domain/forecast';
import { fits, nextOpening, openingAt, type Opening } from '../domain/window';
import { plannedPhases, rollbackDurationMs } from '../runbooks/plan-timeline/phases';
import type { Phase } from '../runbooks/schema/step';
import { record, wait, type Context } from './context';
import { phasesOf } from './initial-state';
import { notice } from './notice';
import { workBegan, type StepState } from './state';
import { stepNow } from './step-index';

/** Openings of a window as they stand: what two own people agreed on replaces the pattern. */
function openings({ run, state }: Context, window: string): Opening[] {
  return state.rescheduled[window] ?? run.windows[window] ?? [];
}

/** Time a rollback is expected to take, milliseconds: the one rule of `cutover plan`. */
const rollbackMs = ({ run }: Context): number => rollbackDurationMs(run.runbook, run.plan);

/**
 * What the opening must still hold for the disruptive work left from this phase on and for going back, milliseconds. People's
 * steps and gates between count as planned; what runs already counts with the time it has left.
 */
export function neededMs(context: Context, phase: Phase): number {
  const { state, run, runtime } = context;
  const steps = Object.values(state.steps);
  const ended = steps.filter((step) => step.status === 'done' || step.status === 'skipped');
  const passed = Object.values(state.gates).filter((gate) => gate.status === 'passed');
  const spent = steps.flatMap((step) => {
    const began = step.status === 'running' ? workBegan(step) : null;
    return began === null ? [] : [[step.id, runtime.now() - began] as const];
  });
  const phases = phasesOf(run, state.wave);
  const from = phases.findIndex((known) => known.phase === phase.phase); // by name: it may be that of documents amended since
  const left = sameWindow(plannedPhases(phases, run.plan), from);
  const progress = { done: new Set([...ended, ...passed].map(({ id }) => id)), spentMs: Object.fromEntries(spent) };
  return remainingMs(left, progress, rollbackMs(context));
}

const skipped = (step: StepState): boolean => step.status === 'skipped';

/** Whether the phase's window is open with time to finish and back out; true without a window. */
export function hoursSuffice(context: Context, phase: Phase): boolean {
  const { runtime } = context;
  if (phase.window === undefined) return true;
  const open = openingAt(openings(context, phase.window), runtime.now());
  return open !== null && fits(open, runtime.now(), neededMs(context, phase));
}

/**
 * Waits until the phase's window is open with time to finish *and* back out (HOURS), or the step is skipped or no longer `isHere`. Without
 * a window: at once. Returns whether it had to wait.
 */
export async function waitForHours(context: Context, step: StepState, isHere: () => boolean): Promise<boolean> {
  const { runtime } = context;
  for (let waited = false; ; waited = true) {
    const phase = stepNow(context, step.id)?.phase;
    const window = phase?.window;
    if (phase === undefined || window === undefined) return waited;
    if (hoursSuffice(context, phase)) return waited;
    const needed = neededMs(context, phase);
    const open = openingAt(openings(context, window), runtime.now());
    step.status = 'waiting-window';
    const next = nextOpening(openings(context, window), runtime.now());
    step.problem = windowProblem(window, open, next, needed);
    runtime.publish();
    record(context, 'system', 'waits for window', step.id, {
      window,
      neededMs: needed,
      opensAt: next?.opensAt ?? null,
    });
    const known = JSON.stringify(openings(context, window));
    const documents = context.run;
    const changed = (): boolean => context.run !== documents || JSON.stringify(openings(context, window)) !== known;
    const fitsNow = (): boolean => hoursSuffice(context, phase); // what was skipped or ended early leaves time
    await wait(context, () => changed() || skipped(step) || fitsNow(), next?.opensAt ?? null);
    if (skipped(step)) return true;
    step.problem = null;
    if (isHere()) continue;
    step.status = 'pending';
    return true;
  }
}

function windowProblem(window: string, open: Opening | null, next: Opening | null, needed: number): string {
  const minutes = Math.ceil(needed / 60_000);
  const why = open
    ? `window ${window} closes too soon: ${minutes} minutes are needed to finish and back out`
    : `window ${window} is closed`;
  return next
    ? `${why}; it opens at ${new Date(next.opensAt).toISOString()}`
    : `${why} and has no later opening: reschedule it`;
}

/**
 * The last moment at which rolling back still ends inside the window and the freeze limit; null while nothing is frozen. The window
 * is the opening of now, else the one that customers were frozen in; when there is neither, it was moved away: then at once.
 */
export function backOutBy(context: Context): number | null {
  const { state, run, runtime } = context;
  if (!state.frozen) return null;
  const { at, notAfter } = state.frozen;
  const phase = phasesOf(run, state.wave).find((candidate) => candidate.steps.some((step) => step.kind === 'freeze'));
  const limit = notAfter - rollbackMarginMs(context);
  if (phase?.window === undefined) return limit;
  const known = openings(context, phase.window);
  const open = openingAt(known, runtime.now()) ?? openingAt(known, at);
  return Math.min(limit, open ? backOutOf(open, rollbackMs(context)) : at);
}

/** Before the lease's last moment there must be room to thaw in order: a tenth of the limit, at most a minute. */
const rollbackMarginMs = ({ run }: Context): number =>
  Math.min(60_000, durationMs(run.runbook.limits.frozenAtMost) / 10);

/** A rollback outside its window waits for the next opening, or for two own people (DESIGN §10). */
export async function waitForRollbackHours(context: Context, window: string | undefined): Promise<void> {
  const { runtime, state } = context;
  const request = state.rollback;
  if (!request || window === undefined) return;
  const confirmed = (): boolean => request.confirmedBy.length >= 2;
  while (!confirmed()) {
    const open = openingAt(openings(context, window), runtime.now());
    if (open && fits(open, runtime.now(), rollbackMs(context))) return;
    const next = nextOpening(openings(context, window), runtime.now());
    const opens = next ? ` until ${new Date(next.opensAt).toISOString()}` : '';
    notice(
      state,
      runtime.now(),
      `the rollback waits for window ${window}${opens}, or for two own people to confirm it`,
    );
    runtime.publish();
    const known = JSON.stringify(openings(context, window));
    await runtime.until(
      () => confirmed() || JSON.stringify(openings(context, window)) !== known,
      next?.opensAt ?? null,
    );
  }
}

/** Waits for a window as a step of its own, until it opens or the step is skipped. */
export async function waitForOpening(context: Context, window: string, step: StepState): Promise<void> {
  const { runtime } = context;
  for (;;) {
    if (openingAt(openings(context, window), runtime.now())) return;
    const next = nextOpening(openings(context, window), runtime.now());
    step.problem = windowProblem(window, null, next, 0);
    runtime.publish();
    const known = JSON.stringify(openings(context, window));
    const changed = (): boolean => JSON.stringify(openings(context, window)) !== known;
    await wait(context, () => changed() || skipped(step), next?.opensAt ?? null);
    if (skipped(step)) return;
    step.problem = null;
  }
}
