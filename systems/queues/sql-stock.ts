import type { Pool } from 'pg';
import { escapeIdentifier } from 'pg';
import type { QueuePort } from './port';
import { readOnly } from './read-only';

/** A work stock as the runbook declares it; `open` is a predicate over the row. */
export interface SqlStock {
  from: string;
  key: string;
  customer: string;
  open: string;
}

const quoted = (name: string): string => name.split('.').map(escapeIdentifier).join('.');

/**
 * Reads a work stock that is a table: rows for which `open` holds, of the wave's customers. A table does not say what is
 * taken and what is not, so all of it counts as ready; it has no dead letters.
 */
export function sqlStock(pool: Pool, stock: SqlStock): QueuePort {
  // A subquery keeps the runbook's predicate to the names of its own table.
  const open = `(select stock.${quoted(stock.key)}::text as key, stock.${quoted(stock.customer)}::text as customer
    from ${quoted(stock.from)} stock where (${stock.open})) open`;
  return {
    read: (wave) =>
      readOnly(pool, async (client) => {
        const { rows } = await client.query<{ ready: number }>(
          `select count(*)::int as ready from ${open} where cutover.wave_of(open.customer) = $1`,
          [wave],
        );
        return { ready: rows[0]?.ready ?? 0, unacked: 0, deadLetters: 0 };
      }),
    leftovers: (wave) =>
      readOnly(pool, async (client) => {
        const { rows } = await client.query<{ customer: string; count: number }>(
          `select open.customer, count(*)::int as count from ${open} where cutover.wave_of(open.customer) = $1
           group by 1 order by 1`,
          [wave],
        );
        return {
          count: rows.reduce((sum, row) => sum + row.count, 0),
          customers: rows.map((row) => row.customer),
          withoutCustomer: 0,
        };
      }),
  };
}
