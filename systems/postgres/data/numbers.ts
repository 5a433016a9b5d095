import type { PoolClient } from 'pg';
import { SystemFault } from '../../ports';
import { withTransaction } from '../connect';
import { saying } from './faults';
import type { Pair } from './pair';

/** A JavaScript date has no microseconds, a JavaScript number no nineteenth digit. */
const AS_WRITTEN = { getTypeParser: () => (text: string) => text };

/**
 * The one value a query returns, as PostgreSQL writes it; null for SQL null. `$1` is the wave, null for all; the view
 * `cutover.members` lists the customers in scope. Throws when the query does not return one row with one column.
 */
export async function readNumber(client: PoolClient, sql: string, wave: number | null): Promise<string | null> {
  await client.query(`select set_config('cutover.scope_wave', $1, true)`, [String(wave ?? 0)]);
  const usesWave = /\$1(?!\d)/.test(sql);
  const result = await client.query<[string | null]>({
    text: sql,
    values: usesWave ? [wave] : [],
    rowMode: 'array',
    types: AS_WRITTEN,
  });
  const row = result.rows[0];
  if (result.rows.length !== 1 || !row || row.length !== 1)
    throw new SystemFault('a total or measure must return one row with one column', false);
  return row[0];
}

/** A measure read on both sides, each in its own snapshot, and the absolute difference. Null counts as 0. */
export async function readPairOfNumbers(
  pair: Pair,
  sqlSource: string,
  sqlTarget: string,
  wave: number | null,
): Promise<{ source: number; target: number; difference: number }> {
  const read = async (side: keyof Pair, sql: string): Promise<number> => {
    const text = await saying(`measure at the ${side}`, () =>
      withTransaction(pair[side], { isolation: 'repeatable read', readOnly: true }, (client) =>
        readNumber(client, sql, wave),
      ),
    );
    const value = Number(text ?? 0);
    if (!Number.isFinite(value))
      throw new SystemFault(`measure at the ${side}: the query does not return a number`, false);
    return value;
  };
  const [source, target] = await Promise.all([read('source', sqlSource), read('target', sqlTarget)]);
  return { source, target, difference: Math.abs(source - target) };
}
