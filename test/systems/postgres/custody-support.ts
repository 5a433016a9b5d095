import type { Pool, PoolClient } from 'pg';
import type { Side } from '../../../domain/custody';
import { connect } from '../../../systems/postgres/connect';
import { guardTables, install, seedWaves } from '../../../systems/postgres/schema';
import { postgresCustody } from '../../../systems/postgres/custody';
import type { CustodyPort } from '../../../systems/ports';
import { freshDatabase } from '../../support/databases';

/** One guarded database: customers a (wave 1), b (wave 2), s (wave 0); everyone else is in wave 3, the last. */
export interface Guarded {
  url: string;
  /** The application's connections. */
  app: Pool;
  /** Our own, with timeouts below a lease. */
  own: Pool;
  custody: CustodyPort;
  close(): Promise<void>;
}

export const LEASE_MS = 60_000;

export async function guardedDatabase(name: string, side: Side = 'source'): Promise<Guarded> {
  const url = await freshDatabase(name);
  const app = connect(url, { applicationName: 'billing' });
  const own = connect(url, { applicationName: 'cutover', leaseMs: 3_000 });
  await app.query('create table item (id bigint primary key, customer text, note text)');
  await app.query(
    'create table part (item bigint references item on delete cascade, no int, owner text, primary key (item, no))',
  );
  await install(own, side);
  const waves = [1, 2, 3].map((wave) => ({ wave, name: `w${wave}` }));
  await seedWaves(own, side, waves);
  await own.query(`insert into cutover.member values ('a', 1, true), ('b', 2, true), ('s', 0, true)`);
  await guardTables(own, [
    { table: 'public.item', keyColumns: ['id'], customerColumn: 'customer' },
    { table: 'public.part', keyColumns: ['item', 'no'], customerColumn: 'owner' },
  ]);
  const custody = postgresCustody(own, { freezePatienceMs: 700, callPatienceMs: 3_000 });
  for (const wave of [1, 2, 3]) await custody.raise(wave, 1);
  return { url, app, own, custody, close: async () => void (await Promise.all([app.end(), own.end()])) };
}

/** The SQLSTATE a query fails with, or `none`. */
export async function sqlState(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return 'none';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

/** Runs `body` on one connection of its own; a transaction left open is rolled back. */
export async function onClient<T>(pool: Pool, body: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await body(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

export const snapshot = async (pool: Pool): Promise<string> =>
  (await pool.query<{ at: string }>('select pg_current_snapshot()::text as at')).rows[0]?.at ?? '';

export interface Logged {
  wave: number;
  tab: string;
  op: string;
  old_key: string[] | null;
  new_key: string[] | null;
  old_owner: string | null;
  new_owner: string | null;
}

export const log = async (pool: Pool): Promise<Logged[]> =>
  (
    await pool.query<Logged>(
      'select wave, tab, op, old_key, new_key, old_owner, new_owner from cutover.change order by seq',
    )
  ).rows;
