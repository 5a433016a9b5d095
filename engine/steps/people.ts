import { durationMs } from '../../runbooks/schema/common';
import { calendarMs, wait } from '../context';
import { waitForOpening } from '../hours';
import type { Handler } from './handler';
import { StepProblem } from './handler';
import { waitForPeople } from './waiting';

const isSkipped = (state: { status: string }): boolean => state.status === 'skipped';

export const task: Handler<'task'> = async ({ context, step, state }) => {
  state.status = 'waiting-people';
  await waitForPeople(
    context,
    step,
    state,
    () => isSkipped(state) || state.signedBy.every((role) => state.signed[role]),
  );
  return { signed: Object.fromEntries(Object.entries(state.signed).map(([role, mark]) => [role, mark.person])) };
};

export const checklist: Handler<'checklist'> = async ({ context, step, state }) => {
  state.status = 'waiting-people';
  await waitForPeople(context, step, state, () => isSkipped(state) || state.items.every((item) => state.checks[item]));
  return { items: state.items.length };
};

export const window: Handler<'window'> = async ({ context, phase, step, state }) => {
  const id = step.window ?? phase.window;
  if (id === undefined) throw new StepProblem(`step ${state.id} names no window and its phase has none`);
  state.status = 'waiting-window';
  await waitForOpening(context, id, state);
  return { window: id };
};

/** Not a timer: open high incidents keep it open. */
export const hypercare: Handler<'hypercare'> = async ({ context, step, state }) => {
  state.status = 'waiting-people';
  context.runtime.publish();
  const until = (state.startedAt ?? context.runtime.now()) + calendarMs(context, durationMs(step.atLeast));
  const high = (): number =>
    Object.values(context.state.incidents).filter((incident) => incident.severity === 'high' && !incident.resolved)
      .length;
  await wait(context, () => isSkipped(state), until);
  state.progress = `${high()} high incidents open`;
  context.runtime.publish();
  await wait(context, () => isSkipped(state) || high() <= step.exit.openHighIncidents);
  state.progress = null;
  return { incidents: Object.keys(context.state.incidents).length };
};
