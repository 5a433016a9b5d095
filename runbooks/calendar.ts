import Holidays from 'date-holidays';
import { Temporal } from 'temporal-polyfill/implementation';
import type { Opening } from '../domain/window';
import { durationMs } from './schema/common';
import type { Runbook } from './schema/runbook';

export type WindowPattern = Runbook['windows'][string];

/** An opening that was left out because its local time does not exist, or exists twice. */
export interface WindowProblem {
  window: string;
  edge: 'opens' | 'closes';
  /** Local wall-clock time, `2027-03-28T02:30`. */
  local: string;
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

export function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** `+01:00`: how far the zone's clocks are from UTC at an instant (epoch ms); null for an unknown zone. */
export function offsetAt(ms: number, timeZone: string): string | null {
  return isTimeZone(timeZone) ? Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).offset : null;
}

export function isHolidayCountry(code: string): boolean {
  const [country = '', state] = code.split('-');
  const holidays = new Holidays();
  if (!(country in holidays.getCountries('en'))) return false;
  return state === undefined || state in (holidays.getStates(country, 'en') ?? {});
}

/** Local dates from `fromMs` to `untilMs`, one day of margin on both sides. */
export function datesBetween(fromMs: number, untilMs: number, timeZone: string): Temporal.PlainDate[] {
  const first = localDate(fromMs, timeZone).subtract({ days: 8 });
  const last = localDate(untilMs, timeZone).add({ days: 1 });
  const dates: Temporal.PlainDate[] = [];
  for (let date = first; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) dates.push(date);
  return dates;
}

function localDate(ms: number, timeZone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).toPlainDate();
}

/**
 * The openings of a pattern on the given local dates. An opening lasts exactly `lasts`. One whose opening or closing
 * falls into a daylight-saving gap or overlap is left out and reported: staying closed is the safe reading.
 */
export function patternOpenings(
  id: string,
  pattern: WindowPattern,
  dates: readonly Temporal.PlainDate[],
  timeZone: string,
): { openings: Opening[]; problems: WindowProblem[] } {
  const [time = '', days] = pattern.opens.split(' ').reverse();
  const weekdays = days ? days.split(',').map((day) => DAYS.indexOf(day) + 1) : [1, 2, 3, 4, 5, 6, 7];
  const lastsMs = durationMs(pattern.lasts);
  const openings: Opening[] = [];
  const problems: WindowProblem[] = [];
  for (const date of dates.filter((candidate) => weekdays.includes(candidate.dayOfWeek))) {
    const local = date.toPlainDateTime(Temporal.PlainTime.from(time));
    const opensAt = exactInstant(local, timeZone);
    if (opensAt === null) {
      problems.push({ window: id, edge: 'opens', local: local.toString({ smallestUnit: 'minute' }) });
      continue;
    }
    const closesAt = opensAt + lastsMs;
    const doubtful = doubtfulClosing(local.add({ milliseconds: lastsMs }), closesAt, timeZone);
    if (doubtful) problems.push({ window: id, edge: 'closes', local: doubtful.toString({ smallestUnit: 'minute' }) });
    else openings.push({ opensAt, closesAt });
  }
  return { openings, problems };
}

/** The wall-clock closing a reader computes, or the real one, when either does not exist or exists twice. */
function doubtfulClosing(
  wallClock: Temporal.PlainDateTime,
  closesAt: number,
  timeZone: string,
): Temporal.PlainDateTime | null {
  const real = Temporal.Instant.fromEpochMilliseconds(closesAt).toZonedDateTimeISO(timeZone).toPlainDateTime();
  return [wallClock, real].find((local) => exactInstant(local, timeZone) === null) ?? null;
}

/** Epoch ms, or null when the local time is in a gap or an overlap. */
function exactInstant(local: Temporal.PlainDateTime, timeZone: string): number | null {
  try {
    return local.toZonedDateTime(timeZone, { disambiguation: 'reject' }).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Public holidays of a country or region (`NL`, `DE-BY`) as whole local days. */
export function holidaySpans(code: string, dates: readonly Temporal.PlainDate[], timeZone: string): Opening[] {
  const [country = '', state] = code.split('-');
  const holidays = state === undefined ? new Holidays(country) : new Holidays(country, state);
  const years = new Set(dates.map((date) => date.year));
  return [...years].flatMap((year) =>
    (holidays.getHolidays(year, 'en') ?? [])
      .filter((holiday) => holiday.type === 'public')
      .map((holiday) => {
        const first = Temporal.PlainDate.from(holiday.date.slice(0, 10));
        const days = Math.max(1, Math.round((holiday.end.getTime() - holiday.start.getTime()) / 86_400_000));
        return daySpan(first, first.add({ days: days - 1 }), timeZone);
      }),
  );
}

/** `2026-12-24/2027-01-02`: both days included, in local time. Throws RangeError on a date that does not exist. */
export function blackoutSpan(blackout: string, timeZone: string): Opening {
  const [first = '', last = ''] = blackout.split('/');
  return daySpan(Temporal.PlainDate.from(first), Temporal.PlainDate.from(last), timeZone);
}

function daySpan(first: Temporal.PlainDate, last: Temporal.PlainDate, timeZone: string): Opening {
  const startOf = (date: Temporal.PlainDate): number => date.toZonedDateTime(timeZone).epochMilliseconds;
  return { opensAt: startOf(first), closesAt: startOf(last.add({ days: 1 })) };
}

/** An instant with offset, as plans write it, in epoch ms. */
export function instantMs(text: string): number {
  return Temporal.Instant.from(text).epochMilliseconds;
}
