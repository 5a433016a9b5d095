import type { Pool } from 'pg';
import { asRequest, REQUEST_COLUMNS, type RequestRow } from './requests';
import { setIntake } from './routing';
import { inTransaction } from './transaction';

interface WaveRef {
  cutover: string;
  wave: number;
}

/** Rows `r` whose customer is in wave `$2` of cutover `$1` now: membership may have changed since they were accepted. */
const IN_WAVE = `r.cutover = $1 and $2 = coalesce(
  (select m.wave from control.member m where m.cutover = r.cutover and m.customer = r.customer),
  (select max(w.wave) from control.wave w where w.cutover = r.cutover))`;

/** New work of the wave is saved up from the commit of this call on. Wait for `unknownForwards` to be empty after it. */
export async function holdIntake(pool: Pool, ref: WaveRef & { epoch: number }): Promise<{ outcome: 'done' | 'stale' }> {
  return setIntake(pool, { ...ref, intake: 'held' });
}

/** Requests of the wave that were sent to a system and whose outcome is not known; `sentMs` ago, by control's clock. */
export async function unknownForwards(pool: Pool, ref: WaveRef): Promise<(RequestRow & { sentMs: number })[]> {
  const { rows } = await pool.query<RequestRow & { sentMs: number }>(
    `select ${REQUEST_COLUMNS}, (extract(epoch from clock_timestamp() - forwarded_at) * 1000)::float8 as "sentMs"
     from control.request r where state = 'forwarding' and (r.wave = $2 or ${IN_WAVE}) and r.cutover = $1 order by id`,
    [ref.cutover, ref.wave],
  );
  return rows.map((row) => ({ ...asRequest(row), sentMs: row.sentMs }));
}

/** The highest id given to a request so far; requests accepted later have higher ones. */
export async function lastRequestId(pool: Pool, cutover: string): Promise<number> {
  const { rows } = await pool.query<{ id: string | null }>(
    'select max(id) as id from control.request where cutover = $1',
    [cutover],
  );
  return Number(rows[0]?.id ?? 0);
}

/** The next pending requests of the wave in acceptance order, which is also the order per customer. */
export async function nextHeld(
  pool: Pool,
  ref: WaveRef,
  page: { limit?: number; afterId?: number; upToId?: number } = {},
): Promise<RequestRow[]> {
  const { rows } = await pool.query<RequestRow>(
    `select ${REQUEST_COLUMNS} from control.request r
     where state in ('held', 'forwarding') and ${IN_WAVE} and id > $4 and id <= coalesce($5, id) order by id limit $3`,
    [ref.cutover, ref.wave, page.limit ?? 200, page.afterId ?? 0, page.upToId ?? null],
  );
  return rows.map(asRequest);
}

/**
 * Opens the intake in one transaction that keeps new requests waiting: none can be held after the last look and be
 * forgotten. `lastly` runs inside it, on other connections, to work off what is still pending; what it leaves is
 * returned as `pending` and falls to the gateway. `stale` when the wave was written under a higher epoch already.
 */
export async function openIntake(
  pool: Pool,
  ref: WaveRef & { epoch: number },
  lastly: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ outcome: 'opened'; pending: number } | { outcome: 'stale' }> {
  return inTransaction(pool, async (client) => {
    const locked = await client.query<{ epoch: string }>(
      'select epoch from control.wave where cutover = $1 and wave = $2 for update',
      [ref.cutover, ref.wave],
    );
    if (Number(locked.rows[0]?.epoch ?? Infinity) > ref.epoch) return { outcome: 'stale' };
    await lastly();
    const { rows } = await client.query<{ pending: number }>(
      `select count(*)::int as pending from control.request r where state in ('held', 'forwarding') and ${IN_WAVE}`,
      [ref.cutover, ref.wave],
    );
    await client.query(
      `update control.wave set intake = 'open', intake_ended = $3, epoch = $3 where cutover = $1 and wave = $2`,
      [ref.cutover, ref.wave, ref.epoch],
    );
    return { outcome: 'opened', pending: rows[0]?.pending ?? 0 };
  });
}

/**
 * Ids a gateway should try again, those that waited longest first and one per customer: forwards sent more than `graceMs` ago without a known
 * outcome, and held requests whose wave is settled with an open intake, at most once a second each.
 */
export async function retryable(pool: Pool, cutover: string, graceMs: number, limit: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: string }>(
    `with oldest as (
       select distinct on (customer) * from control.request
       where cutover = $1 and state in ('held', 'forwarding') order by customer, id)
     select r.id from oldest r
     where (r.state = 'forwarding' and r.forwarded_at < clock_timestamp() - $2 * interval '1 millisecond')
        or (r.state = 'held' and coalesce(r.forwarded_at < clock_timestamp() - interval '1 second', true) and exists (
              select from control.wave w where w.cutover = r.cutover and w.intake = 'open' and w.custody <> 'moving'
                and w.wave = coalesce(
                  (select m.wave from control.member m where m.cutover = r.cutover and m.customer = r.customer),
                  (select max(l.wave) from control.wave l where l.cutover = r.cutover))))
     order by r.forwarded_at nulls first, r.id limit $3`,
    [cutover, graceMs, limit],
  );
  return rows.map((row) => Number(row.id));
}
