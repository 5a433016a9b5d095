import { offsetAt } from '../calendar';
import { durationMs } from '../schema/common';
import type { Path } from '../yaml/source';
import { report, type CheckContext, type Doc, type Rule } from './context';

/** A plan's own openings: each written in the runbook's time, or in UTC, and none inside another. */
export const openings: Rule = (context) => {
  const { plan, runbook } = context;
  for (const [id, list] of Object.entries(plan?.windows ?? {})) {
    const spans = list.map(({ opensAt, lasts }, index) => {
      const fromMs = Date.parse(opensAt);
      return { index, fromMs, untilMs: fromMs + durationMs(lasts) };
    });
    list.forEach(({ opensAt }, index) => offset(context, ['windows', id, index, 'opensAt'], opensAt));
    for (const { index, fromMs } of spans) {
      const other = spans.find((each) => each.index < index && each.fromMs <= fromMs && fromMs < each.untilMs);
      if (!other) continue;
      report(context, 'plan', ['windows', id, index], {
        code: 'openings-overlap',
        message: `\`${id}\` is open already: opening ${other.index + 1} has not closed yet`,
        remedy: 'write one longer opening, or a later one',
      });
    }
  }
  function offset(at: CheckContext, path: Path, opensAt: string): void {
    const written = /[+-]\d\d:\d\d$/.exec(opensAt)?.[0];
    const meant = offsetAt(Date.parse(opensAt), runbook.timeZone);
    if (written === undefined || meant === null || written === meant) return;
    report(at, 'plan', path, {
      code: 'offset-of-another-zone',
      message: `${runbook.timeZone} is at ${meant} then, not ${written}: the window would open at another hour`,
      remedy: `write ${opensAt.slice(0, -6)}${meant}, or the instant in UTC with Z`,
    });
  }
};

/** Durations of nothing where something must happen within them. */
export const noTime: Rule = (context) => {
  const { limits, windows } = context.runbook;
  const demand = (doc: Doc, path: Path, lasts: string | undefined, what: string): void => {
    if (lasts === undefined || durationMs(lasts) > 0) return;
    report(context, doc, path, {
      code: 'no-time',
      message: `${what} of no time`,
      remedy: 'write how long it lasts, such as PT30M',
    });
  };
  for (const [key, what] of [
    ['frozenAtMost', 'a freeze'],
    ['heldAtMost', 'a hold'],
    ['lease', 'a lease'],
  ] as const)
    demand('runbook', ['limits', key], limits[key], what);
  for (const [id, { lasts }] of Object.entries(windows))
    demand('runbook', ['windows', id, 'lasts'], lasts, 'an opening');
  for (const { gate, path } of context.gates) demand('runbook', [...path, 'deadline'], gate.deadline, 'a gate');
  for (const [id, list] of Object.entries(context.plan?.windows ?? {}))
    list.forEach(({ lasts }, index) => demand('plan', ['windows', id, index, 'lasts'], lasts, 'an opening'));
};
