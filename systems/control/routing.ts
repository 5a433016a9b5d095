import type { Pool, PoolClient } from 'pg';
import { STAYS_WAVE, type Custody, type Side } from '../../domain/custody';
import { SystemFault } from '../ports';

export type Intake = 'open' | 'held';

export interface Location {
  wave: number;
  name: string;
  custody: Custody;
  intake: Intake;
}

/** The system of record by custody; null while the wave moves. */
export function sideOf(custody: Custody): Side | null {
  if (custody === 'moving') return null;
  return custody === 'source' ? 'source' : 'target';
}

/** Writes the waves of a cutover (numbers from 1) and wave 0, all at the source with an open intake. Keeps what is there. */
export async function seedRouting(
  pool: Pool,
  cutover: string,
  waves: readonly { wave: number; name: string }[],
): Promise<void> {
  const all = [{ wave: STAYS_WAVE, name: 'stays' }, ...waves];
  await pool.query(
    `insert into control.wave (cutover, wave, name, custody, intake)
     select $1, wave, name, 'source', 'open' from unnest($2::int[], $3::text[]) as w(wave, name)
     on conflict do nothing`,
    [cutover, all.map((each) => each.wave), all.map((each) => each.name)],
  );
}

/**
 * Writes the custody routing shows. `stale` when it was written under a higher epoch already, and for `moving` also when the wave
 * has settled under this one: an attempt that wakes late must not send its customers on the way again.
 */
export async function setCustody(
  pool: Pool,
  ref: { cutover: string; wave: number; custody: Custody; epoch: number },
): Promise<{ outcome: 'done' | 'stale' }> {
  return update(pool, ref, { column: 'custody', value: ref.custody, begins: ref.custody === 'moving' });
}

/** Opens the intake or holds it. `stale` under a lower epoch than the wave's, and for a hold also once it was opened under this one. */
export async function setIntake(
  pool: Pool,
  ref: { cutover: string; wave: number; intake: Intake; epoch: number },
): Promise<{ outcome: 'done' | 'stale' }> {
  return update(pool, ref, { column: 'intake', value: ref.intake, begins: ref.intake === 'held' });
}

async function update(
  pool: Pool,
  ref: { cutover: string; wave: number; epoch: number },
  { column, value, begins }: { column: 'custody' | 'intake'; value: string; begins: boolean },
): Promise<{ outcome: 'done' | 'stale' }> {
  const ended = `${column}_ended`;
  const { rowCount } = await pool.query(
    begins
      ? `update control.wave set ${column} = $3, epoch = $4
         where cutover = $1 and wave = $2 and epoch <= $4 and coalesce(${ended} < $4, true)`
      : `update control.wave set ${column} = $3, epoch = $4, ${ended} = $4 where cutover = $1 and wave = $2 and epoch <= $4`,
    [ref.cutover, ref.wave, value, ref.epoch],
  );
  if (rowCount === 1) return { outcome: 'done' };
  await readWave(pool, ref.cutover, ref.wave);
  return { outcome: 'stale' };
}

/** One wave as routing sees it. Throws a SystemFault when it was never seeded. */
export async function readWave(pool: Pool, cutover: string, wave: number): Promise<Location & { epoch: number }> {
  const { rows } = await pool.query<Location & { epoch: string }>(
    'select wave, name, custody, intake, epoch from control.wave where cutover = $1 and wave = $2',
    [cutover, wave],
  );
  const row = rows[0];
  if (!row) throw new SystemFault(`control knows no wave ${wave} of cutover ${cutover}; was it opened?`, false);
  return { ...row, epoch: Number(row.epoch) };
}

/** SQL for the wave of customer `$2` in cutover `$1`: the member row's, else the last wave's. */
const WAVE_OF_CUSTOMER = `coalesce(
  (select m.wave from control.member m where m.cutover = $1 and m.customer = $2),
  (select max(w.wave) from control.wave w where w.cutover = $1))`;

/** Where a customer is served. Someone without a member row belongs to the last wave (PROTOCOL 2). */
export async function locate(db: Pool | PoolClient, cutover: string, customer: string): Promise<Location> {
  const { rows } = await db.query<Location>(
    `select wave, name, custody, intake from control.wave where cutover = $1 and wave = ${WAVE_OF_CUSTOMER}`,
    [cutover, customer],
  );
  const found = rows[0];
  if (!found) throw new SystemFault(`control knows no waves of cutover ${cutover}; was it opened?`, false);
  return found;
}

/** Puts customers into a wave for routing, whatever wave they were in. Idempotent. */
export async function projectMembers(
  pool: Pool,
  cutover: string,
  customers: readonly string[],
  wave: number,
): Promise<void> {
  await pool.query(
    `insert into control.member as known (cutover, customer, wave)
     select distinct $1, customer, $3::int from unnest($2::text[]) as c(customer)
     on conflict (cutover, customer) do update set wave = excluded.wave where known.wave <> excluded.wave`,
    [cutover, customers, wave],
  );
}

/** How many customers have a row for the wave; those who were won since and have none are not counted. */
export async function countMembers(pool: Pool, cutover: string, wave: number): Promise<number> {
  const { rows } = await pool.query<{ members: number }>(
    'select count(*)::int as members from control.member where cutover = $1 and wave = $2',
    [cutover, wave],
  );
  return rows[0]?.members ?? 0;
}

/** Every wave of a cutover, wave 0 first. */
export async function listWaves(pool: Pool, cutover: string): Promise<Location[]> {
  const { rows } = await pool.query<Location>(
    'select wave, name, custody, intake from control.wave where cutover = $1 order by wave',
    [cutover],
  );
  return rows;
}
