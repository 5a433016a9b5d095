import Table from 'cli-table3';
import { PROMISES, type PromiseId } from './promises';
import type { Result } from './run';
import { FAULTS, type Fault } from './trial';

/** Every promise × every fault: in how many nights it was judged, and in how many it was broken. */
export function table(results: readonly Result[]): string {
  const rows = FAULTS.map((fault) =>
    rowOf(
      fault,
      results.filter(({ trial }) => trial.fault === fault),
    ),
  ).filter((row) => row !== null);
  const drawn = new Table({
    head: ['fault', 'nights', ...PROMISES, 'ended'],
    style: { head: [], border: [], compact: true },
  });
  drawn.push(...rows);
  return drawn.toString();
}

function rowOf(fault: Fault, results: readonly Result[]): string[] | null {
  if (results.length === 0) return null;
  const endings = ['live', 'rolled-back', 'not-over'].flatMap((ending) => {
    const times = results.filter((result) => result.ending === ending).length;
    return times === 0 ? [] : [`${times} ${ending}`];
  });
  const errors = results.filter(({ unproven }) => unproven !== null).length;
  return [
    fault,
    String(results.length),
    ...PROMISES.map((promise) => cell(promise, results)),
    [...endings, ...(errors > 0 ? [`${errors} ERROR`] : [])].join(', '),
  ];
}

function cell(promise: PromiseId, results: readonly Result[]): string {
  const judged = results.flatMap(({ judgement }) => judgement[promise] ?? []).length;
  const looked = results.filter(({ judgement }) => judgement[promise] !== undefined);
  const broken = looked.filter(({ judgement }) => (judgement[promise] ?? []).length > 0).length;
  if (looked.length === 0) return '-';
  return judged === 0 ? `held ${looked.length}` : `BROKEN ${broken}/${looked.length}`;
}
