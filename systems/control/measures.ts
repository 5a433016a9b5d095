import type { Pool } from 'pg';
import type { Custody } from '../../domain/custody';

export interface RequestCounts {
  accepted: number;
  effected: number;
  /** Turned down by a system for good. */
  refused: number;
  /** Ever held, whatever became of it. */
  held: number;
  /** Held once and effected since. */
  replayed: number;
  pending: number;
  /** Effected by this record, but with no effect row in any of the systems given; null when none was given. */
  lost: number | null;
  /** Longest time between being held and being done, of those still held until now. */
  longestHoldMs: number;
}

/** Counts of requests. `systems` are the databases whose `cutover.effect` is asked about `lost`. */
export async function counts(pool: Pool, cutover: string, systems: readonly Pool[] = []): Promise<RequestCounts> {
  const { rows } = await pool.query<Record<keyof RequestCounts, number>>(
    `select count(*)::int as accepted,
            count(*) filter (where state = 'effected')::int as effected,
            count(*) filter (where state = 'refused')::int as refused,
            count(held_at)::int as held,
            count(*) filter (where state = 'effected' and held_at is not null)::int as replayed,
            count(*) filter (where state in ('held', 'forwarding'))::int as pending,
            coalesce(max(extract(epoch from coalesce(done_at, clock_timestamp()) - held_at)) * 1000, 0)::float8 as "longestHoldMs"
     from control.request where cutover = $1`,
    [cutover],
  );
  const row = rows[0];
  if (!row) throw new Error('an aggregate without a row');
  return {
    ...row,
    longestHoldMs: Math.round(row.longestHoldMs),
    lost: systems.length > 0 ? await lost(pool, cutover, systems) : null,
  };
}

const PAGE = 5_000;

async function lost(pool: Pool, cutover: string, systems: readonly Pool[]): Promise<number> {
  let [missing, afterId] = [0, 0];
  for (;;) {
    const { rows } = await pool.query<{ id: string; key: string }>(
      `select id, idempotency_key as key from control.request
       where cutover = $1 and state = 'effected' and id > $2 order by id limit $3`,
      [cutover, afterId, PAGE],
    );
    const last = rows.at(-1);
    if (!last) return missing;
    afterId = Number(last.id);
    let keys = rows.map((row) => row.key);
    for (const system of systems) {
      const absent = await system.query<{ key: string }>(
        'select key from unnest($1::text[]) as k(key) where not exists (select from cutover.effect e where e.key = k.key)',
        [keys],
      );
      keys = absent.rows.map((row) => row.key);
    }
    missing += keys.length;
  }
}

/** Counts writes a system refused because a wave does not accept them; `wave` is null when the caller does not know it. */
export async function recordRefusals(
  pool: Pool,
  cutover: string,
  count: number,
  wave: number | null = null,
): Promise<void> {
  await pool.query('insert into control.refusal (cutover, wave) select $1, $3 from generate_series(1, $2::int)', [
    cutover,
    count,
    wave,
  ]);
}

export interface FeltMeasures {
  refusedWrites: number;
  longestHoldMs: number;
  /** Customers with a request turned down for good, or held for longer than the limit. */
  customersDisturbed: number;
}

/** What customers felt so far, of one wave (as routing has it now) or of the whole cutover (wave null). */
export async function feltMeasures(
  pool: Pool,
  scope: { cutover: string; wave: number | null; heldAtMostMs: number },
): Promise<FeltMeasures> {
  const { rows } = await pool.query<FeltMeasures>(
    `with mine as (
       select r.*, extract(epoch from coalesce(done_at, clock_timestamp()) - held_at) * 1000 as hold_ms
       from control.request r
       where r.cutover = $1 and ($2::int is null or $2 = coalesce(
         (select m.wave from control.member m where m.cutover = r.cutover and m.customer = r.customer),
         (select max(w.wave) from control.wave w where w.cutover = r.cutover))))
     select coalesce(max(hold_ms), 0)::float8 as "longestHoldMs",
            count(distinct customer) filter (where state = 'refused' or hold_ms > $3)::int as "customersDisturbed",
            (select count(*)::int from control.refusal f
             where f.cutover = $1 and ($2::int is null or f.wave is null or f.wave = $2)) as "refusedWrites"
     from mine`,
    [scope.cutover, scope.wave, scope.heldAtMostMs],
  );
  const row = rows[0];
  if (!row) throw new Error('an aggregate without a row');
  return { ...row, longestHoldMs: Math.round(row.longestHoldMs) };
}

export interface WaveLoad {
  wave: number;
  custody: Custody;
  /** Requests of its customers that are kept. */
  held: number;
}

/** The waves of a cutover, each with what is held for it now. */
export async function heldByWave(pool: Pool, cutover: string): Promise<WaveLoad[]> {
  const { rows } = await pool.query<WaveLoad>(
    `select w.wave, w.custody, count(r.id)::int as held from control.wave w
     left join control.request r on r.cutover = w.cutover and r.wave = w.wave and r.state = 'held'
     where w.cutover = $1 and w.wave > 0 group by w.wave, w.custody order by w.wave`,
    [cutover],
  );
  return rows;
}
