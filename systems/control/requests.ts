import type { Pool, PoolClient } from 'pg';
import type { Side } from '../../domain/custody';
import { locate, sideOf } from './routing';
import { inTransaction } from './transaction';

/**
 * `held` waits for the wave or for an earlier request of the customer; `forwarding` was sent to a system and its outcome
 * is not known here yet; `effected` took effect once; `refused` was turned down by the system for good and is listed.
 */
export type RequestState = 'held' | 'forwarding' | 'effected' | 'refused';

export interface NewRequest {
  cutover: string;
  /** Unique per cutover; the effect's key in the systems too. */
  key: string;
  customer: string;
  kind: string;
  /** JSON text of the document that arrived; its member `payload` is stored as PostgreSQL reads it, numbers digit by digit. */
  body: string;
}

export interface RequestRow {
  id: number;
  key: string;
  customer: string;
  kind: string;
  /** JSON text, for a jsonb parameter. */
  payload: string;
  state: RequestState;
  wave: number;
  side: Side | null;
  /** Why it is held or was refused: a word or an SQLSTATE. */
  reason: string | null;
}

export type Acceptance =
  | { outcome: 'forwarding'; request: RequestRow; side: Side }
  | { outcome: 'held'; request: RequestRow }
  | { outcome: 'repeated'; request: RequestRow }
  | { outcome: 'conflict' };

export const REQUEST_COLUMNS = `r.id, r.idempotency_key as key, r.customer, r.kind, r.payload::text as payload, r.state, r.wave, r.side, r.reason`;

export const asRequest = (row: RequestRow): RequestRow => ({ ...row, id: Number(row.id) });

/**
 * Accepts a request and decides, in one transaction, whether it is forwarded at once or held. Locks the wave's control
 * row FOR SHARE, so that holding or opening an intake waits for it. The same key again gives the first row back
 * (`repeated`), or `conflict` when customer, kind or payload differ.
 */
export async function accept(pool: Pool, request: NewRequest): Promise<Acceptance> {
  return inTransaction(pool, async (client) => {
    await lockCustomer(client, request.cutover, request.customer);
    const { wave, side, reason } = await decide(client, request.cutover, request.customer, null);
    const { rows } = await client.query<RequestRow>(
      `insert into control.request as r (cutover, idempotency_key, customer, kind, payload, wave, side, state, reason, held_at, forwarded_at)
       select $1, $2, $3, $4, $5::jsonb -> 'payload', $6, $7::text,
              case when $7::text is null then 'held' else 'forwarding' end, $8,
              case when $7::text is null then clock_timestamp() end,
              case when $7::text is not null then clock_timestamp() end
       on conflict (cutover, idempotency_key) do nothing
       returning ${REQUEST_COLUMNS}`,
      [request.cutover, request.key, request.customer, request.kind, request.body, wave, side, reason],
    );
    const stored = rows[0] && asRequest(rows[0]);
    if (!stored) return earlier(client, request);
    return side ? { outcome: 'forwarding', request: stored, side } : { outcome: 'held', request: stored };
  });
}

async function earlier(client: PoolClient, request: NewRequest): Promise<Acceptance> {
  const { rows } = await client.query<RequestRow & { same: boolean }>(
    `select ${REQUEST_COLUMNS}, (customer = $3 and kind = $4 and payload = $5::jsonb -> 'payload') as same
     from control.request r where cutover = $1 and idempotency_key = $2`,
    [request.cutover, request.key, request.customer, request.kind, request.body],
  );
  const row = rows[0];
  if (!row?.same) return { outcome: 'conflict' };
  const { same: _, ...found } = row;
  return { outcome: 'repeated', request: asRequest(found) };
}

const lockCustomer = (client: PoolClient, cutover: string, customer: string): Promise<unknown> =>
  client.query(`select pg_advisory_xact_lock(hashtextextended('control.request/' || $1 || '/' || $2, 0))`, [
    cutover,
    customer,
  ]);

interface Decision {
  wave: number;
  /** Null: hold it. */
  side: Side | null;
  /** The system of record, intake or not; null while the wave moves. */
  settled: Side | null;
  reason: 'intake held' | 'queued' | null;
}

/** `before`: only requests with a lower id count as earlier ones; null: all. The customer's lock is held. */
async function decide(client: PoolClient, cutover: string, customer: string, before: number | null): Promise<Decision> {
  const at = await locate(client, cutover, customer);
  const locked = await client.query<{ custody: 'source' | 'moving' | 'target' | 'retired'; intake: 'open' | 'held' }>(
    'select custody, intake from control.wave where cutover = $1 and wave = $2 for share',
    [cutover, at.wave],
  );
  const { custody, intake } = locked.rows[0] ?? at;
  const settled = sideOf(custody);
  const known = { wave: at.wave, settled };
  if (intake === 'held' || settled === null) return { ...known, side: null, reason: 'intake held' };
  const pending = await client.query(
    `select from control.request where cutover = $1 and customer = $2 and state in ('held', 'forwarding')
       and id < coalesce($3, 9223372036854775807) limit 1`,
    [cutover, customer, before],
  );
  return pending.rowCount === 0
    ? { ...known, side: settled, reason: null }
    : { ...known, side: null, reason: 'queued' };
}

/**
 * Decides again about a request that is held, or whose forward has an unknown outcome: the caller performs it when the
 * answer is `forwarding` (the effect's key makes a second time harmless). An unknown one is tried again where it was
 * sent, or where its customer lives by now.
 */
export async function beginForward(
  pool: Pool,
  cutover: string,
  id: number,
): Promise<{ outcome: 'forwarding'; request: RequestRow; side: Side } | { outcome: 'held' } | { outcome: 'done' }> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<RequestRow>(
      `select ${REQUEST_COLUMNS} from control.request r where id = $1 and cutover = $2 for update`,
      [id, cutover],
    );
    const row = rows[0] && asRequest(rows[0]);
    if (!row || (row.state !== 'held' && row.state !== 'forwarding')) return { outcome: 'done' };
    const decision = await decide(client, cutover, row.customer, row.id);
    const side = row.state === 'forwarding' ? (decision.settled ?? row.side) : decision.side;
    if (!side) return { outcome: 'held' };
    await client.query(
      `update control.request set state = 'forwarding', side = $2, wave = $3, reason = null, forwarded_at = clock_timestamp()
       where id = $1`,
      [id, side, decision.wave],
    );
    return { outcome: 'forwarding', request: { ...row, state: 'forwarding', side, wave: decision.wave }, side };
  });
}

export type ForwardOutcome =
  | { state: 'effected'; side: Side }
  | { state: 'refused'; side: Side; reason: string }
  | { state: 'held'; reason: string };

/**
 * Writes what came of a forward. A request that is effected or refused stays so, but for one that was refused and took effect all the
 * same: its key says so, and the refusal was an answer to an earlier try that came late.
 */
export async function finishForward(pool: Pool, id: number, outcome: ForwardOutcome): Promise<void> {
  const done = outcome.state !== 'held';
  await pool.query(
    `update control.request set state = $2, side = $3, reason = $4,
            done_at = case when $5 then clock_timestamp() end,
            held_at = case when $5 then held_at else coalesce(held_at, clock_timestamp()) end
     where id = $1 and (state in ('held', 'forwarding') or (state = 'refused' and $2 = 'effected'))`,
    [id, outcome.state, done ? outcome.side : null, 'reason' in outcome ? outcome.reason : null, done],
  );
}

/** One request by its key, or null. */
export async function findRequest(pool: Pool, cutover: string, key: string): Promise<RequestRow | null> {
  const { rows } = await pool.query<RequestRow>(
    `select ${REQUEST_COLUMNS} from control.request r where cutover = $1 and idempotency_key = $2`,
    [cutover, key],
  );
  return rows[0] ? asRequest(rows[0]) : null;
}
