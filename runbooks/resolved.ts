import type { Opening } from '../domain/window';
import type { Conversion } from './schema/conversion';
import type { Plan } from './schema/plan';
import type { Runbook } from './schema/runbook';

/** The documents of a run, as every activity and the engine read them. Waves are numbered from 1 in plan order. */
export interface ResolvedRun {
  runbookHash: string;
  planHash: string;
  runbook: Runbook;
  conversion: Conversion;
  plan: Plan;
  /** Per window id, ascending, not overlapping. */
  windows: Record<string, Opening[]>;
}
