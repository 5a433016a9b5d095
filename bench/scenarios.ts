import type { Line } from './measure';
import type { Place } from './place';
import { capture } from './capture';
import { moving } from './moving';
import { many, memories, runs } from './runs';

export interface Setting {
  place: Place;
  /** The larger of the two sizes; the smaller is a tenth of it. */
  customers: number;
  rounds: number;
  say(line: string): void;
}

export type Scenario = (setting: Setting) => Promise<Line[]>;

export const SCENARIOS: Record<string, { about: string; run: Scenario }> = {
  moving: {
    about: 'conversion, live verification, machine downtime and rollback, each beside its bare counterpart',
    run: moving,
  },
  capture: {
    about: 'what the log and the guards cost the source’s own writers, with durable commits',
    run: capture,
  },
  runs: { about: 'votes, automated steps and a long runbook on a Temporal server of the local stack', run: runs },
  many: { about: 'many cutovers at once on one worker', run: many },
  memory: { about: 'a worker’s peak memory at both sizes', run: memories },
};
