import { coveredBy } from '../domain/spans';
import { isMachineWork } from '../domain/step-kinds';
import type { RunState } from './state';

/**
 * Frozen time of a wave, milliseconds: `machine` is the union of the machine steps' spans between freeze and switch, `people`
 * the rest (gates, tasks, goes).
 */
export function downtimeOf(state: RunState): { machine: number; people: number } {
  const from = state.frozen?.at ?? 0;
  const to = state.switchedAt ?? from;
  const spans = Object.values(state.steps)
    .filter((step) => isMachineWork(step.kind) && step.startedAt !== null)
    .map((step) => [step.startedAt ?? from, step.endedAt ?? to] as const);
  const machine = coveredBy(spans, from, to);
  return { machine, people: Math.max(0, to - from - machine) };
}
