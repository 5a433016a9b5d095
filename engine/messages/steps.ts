import { STEP_KINDS } from '../../domain/step-kinds';
import { stepId } from '../../runbooks/plan-timeline/phases';
import { answerable, holders, holds } from '../people';
import type { MessageAnswer, StepState } from '../state';
import { own } from './own';
import { answerAssignment } from './assignments';
import { accept, refuse, type MessageContext, type StepMessage } from './types';

export function answerSteps(context: MessageContext, message: StepMessage): MessageAnswer {
  const { state } = context;
  const step = own(state.steps, message.step);
  if (!step)
    return refuse(`no step ${JSON.stringify(message.step)} here; steps: ${Object.keys(state.steps).join(', ')}`);
  switch (message.kind) {
    case 'go':
      return answerGo(context, step, message.person);
    case 'startTask':
    case 'blockTask':
    case 'reassign':
      return answerAssignment(context, step, message);
    case 'completeTask':
      return answerTask(context, step, message.person);
    case 'recordCheck':
      return answerCheck(context, step, message);
    case 'retryStep':
      return answerRetry(step);
    case 'skipStep':
      return answerSkip(context, step, message);
  }
}

function answerGo({ run, now }: MessageContext, step: StepState, person: string): MessageAnswer {
  if (step.goRole === null) return refuse(`step ${step.id} asks nobody for a go`);
  if (step.go) return accept(`${step.go.person} said go already`);
  if (step.status !== 'waiting-go') return refuse(`step ${step.id} does not wait for a go yet: ${step.status}`);
  const asked = answerable(run, step, step.goRole);
  if (!asked.includes(person)) return refuse(`step ${step.id} asks ${step.goRole} (${asked.join(', ')})`);
  step.go = { person, at: now };
  return accept();
}

function answerTask({ run, now }: MessageContext, step: StepState, person: string): MessageAnswer {
  if (step.kind !== 'task') return refuse(`step ${step.id} is a ${step.kind}, not a task`);
  if (step.status !== 'waiting-people' && step.status !== 'done')
    return refuse(`task ${step.id} is not open: ${step.status}`);
  const mine = step.signedBy.filter((candidate) => answerable(run, step, candidate).includes(person));
  const signedAt = (candidate: string): number => step.signed[candidate]?.at ?? 0;
  // A task that is done can be signed again: its signature may have run out (validFor). The oldest first.
  const again = step.status === 'done' ? mine.toSorted((a, b) => signedAt(a) - signedAt(b))[0] : undefined;
  const role = mine.find((candidate) => !step.signed[candidate]) ?? again;
  if (role === undefined) {
    const open = step.signedBy.filter((candidate) => !step.signed[candidate]);
    return refuse(
      `task ${step.id} waits for ${open.map((candidate) => `${candidate} (${answerable(run, step, candidate).join(', ')})`).join(', ')}`,
    );
  }
  step.signed[role] = { person, at: now };
  delete step.blocked;
  return accept();
}

function answerCheck(
  { run, now }: MessageContext,
  step: StepState,
  message: Extract<StepMessage, { kind: 'recordCheck' }>,
): MessageAnswer {
  if (step.kind !== 'checklist') return refuse(`step ${step.id} is a ${step.kind}, not a checklist`);
  if (step.status !== 'waiting-people' && step.status !== 'done')
    return refuse(`checklist ${step.id} is not open: ${step.status}`);
  if (!step.items.includes(message.item))
    return refuse(`checklist ${step.id} has no item ${JSON.stringify(message.item)}; items: ${step.items.join(', ')}`);
  const mayCheck = answerable(run, step, step.owner);
  if (!mayCheck.includes(message.person))
    return refuse(`checklist ${step.id} belongs to ${step.owner} (${mayCheck.join(', ')})`);
  const definition = [...run.runbook.before, ...run.runbook.perWave, ...run.runbook.after]
    .flatMap((phase) => phase.steps)
    .find((candidate) => stepId(candidate) === step.id);
  if (definition?.kind === 'checklist' && definition.evidence === 'required' && !message.evidence) {
    return refuse(`checklist ${step.id} asks for evidence with each item`);
  }
  delete step.blocked;
  step.checks[message.item] = { person: message.person, at: now, ok: message.ok, evidence: message.evidence ?? null };
  return accept();
}

function answerRetry(step: StepState): MessageAnswer {
  if (step.status !== 'failed') return refuse(`step ${step.id} has not failed: ${step.status}`);
  step.status = 'pending';
  step.problem = null;
  return accept();
}

function answerSkip(
  { state, run, now }: MessageContext,
  step: StepState,
  message: Extract<StepMessage, { kind: 'skipStep' }>,
): MessageAnswer {
  if (STEP_KINDS[step.kind].required)
    return refuse(`step ${step.id} cannot be skipped: the switch rests on ${step.kind}`);
  if (step.status === 'done' || step.status === 'skipped') return refuse(`step ${step.id} is ${step.status}`);
  if (step.status === 'running') return refuse(`step ${step.id} is running; it can be skipped when it has failed`);
  if (message.person !== state.startedBy && !holds(run, message.person, step.owner)) {
    return refuse(
      `step ${step.id} is skipped by ${state.startedBy} or ${step.owner} (${holders(run, step.owner).join(', ')})`,
    );
  }
  step.status = 'skipped';
  if (step.startedAt !== null) step.endedAt = now;
  step.problem = message.reason;
  return accept();
}
