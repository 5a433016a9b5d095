import type { Pool } from 'pg';
import { escapeIdentifier } from 'pg';
import type { QueuePort } from './port';
import { readOnly } from './read-only';

/** A queue of pg-boss 10 inside a source database. `customer` is the message's field; without it the whole queue counts. */
export interface PgbossQueue {
  queue: string;
  customer?: string;
  /** Where pg-boss lives; default `pgboss`. */
  schema?: string;
}

/**
 * Reads a pg-boss queue from its job table: `created` and `retry` are ready, `active` is unacknowledged, `failed` is a dead
 * letter. A message that names no customer of any wave counts for every wave: nobody knows whose it is.
 */
export function pgbossQueue(pool: Pool, { queue, customer, schema = 'pgboss' }: PgbossQueue): QueuePort {
  const named = customer === undefined ? null : customer;
  const mine = `(select job.state::text as state, job.data ->> $2 as customer
    from ${escapeIdentifier(schema)}.job job
    where job.name = $1 and job.state in ('created', 'retry', 'active', 'failed')
      and ($2::text is null or job.data ->> $2 is null
           or cutover.wave_of(job.data ->> $2) = $3)) mine`;
  return {
    read: (wave) =>
      readOnly(pool, async (client) => {
        const { rows } = await client.query<{ ready: number; unacked: number; deadLetters: number }>(
          `select count(*) filter (where state in ('created', 'retry'))::int as ready,
                  count(*) filter (where state = 'active')::int as unacked,
                  count(*) filter (where state = 'failed')::int as "deadLetters" from ${mine}`,
          [queue, named, wave],
        );
        return rows[0] ?? { ready: 0, unacked: 0, deadLetters: 0 };
      }),
    leftovers: (wave) =>
      readOnly(pool, async (client) => {
        const { rows } = await client.query<{ customer: string | null; count: number }>(
          `select customer, count(*)::int as count from ${mine} group by 1 order by 1`,
          [queue, named, wave],
        );
        return {
          count: rows.reduce((sum, row) => sum + row.count, 0),
          customers: rows.flatMap((row) => row.customer ?? []),
          withoutCustomer: rows.find((row) => row.customer === null)?.count ?? 0,
        };
      }),
  };
}
