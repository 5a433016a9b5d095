import { stepId } from '../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../runbooks/resolved';
import type { Step, StepKind, StepOf } from '../runbooks/schema/step';
import { SystemFault } from '../systems/ports';

/** The step of a runbook by its id. Throws a SystemFault when it is not there or of another kind. */
export function stepOf<K extends StepKind>({ runbook }: ResolvedRun, id: string, kind: K): StepOf<K> {
  const found = [...runbook.before, ...runbook.perWave, ...runbook.after]
    .flatMap((phase) => phase.steps)
    .find((step: Step) => stepId(step) === id);
  if (found?.kind !== kind) throw new SystemFault(`the runbook has no ${kind} step called ${id}`, false);
  return found as StepOf<K>;
}

export const chunkRowsOf = (run: ResolvedRun, id: string): number => stepOf(run, id, 'preload').chunkRows;
