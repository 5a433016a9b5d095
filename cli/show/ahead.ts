import type { Forecast, HeldIntake } from '../forecast';
import { clock, span } from './format';

/** The forecast in words: when the whole ends, when each wave freezes, for how long, and until when going back fits. */
export function aheadLines(forecast: Forecast | null, nowMs: number): string[] {
  if (!forecast) return [];
  const waves = forecast.waves.flatMap(({ wave, name, frozenAt, freezesAt, expectedFrozenMs, backOutBy }) => {
    if (freezesAt === null || expectedFrozenMs === null) return [];
    const since = frozenAt === null ? `freezes ${clock(freezesAt, nowMs)}` : `frozen since ${clock(frozenAt, nowMs)}`;
    // Of a frozen wave the run itself says until when.
    const back = frozenAt !== null || backOutBy === null ? '' : `; back out by ${clock(backOutBy, nowMs)}`;
    return [`wave ${wave} (${name}): ${since}, for ${span(expectedFrozenMs)} in all${back}`];
  });
  const unplaced = forecast.unplaced.map(
    (step) => `no opening has time enough left for ${step}: reschedule its window`,
  );
  const held = forecast.held.map((intake) => `wave ${intake.wave}: ${heldText(intake, nowMs)}`);
  return [`expected to end at ${clock(forecast.endsAt, nowMs)}`, ...waves, ...held, ...unplaced];
}

/** How long new work has waited, against what was agreed. */
export function heldText({ since, until }: HeldIntake, nowMs: number): string {
  const said = `new work is held since ${clock(since, nowMs)}`;
  const agreed = span(until - since);
  return until > nowMs
    ? `${said}: ${span(nowMs - since)} of the ${agreed} agreed (heldAtMost)`
    : `${said}, longer than the ${agreed} agreed (heldAtMost): go on, or roll back`;
}
