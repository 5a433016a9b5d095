import type { Context } from './context';
import type { ResolvedRun } from '../runbooks/resolved';
import { answerAmend } from './messages/amendments';
import { answerIncident } from './messages/incidents';
import { answerSteps } from './messages/steps';
import { answerSteering } from './messages/steering';
import { answerVote } from './messages/votes';
import { own } from './messages/own';
import { refuse, type Answered, type MessageContext, type ReadDocuments, type RunMessage } from './messages/types';
import { notice } from './notice';
import type { MessageAnswer, RunState } from './state';

export type { Answered, RunMessage } from './messages/types';

const REMEMBERED_ANSWERS = 500;

/**
 * Applies one message to the state: the only place where people's words change a run. Never throws for a business
 * refusal; returns the answer and what the ledger should say. A message id answers again what it answered before.
 */
export function applyMessage(
  state: RunState,
  run: ResolvedRun,
  message: RunMessage,
  now: number,
  documents?: ReadDocuments,
): Answered {
  const known = message.id === undefined ? undefined : own(state.answered, message.id);
  if (known) return { answer: known, ledger: [] };
  const context: MessageContext = { state, run, now, documents };
  const person = run.plan.people.find((candidate) => candidate.id === message.person);
  const answered = person
    ? dispatch(context, message)
    : refuse(
        `nobody in the plan is called ${JSON.stringify(message.person)}; people: ${run.plan.people.map((p) => p.id).join(', ')}`,
      );
  if (!answered.accepted) notice(state, now, `${message.kind} by ${message.person}: ${answered.reason}`);
  if (message.id !== undefined) remember(state, message.id, answered);
  return {
    answer: answered,
    ledger: [
      {
        at: now,
        actor: person ? message.person : 'unknown',
        action: answered.accepted ? message.kind : `${message.kind} refused`,
        subject: subjectOf(message, state.wave),
        detail: { ...detailOf(message), ...(answered.accepted ? {} : { refusal: answered.reason }) },
      },
    ],
  };
}

/** As `applyMessage`, after what the message names was read; throws when it cannot be. */
export async function receiveMessage(context: Context, message: RunMessage): Promise<Answered> {
  const { state, runtime } = context;
  const known = message.id !== undefined && own(state.answered, message.id) !== undefined;
  const idle = state.wave !== null || state.outcome !== null || state.rollback !== null;
  if (message.kind !== 'amend' || known || idle) return applyMessage(state, context.run, message, runtime.now());
  context.reading = (context.reading ?? 0) + 1;
  try {
    const input = { runbookHash: message.runbook, planHash: message.plan, startedAt: state.startedAt };
    const documents = await runtime.activities.checkAmendment(input);
    return applyMessage(state, context.run, message, runtime.now(), documents);
  } finally {
    context.reading -= 1;
  }
}

function dispatch(context: MessageContext, message: RunMessage): MessageAnswer {
  switch (message.kind) {
    case 'vote':
      return answerVote(context, message);
    case 'go':
    case 'startTask':
    case 'blockTask':
    case 'reassign':
    case 'completeTask':
    case 'recordCheck':
    case 'retryStep':
    case 'skipStep':
      return answerSteps(context, message);
    case 'pause':
    case 'resume':
    case 'requestRollback':
    case 'reschedule':
      return answerSteering(context, message);
    case 'amend':
      return answerAmend(context, message);
    case 'raiseIncident':
    case 'resolveIncident':
      return answerIncident(context, message);
  }
}

/** Named with its wave: a cutover and its waves share one ledger, in which equal entries of one instant are one. */
function subjectOf(message: RunMessage, wave: number | null): string {
  const thing = thingOf(message);
  return wave === null ? (thing ?? 'run') : [`wave-${wave}`, thing].filter((part) => part !== null).join('/');
}

/** The gate, step, window or incident spoken about; null for the run itself. */
function thingOf(message: RunMessage): string | null {
  switch (message.kind) {
    case 'vote':
      return message.gate;
    case 'go':
    case 'startTask':
    case 'blockTask':
    case 'reassign':
    case 'completeTask':
    case 'recordCheck':
    case 'retryStep':
    case 'skipStep':
      return message.step;
    case 'reschedule':
      return message.window;
    case 'raiseIncident':
    case 'resolveIncident':
      return message.incident;
    case 'pause':
    case 'resume':
    case 'requestRollback':
    case 'amend':
      return null;
  }
}

function detailOf(message: RunMessage): Record<string, string | number | boolean | null> {
  const { kind: _kind, person: _person, id: _id, ...rest } = message;
  return Object.fromEntries(Object.entries(rest).filter((entry) => entry[1] !== undefined)) as Record<
    string,
    string | number | boolean | null
  >;
}

function remember(state: RunState, id: string, answer: MessageAnswer): void {
  state.answered[id] = answer;
  const ids = Object.keys(state.answered);
  if (ids.length > REMEMBERED_ANSWERS) delete state.answered[ids[0] ?? ''];
}
