import type { IsoTime } from './report-json';

const LOCALE = 'en-GB';

export function count(value: number): string {
  return value.toLocaleString(LOCALE);
}

/** `1 h 5 min`, `12 min`, `8.4 s`; two units at most. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const whole = Math.round(seconds);
  const first = units.findIndex(([size]) => whole >= size);
  const [size = 1, name = 's'] = units[first] ?? [];
  const [nextSize = 1, nextName = ''] = units[first + 1] ?? [];
  const rest = Math.floor((whole % size) / nextSize);
  return rest > 0 && nextName
    ? `${Math.floor(whole / size)} ${name} ${rest} ${nextName}`
    : `${Math.floor(whole / size)} ${name}`;
}

/** Formats instants in one time zone: `Sat 28 Nov 2026, 22:00:05`. */
export function clock(timeZone: string): (time: IsoTime) => string {
  const format = new Intl.DateTimeFormat(LOCALE, {
    ...{ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone },
  });
  return (time) => (time === null ? '–' : format.format(new Date(time)));
}
