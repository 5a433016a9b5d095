import type { Pool } from 'pg';
import { sqlStateOf, toSystemFault, withTransaction, WRITE_REFUSED } from './connect';

/** One request as a system performs it. */
export interface RequestEffect {
  /** The idempotency key; its row in `cutover.effect` commits with the effect and is migrated like data. */
  key: string;
  customer: string;
  /** The runbook's statement; `$1` is the payload (jsonb), `$2` the customer. */
  sql: string;
  /** JSON text. */
  payload: string;
}

/**
 * `refused`: the wave does not accept writes here, hold it. `failed`: the statement cannot succeed; `permanent` when the
 * data is to blame (the request itself), not when the statement or the schema is, which people can mend.
 */
export type RequestOutcome =
  | { outcome: 'effected' }
  | { outcome: 'already' }
  | { outcome: 'refused' }
  | { outcome: 'failed'; code: string; permanent: boolean };

const CONFLICTS = new Set(['40001', '40P01']);
const TRIES = 4;
/** Data exceptions, broken constraints and views, values too large for an index, errors raised by the system's own code. */
const DATA_CLASSES = new Set(['21', '22', '23', '44', '54', 'P0']);

/**
 * Performs a request at most once, in one READ COMMITTED transaction. Throws a SystemFault when the outcome is not
 * known or the system cannot answer now: try again with the same key.
 */
export async function performRequest(
  pool: Pool,
  request: RequestEffect,
  { timeoutMs = 5_000 }: { timeoutMs?: number } = {},
): Promise<RequestOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, request, timeoutMs);
    } catch (error) {
      const code = sqlStateOf(error);
      if (code === WRITE_REFUSED) return { outcome: 'refused' };
      if (code !== undefined && CONFLICTS.has(code) && attempt < TRIES) continue;
      // An answer with a SQLSTATE that trying again does not change: nothing was done, by fault of the data or of the statement.
      if (code?.length === 5 && !toSystemFault(error).retryable)
        return { outcome: 'failed', code, permanent: DATA_CLASSES.has(code.slice(0, 2)) };
      throw error;
    }
  }
}

function once(pool: Pool, request: RequestEffect, timeoutMs: number): Promise<RequestOutcome> {
  return withTransaction(pool, {}, async (client) => {
    await client.query(`select set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true)`, [
      String(timeoutMs),
    ]);
    const { rowCount } = await client.query(
      'insert into cutover.effect (key, customer) values ($1, $2) on conflict (key) do nothing',
      [request.key, request.customer],
    );
    if (rowCount === 0) return { outcome: 'already' };
    await client.query(typed(request.sql), [request.payload, request.customer]);
    return { outcome: 'effected' };
  });
}

/**
 * The statement with both parameters named and typed in front. Without that PostgreSQL refuses a parameter the statement
 * does not use, and cannot tell that `$1` in `$1 ->> 'amount'` is jsonb.
 */
export function typed(sql: string): string {
  const parameters = 'cutover_parameters as (select $1::jsonb, $2::text)';
  const own = /^\s*with(\s+recursive)?\s/i.exec(sql);
  if (own) return `with${own[1] ?? ''} ${parameters}, ${sql.slice(own[0].length)}`;
  return /^\s*(select|insert|update|delete|merge|values)\b/i.test(sql) ? `with ${parameters} ${sql}` : sql;
}
