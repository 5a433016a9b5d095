import type { StepKind } from '../runbooks/schema/step';

/** What the engine, `check` and the reports need to know of a kind without running it. */
export interface StepKindDescriptor {
  /** Customers can notice it: it needs a window, and a `go` or a gate directly before. */
  disruptive: boolean;
  /** The effect writes an undo row first. */
  undo: 'action' | 'intake' | 'preload' | 'freeze' | 'switch' | null;
  /** People do it; the machine waits. */
  byPeople: boolean;
  /** Never skipped: `switch` rests on it. */
  required: boolean;
  /** Planned duration when neither the runbook nor a rehearsal gives one, milliseconds. */
  plannedMs: number;
  summary: string;
}

const MINUTE_MS = 60_000;

const machine = (summary: string, rest: Partial<StepKindDescriptor> = {}): StepKindDescriptor => ({
  disruptive: false,
  undo: null,
  byPeople: false,
  required: false,
  plannedMs: MINUTE_MS,
  summary,
  ...rest,
});

const people = (summary: string): StepKindDescriptor => machine(summary, { byPeople: true, plannedMs: 5 * MINUTE_MS });

export const STEP_KINDS: Record<StepKind, StepKindDescriptor> = {
  task: people('a person does it and says so'),
  checklist: people('people record each item'),
  window: machine('waits for the window to open', { plannedMs: 0 }),
  notify: machine('tells people'),
  action: machine('stops or starts something beside the systems', { disruptive: true, undo: 'action' }),
  preload: machine('bulk copy while the source is live', {
    undo: 'preload',
    required: true,
    plannedMs: 10 * MINUTE_MS,
  }),
  catchUp: machine('follows the source until the lag is small'),
  intake: machine('holds new work', { disruptive: true, undo: 'intake' }),
  drain: machine('brings open work to zero', { required: true, plannedMs: 5 * MINUTE_MS }),
  freeze: machine('the source refuses writes', { disruptive: true, undo: 'freeze', required: true }),
  convert: machine('the last delta', { required: true }),
  verify: machine('proves both sides equal', { required: true }),
  switch: machine('seals the source, opens the target', { disruptive: true, undo: 'switch', required: true }),
  release: machine('replays held work, opens the intake', { required: true }),
  hypercare: people('watched operation after go-live'),
};

/** Whether its time is the machine's, not people's or the calendar's. */
export const isMachineWork = (kind: StepKind): boolean => kind !== 'window' && !STEP_KINDS[kind].byPeople;
