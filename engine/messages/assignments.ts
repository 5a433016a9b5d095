import { assertNever } from '../../domain/assert-never';
import { answerable, holders, holds } from '../people';
import type { MessageAnswer, StepState } from '../state';
import { accept, refuse, type MessageContext, type StepMessage } from './types';

export type AssignmentMessage = Extract<StepMessage, { kind: 'startTask' | 'blockTask' | 'reassign' }>;

/** Who does a task: taken up, blocked, or given to somebody else. */
export function answerAssignment(context: MessageContext, step: StepState, message: AssignmentMessage): MessageAnswer {
  switch (message.kind) {
    case 'startTask':
      return answerStart(context, step, message.person);
    case 'blockTask':
      return answerBlock(context, step, message);
    case 'reassign':
      return answerReassign(context, step, message);
    default:
      return assertNever(message);
  }
}

/** Roles people answer for in this step: signers of a task, the owner of a checklist, who gives the go of anything else. */
function rolesOf(step: StepState): string[] {
  if (step.kind === 'task') return step.signedBy;
  const go = step.goRole === null ? [] : [step.goRole];
  return step.kind === 'checklist' ? [...new Set([step.owner, ...go])] : go;
}

/** Null when the person may work on it now, else why not. */
function notTheirs({ run }: MessageContext, step: StepState, person: string): string | null {
  if (step.kind !== 'task' && step.kind !== 'checklist')
    return `step ${step.id} is a ${step.kind}, nothing a person does`;
  if (step.status !== 'waiting-people') return `${step.kind} ${step.id} is not open: ${step.status}`;
  const roles = rolesOf(step);
  if (roles.some((role) => answerable(run, step, role).includes(person))) return null;
  return `${step.kind} ${step.id} belongs to ${roles.map((role) => `${role} (${answerable(run, step, role).join(', ')})`).join(', ')}`;
}

function answerStart(context: MessageContext, step: StepState, person: string): MessageAnswer {
  const refusal = notTheirs(context, step, person);
  if (refusal !== null) return refuse(refusal);
  const before = step.taken && step.taken.person !== person ? `${step.taken.person} was on it` : undefined;
  step.taken = { person, at: context.now };
  delete step.blocked;
  return accept(before);
}

/** Who is on a task can say that it is stuck; so can the lead, who hears it from others. */
function answerBlock(
  context: MessageContext,
  step: StepState,
  message: Extract<AssignmentMessage, { kind: 'blockTask' }>,
): MessageAnswer {
  const refusal = notTheirs(context, step, message.person);
  const lead = message.person === context.state.startedBy && step.status === 'waiting-people';
  if (refusal !== null && !(lead && rolesOf(step).length > 0)) return refuse(refusal);
  step.blocked = { person: message.person, at: context.now, reason: message.reason };
  return accept();
}

function answerReassign(
  { state, run, now }: MessageContext,
  step: StepState,
  message: Extract<AssignmentMessage, { kind: 'reassign' }>,
): MessageAnswer {
  const { person, to } = message;
  if (step.status === 'done' || step.status === 'skipped') return refuse(`step ${step.id} is ${step.status}`);
  const open = rolesOf(step).filter((role) => !Object.hasOwn(step.signed, role));
  const who = (role: string): string => `${role} (${holders(run, role).join(', ')})`;
  if (open.length === 0) return refuse(`step ${step.id} asks nobody for anything that could be given away`);
  if (person !== state.startedBy && !holds(run, person, step.owner) && !open.some((role) => holds(run, person, role)))
    return refuse(
      `step ${step.id} is given away by ${state.startedBy} or by ${[...new Set([step.owner, ...open])].map(who).join(', ')}`,
    );
  if (message.role !== undefined && !open.includes(message.role))
    return refuse(`step ${step.id} does not wait for ${message.role}; it waits for ${open.map(who).join(', ')}`);
  const roles = (message.role === undefined ? open : [message.role]).filter((role) => holds(run, to, role));
  if (roles.length === 0)
    return refuse(`${to} holds none of the roles step ${step.id} waits for: ${open.map(who).join(', ')}`);
  step.assigned = { ...step.assigned, ...Object.fromEntries(roles.map((role) => [role, to])) };
  delete step.taken;
  // Whoever gets it has the same time as whoever had it.
  if (step.due) step.due = { ...step.due, at: now + step.due.afterMs, level: 0 };
  return accept(`${to} answers for ${roles.join(', ')}`);
}
