import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';
import { SystemFault } from '../ports';
import { sqlStateOf } from '../postgres/connect';
import { postgresCustody } from '../postgres/custody';
import { performRequest } from '../postgres/requests';
import { lastRequestId, nextHeld, openIntake, unknownForwards } from './intake';
import { finishForward, type RequestRow } from './requests';

/** Both sides' statement by request kind, as the runbook has them. */
export type RequestSql = Record<string, Record<Side, string>>;

export interface ReplayResult {
  replayed: number;
  refused: number;
  pending: number;
}

/** What came of performing one request; it is written in `control` already. */
export type Performed = 'effected' | 'refused' | 'held';

interface Receiver {
  side: Side;
  pool: Pool;
  sql: RequestSql;
  timeoutMs?: number;
}

/** Why a request waits that the guard of its system turned away. */
export const REFUSED = 'system refuses';

interface Attempt {
  state: Performed;
  /** The system's guard turned it away. */
  guarded: boolean;
}

/**
 * Performs one pending request in the system on `side` and writes what came of it. Harmless when somebody else does the
 * same: the effect's key decides. `held` when the system does not accept writes for the customer now, or those of another one
 * whose row it would write, or the runbook's statement is wrong. Throws a SystemFault when the outcome is not known; the row then stays as it is.
 */
export async function performPending(control: Pool, request: RequestRow, to: Receiver): Promise<Attempt> {
  const statement = to.sql[request.kind]?.[to.side];
  if (statement === undefined) {
    await finishForward(control, request.id, { state: 'held', reason: 'unknown kind' });
    return { state: 'held', guarded: false };
  }
  const effect = { key: request.key, customer: request.customer, sql: statement, payload: request.payload };
  const done = await performRequest(to.pool, effect, to.timeoutMs === undefined ? {} : { timeoutMs: to.timeoutMs });
  switch (done.outcome) {
    case 'effected':
    case 'already':
      await finishForward(control, request.id, { state: 'effected', side: to.side });
      return { state: 'effected', guarded: false };
    case 'refused':
      await finishForward(control, request.id, { state: 'held', reason: REFUSED });
      return { state: 'held', guarded: true };
    case 'failed':
      if (!done.permanent) {
        await finishForward(control, request.id, { state: 'held', reason: done.code });
        return { state: 'held', guarded: false };
      }
      await finishForward(control, request.id, { state: 'refused', side: to.side, reason: done.code });
      return { state: 'refused', guarded: false };
  }
}

/** A statement that ran or waited for too long: nothing was done, and it may be so again. */
const TOOK_TOO_LONG = new Set(['57014', '55P03']);

/** As `performPending`; null when it took too long: the row stays, and others must not wait for it. */
async function performInTime(control: Pool, request: RequestRow, to: Receiver): Promise<Attempt | null> {
  try {
    return await performPending(control, request, to);
  } catch (error) {
    if (TOOK_TOO_LONG.has(sqlStateOf(error) ?? '')) return null;
    throw error;
  }
}

const PAGE = 200;
const CUSTOMERS_AT_ONCE = 4;
/** New requests keep arriving meanwhile: the last few, or what arrived in the last round, are replayed while others wait. */
const FEW = 20;
const MOST_ROUNDS = 3;

/**
 * Replays what is pending of a wave to its system of record, in order per customer, then opens the intake in a
 * transaction that lets no request slip in between. Forwards whose gateway died are performed again. Requests that
 * cannot be performed for want of a right statement, or that would write rows of a customer who lives elsewhere, stay
 * pending, with everything behind them of the same customer.
 * Throws a SystemFault when the system does not accept the wave's writes, or `epoch` is no longer the wave's.
 */
export async function replayHeld(
  control: Pool,
  input: {
    cutover: string;
    wave: number;
    epoch: number;
    side: Side;
    pool: Pool;
    requests: RequestSql;
    onProgress?: (done: number) => void;
  },
): Promise<ReplayResult> {
  const tally = { replayed: 0, refused: 0 };
  const stuck = new Set<string>();
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const before = tally.replayed + tally.refused;
    await replayAll(control, input, tally, stuck);
    if (tally.replayed + tally.refused - before <= FEW) break;
  }
  const opened = await openIntake(control, input, () => replayAll(control, input, tally, stuck));
  if (opened.outcome === 'stale') {
    throw new SystemFault(`the intake of wave ${input.wave} belongs to a later attempt`, false);
  }
  return { ...tally, pending: opened.pending };
}

/**
 * One round over everything pending at its start, in order per customer, past customers whose request cannot be performed: they are
 * added to `stuck`, and no later round waits for them again.
 */
async function replayAll(
  control: Pool,
  input: Parameters<typeof replayHeld>[1],
  tally: { replayed: number; refused: number },
  stuck: Set<string>,
): Promise<void> {
  // Without an end, requests that arrive as fast as they are replayed would keep one round going for ever.
  const upToId = await lastRequestId(control, input.cutover);
  for (let afterId = 0; ;) {
    const page = await nextHeld(control, input, { limit: PAGE, afterId, upToId });
    const last = page.at(-1);
    if (!last) return;
    const queues = byCustomer(page);
    const work = async (): Promise<void> => {
      for (let queue = queues.shift(); queue; queue = queues.shift()) {
        for (const request of queue) {
          if (stuck.has(request.customer)) break;
          const done = await performInTime(control, request, { ...input, sql: input.requests });
          if (done?.guarded && (await postgresCustody(input.pool).wave(input.wave)).refusesWrites)
            throw new SystemFault(`the ${input.side} does not accept writes of wave ${input.wave} yet`, true);
          if (!done || done.state === 'held') stuck.add(request.customer);
          else tally[done.state === 'effected' ? 'replayed' : 'refused'] += 1;
        }
        input.onProgress?.(tally.replayed + tally.refused);
      }
    };
    await settleAll(Array.from({ length: CUSTOMERS_AT_ONCE }, work));
    afterId = last.id;
  }
}

function byCustomer(requests: readonly RequestRow[]): RequestRow[][] {
  const queues = new Map<string, RequestRow[]>();
  for (const request of requests) {
    const queue = queues.get(request.customer);
    if (queue) queue.push(request);
    else queues.set(request.customer, [request]);
  }
  return [...queues.values()];
}

/** Waits for every stream before it throws, so that none goes on behind the caller's back. */
async function settleAll(streams: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(streams)).find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * Finds out about forwards of a wave sent more than `graceMs` ago by performing them again where they were sent. Returns
 * how many of the wave are still unknown: the intake is quiet, and a freeze may begin, when that is 0.
 */
export async function resolveForwards(
  control: Pool,
  input: { cutover: string; wave: number; graceMs: number; pools: Record<Side, Pool>; requests: RequestSql },
): Promise<number> {
  for (const request of await unknownForwards(control, input)) {
    if (request.sentMs < input.graceMs || request.side === null) continue;
    const to = { side: request.side, pool: input.pools[request.side], sql: input.requests };
    await performInTime(control, request, to);
  }
  return (await unknownForwards(control, input)).length;
}
