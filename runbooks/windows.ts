import { cutOut, mergeOpenings, type Opening } from '../domain/window';
import { blackoutSpan, datesBetween, holidaySpans, instantMs, patternOpenings, type WindowProblem } from './calendar';
import type { ResolvedRun } from './resolved';
import { durationMs } from './schema/common';
import type { Conversion } from './schema/conversion';
import type { Plan } from './schema/plan';
import type { Runbook } from './schema/runbook';

/** Epoch ms; openings that end before `fromMs` or start at or after `untilMs` are left out. */
export interface Range {
  fromMs: number;
  untilMs: number;
}

const DAY_MS = 86_400_000;
/** A run looks this far ahead; a plan's own openings are kept however far away they are. */
const HORIZON_DAYS = 180;

export interface WindowsInRange {
  windows: Record<string, Opening[]>;
  problems: WindowProblem[];
}

/**
 * Every window of the runbook as UTC openings, ascending and not overlapping. The plan's openings replace the pattern
 * and are cut by blackouts only; a pattern is cut by public holidays and blackouts (whole local days).
 * Openings with a doubtful local time are left out and listed in `problems`. Throws RangeError on an unknown time zone.
 */
export function windowsInRange(runbook: Runbook, plan: Plan | null, range: Range): WindowsInRange {
  const problems: WindowProblem[] = [];
  const windows: Record<string, Opening[]> = {};
  const dates = datesBetween(range.fromMs, range.untilMs, runbook.timeZone);
  for (const [id, pattern] of Object.entries(runbook.windows)) {
    const closed = (pattern.blackouts ?? []).map((blackout) => blackoutSpan(blackout, runbook.timeZone));
    const exact = plan?.windows?.[id];
    if (exact) {
      windows[id] = cutOut(exact.map(planOpening), closed).filter((opening) => opening.closesAt > range.fromMs);
      continue;
    }
    const found = patternOpenings(id, pattern, dates, runbook.timeZone);
    problems.push(...found.problems);
    if (pattern.holidays) closed.push(...holidaySpans(pattern.holidays, dates, runbook.timeZone));
    const open = cutOut(mergeOpenings(found.openings), closed);
    windows[id] = open.filter((opening) => opening.closesAt > range.fromMs && opening.opensAt < range.untilMs);
  }
  return { windows, problems };
}

/** As `windowsInRange`, without the problems: for a run, a doubtful opening stays closed. */
function resolveWindows(runbook: Runbook, plan: Plan | null, range: Range): Record<string, Opening[]> {
  return windowsInRange(runbook, plan, range).windows;
}

function planOpening(opening: { opensAt: string; lasts: string }): Opening {
  const opensAt = instantMs(opening.opensAt);
  return { opensAt, closesAt: opensAt + durationMs(opening.lasts) };
}

/** The documents of a run with their windows as instants, from a day before `nowMs` on. */
export function resolveRun(
  docs: { runbook: Runbook; conversion: Conversion; plan: Plan },
  hashes: { runbookHash: string; planHash: string },
  nowMs: number,
): ResolvedRun {
  const { runbook, conversion, plan } = docs;
  const range = { fromMs: nowMs - DAY_MS, untilMs: nowMs + HORIZON_DAYS * DAY_MS };
  return { ...hashes, runbook, conversion, plan, windows: resolveWindows(runbook, plan, range) };
}
