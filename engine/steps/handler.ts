import type { StepKind, StepOf, Phase } from '../../runbooks/schema/step';
import type { Context } from '../context';
import type { StepState } from '../state';

/** What a handler gets. It may be entered again from the saved state at any time: effects are idempotent by `ref`. */
export interface StepRun<K extends StepKind> {
  context: Context;
  phase: Phase;
  step: StepOf<K>;
  state: StepState;
}

/** Returns small facts for the report. Throws StepProblem when a person must decide; other errors are faults. */
export type Handler<K extends StepKind> = (run: StepRun<K>) => Promise<Record<string, unknown>>;

/** The window closed, or closes too soon by now, before the effect began: the step is admitted anew, hours and go again. */
export class NotAdmitted extends Error {
  override name = 'NotAdmitted';
}

/** The step cannot go on by itself; the message says what is wrong and what to do. */
export class StepProblem extends Error {
  override name = 'StepProblem';
}
