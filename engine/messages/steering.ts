import { isOwn } from '../people';
import type { MessageAnswer } from '../state';
import { own } from './own';
import { accept, refuse, type MessageContext, type SteeringMessage } from './types';

/** Own people needed for what leaves the agreed hours (DESIGN §3, HOURS). */
const OWN_PEOPLE = 2;

export function answerSteering(context: MessageContext, message: SteeringMessage): MessageAnswer {
  const { state, now } = context;
  switch (message.kind) {
    case 'pause':
      if (state.paused) return accept('paused already');
      state.paused = { person: message.person, at: now, reason: message.reason };
      return accept(
        state.frozen ? 'customers are frozen: no new step starts, and the back-out time stands' : undefined,
      );
    case 'resume':
      if (!state.paused) return refuse('the run is not paused');
      state.paused = null;
      return accept();
    case 'requestRollback':
      return answerRollback(context, message);
    case 'reschedule':
      return answerReschedule(context, message);
  }
}

function answerRollback(
  { state, run, now }: MessageContext,
  message: Extract<SteeringMessage, { kind: 'requestRollback' }>,
): MessageAnswer {
  if (state.outcome) return refuse(`the run has ended: ${state.outcome}`);
  if (state.pointOfNoReturnPassed)
    return refuse(`the point of no return (${run.runbook.pointOfNoReturn}) has passed; go forward, or repair by hand`);
  const own = isOwn(run, message.person);
  if (state.rollback) {
    const { by, confirmedBy } = state.rollback;
    const adds = own && !confirmedBy.includes(message.person);
    if (adds) confirmedBy.push(message.person);
    const asked = `rollback was asked for already by ${by}`;
    if (confirmedBy.length >= OWN_PEOPLE)
      return accept(adds ? `${asked}; this confirms it` : `${asked}, and confirmed by ${confirmedBy.join(', ')}`);
    const said = confirmedBy.length === 0 ? 'none of them yet' : `so far ${confirmedBy.join(', ')}`;
    return accept(`${asked}; outside its window it takes ${OWN_PEOPLE} own people, ${said}`);
  }
  state.rollback = {
    by: message.person,
    reason: message.reason,
    at: now,
    outcome: 'rolled-back',
    confirmedBy: own ? [message.person] : [],
  };
  return accept();
}

function answerReschedule(
  { state, run, now }: MessageContext,
  message: Extract<SteeringMessage, { kind: 'reschedule' }>,
): MessageAnswer {
  const { window, opensAt, closesAt } = message;
  if (!own(run.windows, window))
    return refuse(`no window ${JSON.stringify(window)}; windows: ${Object.keys(run.windows).join(', ')}`);
  if (!(opensAt < closesAt)) return refuse('a window closes after it opens');
  if (closesAt <= now) return refuse('that window lies in the past');
  if (!isOwn(run, message.person)) return refuse('a window is moved by own people only');
  const asked = state.reschedulesAsked.filter(
    (ask) => ask.window === window && ask.opensAt === opensAt && ask.closesAt === closesAt,
  );
  if (asked.some((ask) => ask.by === message.person))
    return accept('asked already; a second own person must ask for the same');
  state.reschedulesAsked.push({ window, opensAt, closesAt, by: message.person });
  if (asked.length + 1 < OWN_PEOPLE) return accept('a second own person must ask for the same');
  // What was agreed later replaces what it overlaps: a window that is to close early must not stay open.
  const kept = (state.rescheduled[window] ?? []).filter((old) => old.closesAt <= opensAt || closesAt <= old.opensAt);
  // Agreed and done with: whoever wants it again after another was agreed on asks again, and so does a second one.
  state.reschedulesAsked = state.reschedulesAsked.filter((ask) => ask.window !== window);
  state.rescheduled[window] = [...kept, { opensAt, closesAt }].sort((a, b) => a.opensAt - b.opensAt);
  return accept();
}
