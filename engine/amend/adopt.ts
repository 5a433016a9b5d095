import { stepId } from '../../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../../runbooks/resolved';
import { record, type Context } from '../context';
import { initialGate, initialStep, phasesOf } from '../initial-state';
import { notice } from '../notice';
import type { GateState, StepState } from '../state';
import { hasStarted } from './compare';

/**
 * The run goes on with these documents. Steps that have started and gates that have opened are as they were
 * (`amendmentProblems` has made sure that they still are what they were); all others are as the new documents say. Votes that
 * have not passed their gate are void: they were given for another runbook.
 */
export function adopt(context: Context, documents: ResolvedRun): void {
  const { state } = context;
  const before = definitions(context);
  context.run = documents;
  const after = definitions(context);
  const phases = phasesOf(documents, state.wave);
  const steps = phases.flatMap((phase) => phase.steps.map((step) => initialStep(documents, phase, step)));
  const gates = phases.flatMap((phase) => initialGate(phase) ?? []);
  leaveOut(state.steps, steps);
  leaveOut(state.gates, gates);
  for (const fresh of steps) takeStep(state.steps, fresh, before.get(fresh.id) === after.get(fresh.id));
  for (const fresh of gates)
    if ((state.gates[fresh.id]?.status ?? 'pending') === 'pending') state.gates[fresh.id] = fresh;
  for (const gate of Object.values(state.gates)) voidVotes(context, gate);
}

/** Everything a step's words and its phase say, by its id: a go was said to that, and to nothing else. */
function definitions({ run, state }: Context): Map<string, string> {
  const all = phasesOf(run, state.wave).flatMap(({ steps, gate: _gate, ...phase }) =>
    steps.map((step) => [stepId(step), JSON.stringify([phase, step])] as const),
  );
  return new Map(all);
}

/** A step that is waited for though it is not there any more has ended: `skipped`, for whoever still holds it. */
function leaveOut(known: Record<string, { id: string; status: string }>, wanted: readonly { id: string }[]): void {
  for (const [id, each] of Object.entries(known)) {
    if (wanted.some((fresh) => fresh.id === id)) continue;
    each.status = 'skipped';
    delete known[id];
  }
}

/** Replaced where it stands: the step may be waited for just now. */
function takeStep(known: Record<string, StepState>, fresh: StepState, unchanged: boolean): void {
  const step = known[fresh.id];
  if (!step) known[fresh.id] = fresh;
  else if (unchanged || hasStarted(step)) Object.assign(step, { title: fresh.title, plannedMs: fresh.plannedMs });
  else {
    delete step.assigned;
    Object.assign(step, fresh);
  }
}

function voidVotes(context: Context, gate: GateState): void {
  if (gate.status !== 'open' && gate.status !== 'held') return;
  for (const vote of gate.votes) {
    if (vote.voided !== null) continue;
    vote.voided = 'the runbook was amended';
    record(context, 'system', 'vote voided', gate.id, { person: vote.person, digest: vote.digest });
    notice(
      context.state,
      context.runtime.now(),
      `gate ${gate.id}: the runbook was amended, the vote of ${vote.person} is void: vote again`,
    );
  }
}
