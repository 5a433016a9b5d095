import type { Pool, PoolClient } from 'pg';
import { SystemFault } from '../ports';
import { withTransaction } from './connect';

export interface SqlAction {
  /** The statement, or `none`. */
  sql: string;
  /** A query whose first column is true once it took effect. */
  check?: string | undefined;
  /** The action's idempotency key: its row commits with the effect. */
  key: string;
  /** Key of the action this one undoes: one that never took effect is not undone, and from then on no late attempt performs it any more. */
  voids?: string;
}

const DDL_LOCK = `select pg_advisory_xact_lock(hashtextextended('cutover.action_effect', 0))`;

/**
 * Performs an SQL action once per key, in one transaction; `already` when an earlier attempt committed. `checked` says
 * that a check was asked for and confirmed. Throws a SystemFault when the statement fails or the check is not true.
 */
export async function performSqlAction(
  pool: Pool,
  action: SqlAction,
): Promise<{ outcome: 'done' | 'already'; checked: boolean }> {
  const outcome = action.sql.trim() === 'none' ? 'done' : await once(pool, action);
  if (action.check === undefined) return { outcome, checked: false };
  if (!(await holds(pool, action.check))) throw new SystemFault('it took no effect yet: its check is not true', true);
  return { outcome, checked: true };
}

async function once(pool: Pool, { sql, key, voids }: SqlAction): Promise<'done' | 'already'> {
  await ensureTable(pool);
  return withTransaction(pool, {}, async (client) => {
    const { rowCount } = await client.query(
      'insert into cutover.action_effect (key) values ($1) on conflict do nothing',
      [key],
    );
    if (rowCount === 0) return 'already';
    if (voids === undefined || !(await preempted(client, voids))) await client.query(sql);
    return 'done';
  });
}

/** Takes the key of an action that has not committed: it never will. Waits for an attempt that is under way. False: it took effect. */
async function preempted(client: PoolClient, key: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'insert into cutover.action_effect (key) values ($1) on conflict do nothing',
    [key],
  );
  return rowCount === 1;
}

/** An action may run in a database where nothing else of `cutover` is installed. */
async function ensureTable(pool: Pool): Promise<void> {
  await withTransaction(pool, {}, async (client) => {
    const found = await client.query<{ there: boolean }>(
      `select to_regclass('cutover.action_effect') is not null as there`,
    );
    if (found.rows[0]?.there) return;
    await client.query(DDL_LOCK);
    await client.query('create schema if not exists cutover');
    await client.query(
      'create table if not exists cutover.action_effect (key text primary key, at timestamptz not null default clock_timestamp())',
    );
  });
}

/** False, null and no row are all "not yet". */
async function holds(pool: Pool, check: string): Promise<boolean> {
  return withTransaction(pool, { readOnly: true }, async (client) => {
    const { rows } = await client.query<unknown[]>({ text: check, rowMode: 'array' });
    return rows[0]?.[0] === true;
  });
}
