import {
  backOutBy,
  frozenMs,
  neededMs,
  sameWindow,
  schedulePhase,
  type Place,
  type PlannedPhase,
  type Placing,
  type ToPlace,
  type ScheduledPhase,
  type ScheduledStep,
} from '../../domain/forecast';
import { nextFitting, openingAt, type Opening } from '../../domain/window';
import type { ResolvedRun } from '../resolved';
import type { Phase } from '../schema/step';
import { plannedPhases, rollbackDurationMs, stepId, type Measured } from './phases';

export type Part = 'before' | 'perWave' | 'after';

export interface TimelineStep extends ScheduledStep {
  /** Null outside `perWave`. */
  wave: number | null;
  phase: string;
  kind: string;
  title: string;
  /** Role. */
  owner: string;
}

export interface TimelinePhase {
  id: string;
  part: Part;
  wave: number | null;
  plannedStart: number;
  plannedEnd: number;
}

export interface TimelineWave {
  wave: number;
  name: string;
  /** Null without a freeze. */
  freezesAt: number | null;
  /** Start of the freeze to end of the switch; null without both. */
  expectedFrozenMs: number | null;
  opening: Opening | null;
  /** Null when the freeze has no window. */
  backOutBy: number | null;
}

/** The planned run. All times epoch ms. */
export interface Timeline {
  plannedStart: number;
  plannedEnd: number;
  phases: TimelinePhase[];
  steps: TimelineStep[];
  /** `wave/step` (or `step`) in time order. */
  criticalPath: string[];
  waves: TimelineWave[];
  /** The longest of all waves; null when no wave freezes and switches. */
  expectedFrozenMs: number | null;
  /** The earliest of all waves. */
  backOutBy: number | null;
  rollbackMs: number;
  /** Steps for which no opening with enough time was found: shown at their earliest time. */
  unplaced: string[];
}

/** What has become of a step or gate, epoch ms. `over` without times: it was skipped before it began. */
export interface StepSoFar {
  over: boolean;
  startedAt: number | null;
  endedAt: number | null;
}

/** A run that goes on: what it measured, and what has become of its steps by `nowMs`. */
export interface SoFar {
  nowMs: number;
  measured: Measured;
  /** Undefined for a step or gate not begun; `wave` is null outside the waves. */
  step: (wave: number | null, id: string) => StepSoFar | undefined;
}

/**
 * Plans the whole run from `startMs`: `before`, each wave in turn, `after`. Disruptive steps wait for an opening with time to
 * back out. With `soFar` it is the forecast of a run that goes on: what is over stands where it was, nothing else begins
 * or ends before now.
 */
export function planTimeline(resolved: ResolvedRun, startMs: number, soFar?: Partial<SoFar>): Timeline {
  const { runbook, plan, windows } = resolved;
  const { nowMs = startMs, measured = {}, step = () => undefined } = soFar ?? {};
  const rollbackMs = rollbackDurationMs(runbook, plan, measured);
  const draft = new Draft(windows, rollbackMs, startMs, { nowMs, step });
  draft.add('before', null, runbook.before, plannedPhases(runbook.before, plan, measured));
  const perWave = plannedPhases(runbook.perWave, plan, measured);
  const waves = plan.waves.map((wave, index) => {
    const number = index + 1;
    const scheduled = draft.add('perWave', number, runbook.perWave, perWave);
    return waveTimeline(number, wave.id, runbook.perWave, scheduled, windows, rollbackMs);
  });
  draft.add('after', null, runbook.after, plannedPhases(runbook.after, plan, measured));
  const frozen = waves.flatMap((wave) => wave.expectedFrozenMs ?? []);
  const backOut = waves.flatMap((wave) => wave.backOutBy ?? []);
  return {
    plannedStart: startMs,
    plannedEnd: draft.clock,
    phases: draft.phases,
    steps: draft.steps,
    criticalPath: draft.criticalPath,
    waves,
    expectedFrozenMs: frozen.length > 0 ? Math.max(...frozen) : null,
    backOutBy: backOut.length > 0 ? Math.min(...backOut) : null,
    rollbackMs,
    unplaced: draft.unplaced,
  };
}

class Draft {
  readonly phases: TimelinePhase[] = [];
  readonly steps: TimelineStep[] = [];
  readonly criticalPath: string[] = [];
  readonly unplaced: string[] = [];

  constructor(
    private readonly windows: Record<string, Opening[]>,
    private readonly rollbackMs: number,
    public clock: number,
    private readonly soFar: Omit<SoFar, 'measured'>,
  ) {}

  add(part: Part, wave: number | null, phases: readonly Phase[], planned: readonly PlannedPhase[]): ScheduledPhase[] {
    const done = new Set<string>();
    return planned.map((phase, index) => {
      const together = sameWindow(planned, index);
      const place: Placing = (step, earliestMs) =>
        this.placeBegun(wave, step, earliestMs, done) ??
        this.placeInWindow(qualify(wave, step.id), step, Math.max(earliestMs, this.soFar.nowMs), together, done);
      const scheduled = schedulePhase(phase, this.clock, place);
      this.clock = scheduled.plannedEnd;
      this.phases.push({
        id: phase.id,
        part,
        wave,
        plannedStart: scheduled.plannedStart,
        plannedEnd: scheduled.plannedEnd,
      });
      this.record(wave, phases[index] as Phase, scheduled);
      return scheduled;
    });
  }

  /** Where it was or is; null when it has not begun. */
  private placeBegun(
    wave: number | null,
    { id, durationMs }: ToPlace,
    earliestMs: number,
    done: Set<string>,
  ): Place | null {
    const known = this.soFar.step(wave, id);
    if (!known) return null;
    done.add(id);
    const plannedStart = known.startedAt ?? earliestMs;
    const end = known.over ? (known.endedAt ?? plannedStart) : Math.max(this.soFar.nowMs, plannedStart + durationMs);
    return { plannedStart, plannedEnd: end };
  }

  private placeInWindow(
    name: string,
    step: ToPlace,
    earliestMs: number,
    phases: readonly PlannedPhase[],
    done: Set<string>,
  ): Place {
    const at = (plannedStart: number): Place => ({ plannedStart, plannedEnd: plannedStart + step.durationMs });
    const window = phases[0]?.window;
    const openings = window ? this.windows[window] : undefined;
    const needed = neededMs(phases, { done: new Set(done) }, this.rollbackMs);
    done.add(step.id);
    if (!openings || !(step.disruptive || step.waitsForWindow)) return at(earliestMs);
    const opening = nextFitting(openings, earliestMs, needed);
    if (opening) return at(Math.max(earliestMs, opening.opensAt));
    this.unplaced.push(name);
    return at(earliestMs);
  }

  private record(wave: number | null, phase: Phase, scheduled: ScheduledPhase): void {
    for (const step of phase.steps) {
      const id = stepId(step);
      const times = scheduled.steps.find((each) => each.id === id);
      if (!times) continue;
      this.steps.push({
        ...times,
        wave,
        phase: phase.phase,
        kind: step.kind,
        title: step.title ?? id,
        owner: step.owner ?? phase.owner,
      });
    }
    if (scheduled.gate) {
      this.steps.push({
        ...scheduled.gate,
        wave,
        phase: phase.phase,
        kind: 'gate',
        title: `Gate ${scheduled.gate.id}`,
        owner: phase.owner,
      });
    }
    this.criticalPath.push(...scheduled.criticalPath.map((id) => qualify(wave, id)));
  }
}

function qualify(wave: number | null, id: string): string {
  return wave === null ? id : `wave-${wave}/${id}`;
}

function waveTimeline(
  wave: number,
  name: string,
  phases: readonly Phase[],
  scheduled: readonly ScheduledPhase[],
  windows: Record<string, Opening[]>,
  rollbackMs: number,
): TimelineWave {
  const find = (kind: string): { step: ScheduledStep; window: string | undefined } | undefined => {
    const phase = phases.find((each) => each.steps.some((step) => step.kind === kind));
    const id = phase?.steps.find((step) => step.kind === kind);
    const step = scheduled.flatMap((each) => each.steps).find((each) => id && each.id === stepId(id));
    return step && { step, window: phase?.window };
  };
  const freeze = find('freeze');
  const openings = freeze?.window ? windows[freeze.window] : undefined;
  const opening = freeze && openings ? openingAt(openings, freeze.step.plannedStart) : null;
  return {
    wave,
    name,
    freezesAt: freeze?.step.plannedStart ?? null,
    expectedFrozenMs: frozenMs(freeze?.step, find('switch')?.step),
    opening,
    backOutBy: opening && backOutBy(opening, rollbackMs),
  };
}
