import { stepId, stepNeeds } from '../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../runbooks/resolved';
import type { Phase, Step } from '../runbooks/schema/step';
import type { Context } from './context';
import { phasesOf } from './initial-state';

interface StepNow {
  phase: Phase;
  step: Step;
  /** Ids of the steps that must have ended before. */
  needs: readonly string[];
}

/** Every step that waits looks here whenever anything happens: it must not cost more the longer the runbook is. */
const indexes = new WeakMap<ResolvedRun, Map<'cutover' | 'wave', Map<string, StepNow>>>();

/** Where a step of this run stands in the documents as they are now; null when an amendment left it out. */
export function stepNow({ run, state }: Context, id: string): StepNow | null {
  const of = indexes.get(run) ?? new Map<'cutover' | 'wave', Map<string, StepNow>>();
  indexes.set(run, of);
  const part = state.wave === null ? 'cutover' : 'wave';
  const index = of.get(part) ?? new Map(phasesOf(run, state.wave).flatMap(stepsOf));
  of.set(part, index);
  return index.get(id) ?? null;
}

const stepsOf = (phase: Phase): [string, StepNow][] =>
  phase.steps.map((step, at) => [stepId(step), { phase, step, needs: stepNeeds(phase, at) }]);
