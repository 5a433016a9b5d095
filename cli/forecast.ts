import type { Pool } from 'pg';
import { workBegan } from '../engine/state';
import { planTimeline, type StepSoFar, type TimelineWave } from '../runbooks/plan-timeline/plan-timeline';
import type { ResolvedRun } from '../runbooks/resolved';
import { durationMs } from '../runbooks/schema/common';
import { finishedSince } from '../systems/control/chunks';
import { CliError } from './exit';
import { machineDurations } from './machine-durations';
import type { RunShown, StatusShown } from './run-status';
import { storedRun } from './stored-run';

/** How the rest of a run is expected to go, by what it has measured so far. Epoch ms. */
export interface Forecast {
  endsAt: number;
  /** Those that have not switched yet; `frozenAt`: since when its customers are, null when they are not. */
  waves: (TimelineWave & { frozenAt: number | null })[];
  /** `wave-N/step` for which no opening has time enough any more. */
  unplaced: string[];
  /** Waves whose new work is held now; `until`: as long as the runbook's `heldAtMost` lets it be. */
  held: HeldIntake[];
}

export interface HeldIntake {
  wave: number;
  /** The step that holds it. */
  step: string;
  since: number;
  until: number;
}

/** As `status` and `watch` show it; null when it has ended, goes back, or its documents cannot be read here. */
export interface StatusAhead extends StatusShown {
  forecast: Forecast | null;
}

/**
 * The plan of the run moved by what has become of it: late starts, durations that earlier waves measured, and `expectedMs`, those of
 * steps that run, by step id. Times of people stay as planned.
 */
export function forecastOf(
  resolved: ResolvedRun,
  runs: readonly RunShown[],
  nowMs: number,
  expectedMs: Readonly<Record<string, number>> = {},
): Forecast {
  const main = runs.find((run) => run.wave === null);
  const known = new Map(runs.flatMap((run) => soFar(run)));
  const measured = machineDurations(runs).map(({ id, measuredMs }) => [id, measuredMs] as const);
  const windows = Object.assign({}, resolved.windows, ...runs.map((run) => run.rescheduled)) as ResolvedRun['windows'];
  const timeline = planTimeline({ ...resolved, windows }, main?.startedAt ?? nowMs, {
    nowMs,
    measured: { ...Object.fromEntries(measured), ...expectedMs },
    step: (wave, id) => known.get(keyOf(wave, id)),
  });
  const switched = new Set(runs.flatMap((run) => (run.downtimeMs ? [run.wave] : [])));
  return {
    endsAt: timeline.plannedEnd,
    waves: timeline.waves
      .filter(({ wave }) => !switched.has(wave))
      .map((wave) => ({ ...wave, frozenAt: runs.find((run) => run.wave === wave.wave)?.frozen?.at ?? null })),
    unplaced: timeline.unplaced,
    held: runs.flatMap((run) => heldIntake(run, durationMs(resolved.runbook.limits.heldAtMost))),
  };
}

/** From the first attempt on: the hold is set before anything is waited for, and a failed attempt leaves it. */
function heldIntake({ wave, steps }: RunShown, atMostMs: number): HeldIntake[] {
  const intake = steps.find(({ kind }) => kind === 'intake');
  const since = intake?.status.startsWith('waiting-') ? null : (intake?.startedAt ?? null);
  const released = steps.some(({ kind, status }) => kind === 'release' && status === 'done');
  if (wave === null || !intake || since === null || released) return [];
  return [{ wave, step: intake.id, since, until: since + atMostMs }];
}

const keyOf = (wave: number | null, id: string): string => `${wave ?? ''}/${id}`;

function soFar({ wave, steps, gates }: RunShown): [string, StepSoFar][] {
  const begun = steps.filter(
    ({ status }) => status !== 'pending' && status !== 'waiting-go' && status !== 'waiting-window',
  );
  const opened = gates.filter(({ openedAt }) => openedAt !== null);
  return [
    ...begun.map(({ id, status, startedAt, endedAt }): [string, StepSoFar] => [
      keyOf(wave, id),
      { over: status === 'done' || status === 'skipped', startedAt, endedAt },
    ]),
    ...opened.map(({ id, status, openedAt, decidedAt }): [string, StepSoFar] => [
      keyOf(wave, id),
      { over: status === 'passed', startedAt: openedAt, endedAt: decidedAt },
    ]),
  ];
}

/** The status with its forecast. Documents that are missing or cannot be read here cost the forecast only. */
export async function withForecast(status: StatusShown, control: Pool | null, nowMs: number): Promise<StatusAhead> {
  const { cutover, outcome, source, startedAt, runs } = status;
  const goesOn = outcome === null && source !== 'dead' && runs.length > 0 && runs.every((run) => run.rollback === null);
  if (!control || !goesOn || startedAt === null) return { ...status, forecast: null };
  const stored = await storedRun(control, cutover, startedAt).catch((error: unknown) => {
    if (error instanceof CliError) return null;
    throw error;
  });
  const expectedMs = stored ? await expectedCopies(control, cutover, runs, nowMs) : {};
  return { ...status, forecast: stored && forecastOf(stored.resolved, runs, nowMs, expectedMs) };
}

/** How long each copy that runs will have taken at the rate of its chunks so far, ms by step id; of several waves the longest. */
async function expectedCopies(
  control: Pool,
  cutover: string,
  runs: readonly RunShown[],
  nowMs: number,
): Promise<Record<string, number>> {
  const expectedMs: Record<string, number> = {};
  for (const { wave, steps } of runs)
    for (const step of steps) {
      const began = workBegan(step);
      if (step.kind !== 'preload' || step.status !== 'running' || wave === null || began === null) continue;
      const { finished, left } = await finishedSince(control, { cutover, wave }, began);
      const spentMs = nowMs - began;
      if (finished > 0 && spentMs > 0)
        expectedMs[step.id] = Math.max(expectedMs[step.id] ?? 0, spentMs + (spentMs / finished) * left);
    }
  return expectedMs;
}
