import { STEP_KINDS } from '../domain/step-kinds';
import type { RunState } from './state';

/**
 * Frozen time of a wave, milliseconds: `machine` is the union of the machine steps' spans between freeze and switch, `people`
 * the rest (gates, tasks, goes).
 */
export function downtimeOf(state: RunState): { machine: number; people: number } {
  const from = state.frozen?.at ?? 0;
  const to = state.switchedAt ?? from;
  const spans = Object.values(state.steps)
    .filter((step) => !STEP_KINDS[step.kind].byPeople && step.startedAt !== null)
    .map((step) => [Math.max(from, step.startedAt ?? from), Math.min(to, step.endedAt ?? to)] as const)
    .filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0]);
  let machine = 0;
  let reached = from;
  for (const [start, end] of spans) {
    machine += Math.max(0, end - Math.max(reached, start));
    reached = Math.max(reached, end);
  }
  return { machine, people: Math.max(0, to - from - machine) };
}
