import type { Document } from 'yaml';
import { isMachineWork } from '../domain/step-kinds';
import { workBegan } from '../engine/state';
import type { RunShown } from './run-status';

export interface MachineDuration {
  id: string;
  /** The wave that took longest; null for a step of the whole cutover. */
  wave: number | null;
  plannedMs: number;
  measuredMs: number;
}

/**
 * How long each machine step took in the attempt that ended it, in the order of the runs; of several waves the longest, since
 * the next plan must hold for the worst of them. People's steps and windows are left out: their time is the calendar's, not
 * the machine's.
 */
export function machineDurations(runs: readonly Pick<RunShown, 'wave' | 'steps'>[]): MachineDuration[] {
  const longest = new Map<string, MachineDuration>();
  for (const { wave, steps } of runs)
    for (const step of steps) {
      const { id, kind, status, endedAt, plannedMs } = step;
      if (!isMachineWork(kind) || status !== 'done') continue;
      const began = workBegan(step);
      if (began === null || endedAt === null) continue;
      const measuredMs = endedAt - began;
      if (measuredMs >= (longest.get(id)?.measuredMs ?? 0)) longest.set(id, { id, wave, plannedMs, measuredMs });
    }
  return [...longest.values()];
}

/** The text of the plan with these durations in it, as `PT12.345S`. */
export function withDurations(plan: Document, measured: readonly MachineDuration[]): string {
  for (const { id, measuredMs } of measured) plan.setIn(['durations', id], `PT${measuredMs / 1000}S`);
  return plan.toString({ lineWidth: 120 });
}
