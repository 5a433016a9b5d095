import type { Pool } from 'pg';
import { span } from '../show/format';
import { warn, type Diagnosis } from './finding';

/** Windows are hours, leases are seconds: from here on a difference is felt. */
const APART_MS = 2_000;

/** How far a server's clock is from this machine's, the way there and back taken off. */
export async function lookAtClock(what: string, pool: Pool, now: () => number): Promise<Diagnosis[]> {
  const asked = now();
  const { rows } = await pool.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  );
  const [answered, theirs] = [now(), rows[0]?.ms ?? NaN];
  const apart = theirs < asked ? theirs - asked : Math.max(0, theirs - answered);
  if (Math.abs(apart) < APART_MS) return [];
  return [
    warn(
      what,
      `its clock is ${span(Math.abs(apart))} ${apart < 0 ? 'behind' : 'ahead of'} this machine's: a freeze ends by that one, windows open by the workers'`,
      'let both follow the same time servers (NTP) before the night',
    ),
  ];
}
