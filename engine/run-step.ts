import { STEP_KINDS } from '../domain/step-kinds';
import type { Phase, Step, StepKind } from '../runbooks/schema/step';
import { followAgain } from './background';
import { isHeld, record, wait, type Context } from './context';
import { waitForHours } from './hours';
import { messageOf } from './message-of';
import { Cancelled, ContinueRun } from './runtime';
import type { StepState } from './state';
import { stepNow } from './step-index';
import { NotAdmitted, type Handler } from './steps/handler';
import { HANDLERS } from './steps/registry';

const ended = (step: StepState): boolean => step.status === 'done' || step.status === 'skipped';

/**
 * Runs one step to `done` or `skipped`. A failed step waits for a person's retry or skip; a rollback leaves by Cancelled. What it
 * does is looked up when it begins: until then an amendment may change it, leave it out, or move it to another phase than the one it was
 * waited for in, which then runs it.
 */
export async function runStep(context: Context, id: string, phase: string): Promise<void> {
  const state = context.state.steps[id];
  if (!state || ended(state)) return;
  const isHere = (): boolean => (stepNow(context, id)?.phase.phase ?? phase) === phase;
  await wait(
    context,
    () => ended(state) || !isHere() || (stepNow(context, id)?.needs ?? []).every((need) => isEnded(context, need)),
  );
  while (!ended(state) && isHere()) {
    try {
      await admit(context, state, isHere);
      const now = stepNow(context, id);
      if (!ended(state) && isHere() && now && !isHeld(context)) await perform(context, now.phase, now.step, state);
    } catch (error) {
      if (error instanceof Cancelled || error instanceof ContinueRun) throw error;
      if (error instanceof NotAdmitted) state.status = 'pending';
      else await fail(context, state, error);
    }
  }
  context.runtime.publish();
}

function isEnded({ state }: Context, id: string): boolean {
  const step = state.steps[id];
  return step !== undefined && ended(step);
}

/**
 * Not while paused or held by an amendment; then hours, then the named person's go, then all of it again: the window may have
 * closed while they thought. A go counts for the opening it was given in. Who was moved to another phase waits there, not here.
 */
async function admit(context: Context, state: StepState, isHere: () => boolean): Promise<void> {
  const { disruptive } = STEP_KINDS[state.kind];
  const stopped = (): boolean => context.state.paused !== null || isHeld(context);
  const gone = (): boolean => ended(state) || !isHere();
  while (!gone()) {
    const documents = context.run;
    await wait(context, () => !stopped() || gone());
    const waited = disruptive && !gone() && (await waitForHours(context, state, isHere));
    if (gone()) return;
    if (waited && state.go) {
      record(context, 'system', 'go expired', state.id, { person: state.go.person });
      state.go = null;
    }
    if (stopped() || context.run !== documents) continue;
    if (state.goRole === null || state.go) return;
    state.status = 'waiting-go';
    context.runtime.publish();
    await wait(context, () => state.go !== null || ended(state) || context.run !== documents);
    if (!ended(state)) state.status = 'pending'; // nobody waits for the go any more, though a pause may
  }
}

async function perform(context: Context, phase: Phase, step: Step, state: StepState): Promise<void> {
  const { runtime } = context;
  // A people's step that was continued as new is entered again, not started again.
  const entered = state.status === 'waiting-people' || (state.kind === 'window' && state.startedAt !== null);
  // One that was continued as new while it ran goes on with its attempt.
  if (state.status !== 'running') state.attemptedAt = runtime.now();
  state.status = 'running';
  state.startedAt ??= runtime.now();
  state.problem = null;
  if (!entered) record(context, 'system', 'step started', state.id);
  followAgain(context);
  runtime.publish();
  const result = await handlerOf(step.kind)({ context, phase, step, state });
  state.endedAt = runtime.now();
  state.progress = null;
  state.result = result;
  if (ended(state)) return;
  state.status = 'done';
  record(context, 'system', 'step done', state.id);
}

/** The registry gives each kind its own handler; this is the one place where a step of any kind meets it. */
const handlerOf = (kind: StepKind): Handler<StepKind> => HANDLERS[kind] as Handler<StepKind>;

async function fail(context: Context, state: StepState, error: unknown): Promise<void> {
  state.status = 'failed';
  state.problem = messageOf(error);
  state.progress = null;
  record(context, 'system', 'step failed', state.id, { problem: state.problem });
  context.runtime.publish();
  await wait(context, () => state.status !== 'failed');
}
