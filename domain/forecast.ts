import type { Opening } from './window';

/** A step as the forecast sees it. `needs` are ids of steps of the same phase. */
export interface PlannedStep {
  id: string;
  needs: readonly string[];
  durationMs: number;
  disruptive: boolean;
  /** A `window` step: it starts when the window is open, like a disruptive one. */
  waitsForWindow: boolean;
}

export interface PlannedPhase {
  id: string;
  window: string | null;
  steps: readonly PlannedStep[];
  gate: { id: string; durationMs: number } | null;
}

export interface ScheduledStep {
  id: string;
  plannedStart: number;
  plannedEnd: number;
  critical: boolean;
}

export interface ScheduledPhase {
  id: string;
  plannedStart: number;
  plannedEnd: number;
  steps: ScheduledStep[];
  /** The gate, when the phase has one; always critical. */
  gate: ScheduledStep | null;
  /** Step ids and the gate's, in time order: lengthening any of them lengthens the phase. */
  criticalPath: string[];
}

/** Where a step or gate is placed, epoch ms. */
export interface Place {
  plannedStart: number;
  plannedEnd: number;
}

/** A gate is placed like a step without effect. */
export type ToPlace = Omit<PlannedStep, 'needs'>;
export type Placing = (step: ToPlace, earliestMs: number) => Place;

const atOnce: Placing = ({ durationMs }, earliestMs) => ({
  plannedStart: earliestMs,
  plannedEnd: earliestMs + durationMs,
});

/**
 * Places each step as early as its needs allow (forward pass of the critical path method, Kelley and Walker 1959);
 * `place` may move it, for instance into a window or to when it began. Epoch ms. Needs outside the phase are ignored; a cycle
 * throws RangeError (`check` refuses it before).
 */
export function schedulePhase(phase: PlannedPhase, startMs: number, place: Placing = atOnce): ScheduledPhase {
  const placed = new Map<string, ScheduledStep>();
  for (const step of inOrder(phase.steps)) {
    const earliest = Math.max(startMs, ...step.needs.map((need) => placed.get(need)?.plannedEnd ?? startMs));
    placed.set(step.id, { id: step.id, ...place(step, earliest), critical: false });
  }
  const endOfSteps = Math.max(startMs, ...[...placed.values()].map((step) => step.plannedEnd));
  const path = criticalPath(phase, placed);
  const onPath = new Set(path);
  const gate = phase.gate && {
    id: phase.gate.id,
    ...place({ ...phase.gate, disruptive: false, waitsForWindow: false }, endOfSteps),
    critical: true,
  };
  return {
    id: phase.id,
    plannedStart: startMs,
    plannedEnd: gate?.plannedEnd ?? endOfSteps,
    steps: phase.steps.flatMap((step) => {
      const scheduled = placed.get(step.id);
      return scheduled ? [{ ...scheduled, critical: onPath.has(step.id) }] : [];
    }),
    gate,
    criticalPath: gate ? [...path, gate.id] : path,
  };
}

/** From the step that ends last back through the need that held each one up. */
function criticalPath(phase: PlannedPhase, placed: ReadonlyMap<string, ScheduledStep>): string[] {
  const byId = new Map(phase.steps.map((step) => [step.id, step]));
  const latest = (ids: readonly string[]): string | undefined =>
    ids
      .filter((id) => placed.has(id))
      .sort((a, b) => (placed.get(b)?.plannedEnd ?? 0) - (placed.get(a)?.plannedEnd ?? 0))[0];
  const path: string[] = [];
  for (let id = latest([...placed.keys()]); id !== undefined; id = latest(byId.get(id)?.needs ?? [])) path.push(id);
  return path.reverse();
}

/** Round by round: all whose needs have been placed, as they stand in the phase (Kahn 1962). */
function inOrder(steps: readonly PlannedStep[]): PlannedStep[] {
  const at = new Map(steps.map((step, index) => [step.id, index]));
  const missing = steps.map((step) => step.needs.filter((need) => at.has(need)).length);
  const neededBy = steps.map((): number[] => []);
  steps.forEach((step, index) => step.needs.forEach((need) => neededBy[at.get(need) ?? -1]?.push(index)));
  const ordered: PlannedStep[] = [];
  let ready = steps.flatMap((_, index) => (missing[index] === 0 ? [index] : []));
  while (ready.length > 0) {
    ordered.push(...ready.flatMap((index) => steps[index] ?? []));
    const freed = ready.flatMap((index) => neededBy[index] ?? []).filter((index) => --missing[index]! === 0);
    ready = freed.sort((a, b) => a - b);
  }
  if (ordered.length === steps.length) return ordered;
  const stuck = steps.filter((_, index) => missing[index]! > 0);
  throw new RangeError(`steps need each other: ${stuck.map((step) => step.id).join(', ')}`);
}

/** Steps that have ended, and the time already spent in those that run (ms by step id). */
export interface Progress {
  done: ReadonlySet<string>;
  spentMs?: Readonly<Record<string, number>>;
}

/**
 * How long the disruptive work left in `phases` takes, milliseconds, people's gates between the phases included: until
 * the last disruptive step that is not done has ended; 0 when none is left.
 */
export function remainingDisruptiveMs(phases: readonly PlannedPhase[], progress: Progress): number {
  const left = (step: PlannedStep): boolean => step.disruptive && !progress.done.has(step.id);
  const lastIndex = phases.findLastIndex((phase) => phase.steps.some(left));
  let clock = 0;
  for (const phase of phases.slice(0, lastIndex + 1)) {
    const steps = phase.steps.map((step) => ({ ...step, durationMs: leftMs(step, progress) }));
    const scheduled = schedulePhase({ ...phase, steps }, clock);
    const isLast = phase === phases[lastIndex];
    const gateIsPast = phase.gate !== null && progress.done.has(phase.gate.id);
    const open = new Set(phase.steps.filter(left).map((step) => step.id));
    const ends = scheduled.steps.filter((step) => !isLast || open.has(step.id));
    clock = Math.max(clock, ...ends.map((step) => step.plannedEnd));
    if (!isLast && phase.gate && !gateIsPast) clock += phase.gate.durationMs;
  }
  return clock;
}

function leftMs(step: PlannedStep, progress: Progress): number {
  if (progress.done.has(step.id)) return 0;
  return Math.max(0, step.durationMs - (progress.spentMs?.[step.id] ?? 0));
}

/** The phases from the one at `index` on that share its opening: a phase with another window, or without one, ends them. */
export function sameWindow(phases: readonly PlannedPhase[], index: number): readonly PlannedPhase[] {
  const end = phases.findIndex((next, at) => at > index && next.window !== phases[index]?.window);
  return phases.slice(index, end < 0 ? undefined : end);
}

/** What an opening must still hold before a disruptive step may start: finish the disruptive work, then back out (HOURS). */
export function neededMs(phases: readonly PlannedPhase[], progress: Progress, rollbackMs: number): number {
  const none = phases.every((phase) => phase.steps.every((step) => !step.disruptive || progress.done.has(step.id)));
  return none ? 0 : remainingDisruptiveMs(phases, progress) + rollbackMs;
}

/** The last moment at which rolling back still ends inside the opening; epoch ms. */
export function backOutBy(opening: Opening, rollbackMs: number): number {
  return opening.closesAt - rollbackMs;
}

/** From the start of the freeze to the end of the switch; null when either is not scheduled. */
export function frozenMs(freeze: ScheduledStep | undefined, switchStep: ScheduledStep | undefined): number | null {
  return freeze && switchStep ? switchStep.plannedEnd - freeze.plannedStart : null;
}
