import { dueAfterMs } from '../../runbooks/plan-timeline/phases';
import type { Step } from '../../runbooks/schema/step';
import { calendarMs, record, refOf, wait, type Context } from '../context';
import { notice } from '../notice';
import { answerable, deputiesOf } from '../people';
import type { Background } from '../runtime';
import type { Due, StepState } from '../state';

/** Owners hear it when the time is up, deputies at half as much again, the lead at twice the time. */
const AFTER: Record<Due['level'], number> = { 0: 0, 1: 0, 2: 0.5, 3: 1 };
const LAST = 3;

/**
 * Waits until `done`. When the step's time is up it is escalated: to who answers for it, their deputies, the lead. Deadlines are
 * instants of the state, so that a continued run tells nobody twice and forgets nobody.
 */
export async function waitForPeople(
  context: Context,
  step: Step,
  state: StepState,
  done: () => boolean,
): Promise<void> {
  const afterMs = dueAfterMs(step, context.run.plan);
  if (afterMs !== null && !state.due) {
    const scaled = calendarMs(context, afterMs);
    state.due = { at: context.runtime.now() + scaled, afterMs: scaled, level: 0 };
  }
  context.runtime.publish();
  const telling: Background[] = [];
  try {
    for (;;) {
      const { due, blocked } = state;
      const stands = (): boolean => state.due === due && state.blocked === blocked;
      const met = await wait(context, () => done() || !stands(), nextAt(due));
      if (done()) return;
      if (!met && due) telling.push(...escalate(context, state, due));
      else if (state.blocked && state.blocked !== blocked) telling.push(...tellBlocked(context, state, state.blocked));
    }
  } finally {
    await Promise.all(telling.map((each) => each.stop()));
  }
}

function nextAt(due: Due | undefined): number | null {
  if (!due || due.level === LAST) return null;
  return due.at + due.afterMs * AFTER[(due.level + 1) as Due['level']];
}

function escalate(context: Context, state: StepState, due: Due): Background[] {
  const level = (due.level + 1) as Due['level'];
  state.due = { ...due, level };
  const to = escalateTo(context, state, level);
  if (to.length === 0) return [];
  const text = `${state.kind} ${state.id} is overdue since ${new Date(due.at).toISOString()}; it waits for ${peopleOf(context, state).join(', ')}`;
  record(context, 'system', 'overdue', state.id, { level, told: to.join(', '), dueAt: due.at });
  notice(context.state, context.runtime.now(), `${text}; told ${to.join(', ')}`);
  context.runtime.publish();
  return [tell(context, state, `overdue-${due.at}-${level}`, to, text)];
}

function tellBlocked(context: Context, state: StepState, blocked: NonNullable<StepState['blocked']>): Background[] {
  const text = `${state.kind} ${state.id} is blocked: ${blocked.reason}`;
  notice(context.state, context.runtime.now(), `${text} (${blocked.person})`);
  context.runtime.publish();
  return [tell(context, state, `blocked-${blocked.at}`, [context.state.startedBy], text)];
}

/** Roles that still have to do something, and who answers for them. */
function peopleOf({ run }: Context, state: StepState): string[] {
  const roles = state.kind === 'task' ? state.signedBy.filter((role) => !state.signed[role]) : [state.owner];
  return [...new Set(roles.flatMap((role) => answerable(run, state, role)))];
}

function escalateTo(context: Context, state: StepState, level: Due['level']): string[] {
  const owners = peopleOf(context, state);
  if (level === 1) return owners;
  return level === 2 ? deputiesOf(context.run, owners) : [context.state.startedBy];
}

/** Beside the step: a webhook that does not answer keeps nobody from finishing the task. The ledger has it anyway. */
function tell(context: Context, state: StepState, what: string, to: string[], text: string): Background {
  const ref = { ...refOf(context, state), step: `${state.id}/${what}` };
  return context.runtime.background(
    (activities) => activities.notify({ ref, to, text }),
    (error) => {
      if (error !== undefined)
        notice(context.state, context.runtime.now(), `${to.join(', ')} could not be told that ${text}`);
    },
  );
}
