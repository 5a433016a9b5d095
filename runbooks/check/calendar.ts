import { Temporal } from 'temporal-polyfill/implementation';
import { isHolidayCountry, isTimeZone } from '../calendar';
import { windowsInRange } from '../windows';
import { report, type CheckContext, type Rule } from './context';

const DAY_MS = 86_400_000;
/** Doubtful openings are looked for this far ahead: both changes of the clock are in it. */
const HORIZON_DAYS = 400;

function isDate(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() === text;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Time zone, holidays and blackouts that mean something; true when the windows can be resolved. */
function calendarIsReadable(context: CheckContext): boolean {
  const { runbook } = context;
  const before = context.findings.length;
  if (!isTimeZone(runbook.timeZone)) {
    report(context, 'runbook', ['timeZone'], {
      code: 'unknown-time-zone',
      message: `\`${runbook.timeZone}\` is not a time zone`,
      remedy: 'write an IANA name such as Europe/Amsterdam',
    });
  }
  for (const [id, window] of Object.entries(runbook.windows)) {
    if (window.holidays && !isHolidayCountry(window.holidays)) {
      report(context, 'runbook', ['windows', id, 'holidays'], {
        code: 'unknown-country',
        message: `no public holidays are known for \`${window.holidays}\``,
        remedy: 'write a country such as NL, or a region such as DE-BY',
      });
    }
    window.blackouts?.forEach((blackout, index) => {
      const [first = '', last = ''] = blackout.split('/');
      const path = ['windows', id, 'blackouts', index];
      if (!isDate(first) || !isDate(last)) {
        report(context, 'runbook', path, {
          code: 'bad-date',
          message: 'a date that does not exist',
          remedy: 'write two dates such as 2026-12-24/2027-01-02',
        });
      } else if (first > last) {
        report(context, 'runbook', path, {
          code: 'blackout-reversed',
          message: 'the blackout ends before it begins',
          remedy: `write ${last}/${first}`,
        });
      }
    });
  }
  return context.findings.length === before;
}

/** Windows that can be resolved to instants without guessing, and that open at all. */
export const calendar: Rule = (context) => {
  if (!calendarIsReadable(context)) return;
  const { runbook, plan, nowMs } = context;
  const range = { fromMs: nowMs, untilMs: nowMs + HORIZON_DAYS * DAY_MS };
  const { windows, problems } = windowsInRange(runbook, plan, range);
  for (const { window, edge, local } of problems) {
    const date = local.slice(0, 10);
    const blackouts = runbook.windows[window]?.blackouts ?? [];
    if (blackouts.some((blackout) => blackout.slice(0, 10) <= date && date <= blackout.slice(11))) continue;
    report(context, 'runbook', ['windows', window, edge === 'opens' ? 'opens' : 'lasts'], {
      code: 'daylight-saving',
      message: `the window ${edge} at ${local}, which does not exist or exists twice: the clocks change`,
      remedy: `write another time or duration, or add the blackout ${date}/${date}`,
    });
  }
  for (const [id, openings] of Object.entries(windows)) {
    if (openings.length > 0 || problems.some((problem) => problem.window === id)) continue;
    const exact = plan?.windows?.[id] !== undefined;
    report(context, exact ? 'plan' : 'runbook', ['windows', id], {
      code: 'window-never-opens',
      message: exact
        ? `every opening of \`${id}\` has passed or is blacked out`
        : `\`${id}\` never opens: holidays or blackouts cover it`,
      remedy: exact ? 'write openings in the future' : 'change the pattern or the blackouts',
      severity: exact ? 'warning' : 'error',
      atKey: true,
    });
  }
};
