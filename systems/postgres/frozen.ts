import type { Pool } from 'pg';

/** The waves whose writes this system refuses by a lease, and for how many seconds it has, by its own clock. */
export async function frozenSeconds(pool: Pool): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ wave: number; seconds: number }>(
    `select wave, extract(epoch from clock_timestamp() - frozen_at)::float8 as seconds
     from cutover.wave where state = 'frozen' and lease_until > clock_timestamp()`,
  );
  return new Map(rows.map(({ wave, seconds }) => [wave, seconds]));
}
