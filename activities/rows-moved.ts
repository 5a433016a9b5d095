import { metricMeter } from '@temporalio/activity';

const COUNTER = 'cutover_rows_moved_total';

/** Counts rows brought to the other side, for rates: `preload`, `delta` (passes) or `back` (the target's own writes). */
export function countRowsMoved(how: 'preload' | 'delta' | 'back', rows: number): void {
  if (rows > 0) metricMeter.createCounter(COUNTER, 'rows', 'Rows brought to the other side').add(rows, { how });
}
