import type { Pool } from 'pg';
import { withTransaction } from '../connect';
import { GUARDING } from '../sql/guarding';
import { TABLES } from '../sql/tables';
import { members } from './install';

/** A statement of a runbook; `$1` and `$2` may stand in it. */
export interface Statement {
  what: string;
  sql: string;
}

const EXPLAINED = /^\s*(with|select|insert|update|delete|merge|values)\b/i;
const parameters = (sql: string): null[] =>
  /\$2(?!\d)/.test(sql) ? [null, null] : /\$1(?!\d)/.test(sql) ? [null] : [];

/**
 * Lets PostgreSQL plan statements that read schema `cutover`, and tells which it refuses and why: its message names tables and
 * columns, never rows. Where the schema is not there yet it is made for that, in a transaction that is taken back.
 */
export async function findRefused(
  pool: Pool,
  customers: { from: string; key: string },
  statements: readonly Statement[],
): Promise<{ what: string; said: string }[]> {
  return withTransaction(pool, {}, async (client) => {
    await client.query('savepoint before');
    const { rows } = await client.query<{ there: boolean }>(
      `select to_regclass('cutover.members') is not null as there`,
    );
    if (!rows[0]?.there) await client.query(TABLES + GUARDING + members(customers.from, customers.key));
    const refused: { what: string; said: string }[] = [];
    for (const { what, sql } of statements.filter((each) => EXPLAINED.test(each.sql))) {
      await client.query('savepoint planning');
      try {
        await client.query(`explain ${sql}`, parameters(sql));
      } catch (error) {
        if (!(error instanceof Error && 'severity' in error)) throw error;
        refused.push({ what, said: error.message });
      }
      await client.query('rollback to savepoint planning');
    }
    await client.query('rollback to savepoint before');
    return refused;
  });
}
