import { count } from './format';
import type { ReportInput, ReportPopulation } from './input';
import type { JsonMeasure } from './report-json';

/** CONSERVE: baseline + won = moved + excluded + departed + remaining. */
export function censusAdds(census: ReportPopulation): boolean {
  return census.baseline + census.won === census.moved + census.excluded + census.departed + census.remaining;
}

/** What keeps the run from being a success, most serious first; empty when every promise that a report can see held. */
export function problemsOf(input: ReportInput, success: readonly JsonMeasure[]): string[] {
  const { census, requests, ledger } = input;
  const mismatches = sum(input.verification, (each) => each.mismatches);
  const rows = sum(input.verification, (each) => each.rows);
  const unequal = input.verification.flatMap((each) =>
    each.totals.filter((total) => !total.equal).map((total) => total.id),
  );
  const live = input.outcome === 'live';
  const red = success.filter((measure) => measure.verdict === 'fail' || (live && measure.verdict === 'unread'));
  return [
    input.outcome === null ? 'the run has not ended' : null,
    census.missing > 0 ? `${count(census.missing)} customers are missing` : null,
    census.duplicated > 0 ? `${count(census.duplicated)} customers live in both systems` : null,
    censusAdds(census) ? null : 'the census does not add up',
    input.outcome === 'rolled-back' && census.moved > 0
      ? `${count(census.moved)} customers are still in the target`
      : null,
    requests.lost > 0 ? `${count(requests.lost)} accepted requests are lost` : null,
    live && requests.pending > 0 ? `${count(requests.pending)} accepted requests are still pending` : null,
    live && mismatches > 0 ? `${count(mismatches)} rows differ between the systems` : null,
    live && rows === 0 ? 'no row was compared' : null,
    live && unequal.length > 0 ? `totals differ: ${[...new Set(unequal)].join(', ')}` : null,
    ledger.brokenAt === null ? null : `the ledger is broken at entry ${ledger.brokenAt}`,
    ...(live
      ? red.map((measure) => `${measure.title}: ${measure.verdict === 'fail' ? measure.shown : 'never read'}`)
      : []),
    ...input.findings,
  ].filter((problem) => problem !== null);
}

export function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
