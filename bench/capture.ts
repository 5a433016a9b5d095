import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withClient } from '../local/with-client';
import type { PostgresServer } from '../local/postgres';
import { connect } from '../systems/postgres/connect';
import { assignMembers, guardTables, install, seedWaves, type GuardedTable } from '../systems/postgres/schema';
import { fillSql, SOURCE_INDEX_SQL, SOURCE_SQL } from './company/schema';
import { median, spreadOf, type Line } from './measure';
import { database } from './place';
import type { Setting } from './scenarios';

const run = promisify(execFile);
const CLIENTS = 4;
const SECONDS = 4;

const guarded = (name: string, customerColumn = 'customer_id'): GuardedTable => ({
  table: `old.${name}`,
  keyColumns: ['id'],
  customerColumn,
});
const FOUR = [guarded('customer', 'id'), guarded('contract'), guarded('invoice'), guarded('payment')];

/** What the application does: it looks at a customer and the invoices, then writes one row of each table named. */
const scriptOf = (customers: number, tables: readonly GuardedTable[]): string =>
  [
    `\\set i random(1, ${customers})`,
    'begin;',
    `select * from old.customer where id = 'C' || lpad((:i)::text, 8, '0');`,
    `select * from old.invoice where customer_id = 'C' || lpad((:i)::text, 8, '0');`,
    ...tables.map(({ table, customerColumn }) => {
      const value = table === 'old.customer' ? 'charges' : table === 'old.contract' ? 'price' : 'amount';
      const key = customerColumn === 'id' ? `'C' || lpad((:i)::text, 8, '0')` : '(:i)::text';
      return `update ${table} set ${value} = ((:i) % 977)::text || '.50' where id = ${key};`;
    }),
    'end;',
  ].join('\n');

/** What is left of the triggers in each variant. */
const VARIANTS = {
  none: null,
  capture: `create or replace function cutover.admit(owner text) returns int language sql immutable as 'select 1'`,
  guard: `do $$ declare f regprocedure; begin
    for f in select p.oid from pg_proc p join cutover.guarded g on g.guard = p.proname where p.pronamespace = 'cutover'::regnamespace loop
      execute regexp_replace(pg_get_functiondef(f), 'insert into cutover.change[^;]*;', 'null;', 'g');
    end loop; end $$`,
  both: '',
} as const;
type Variant = keyof typeof VARIANTS;

async function prepare(server: PostgresServer, variant: Variant, tables: readonly GuardedTable[]): Promise<string> {
  const url = await database(server, `${variant}_${tables.length}`, '', 'filled');
  const change = VARIANTS[variant];
  if (change === null) return url;
  const pool = connect(url, { applicationName: 'bench capture' });
  try {
    await install(pool, 'source');
    await seedWaves(pool, 'source', [{ wave: 1, name: 'all' }]);
    const { rows } = await pool.query<{ id: string }>('select id from old.customer');
    await assignMembers(
      pool,
      1,
      rows.map(({ id }) => id),
    );
    await guardTables(pool, tables);
    await pool.query('analyze cutover.member');
    if (change !== '') await pool.query(change);
  } finally {
    await pool.end();
  }
  return url;
}

/** Transactions a second of `script` with ordinary, durable commits. */
async function throughput(url: string, script: string): Promise<number> {
  const args = ['-n', '-c', String(CLIENTS), '-j', '1', '-T', String(SECONDS), '-M', 'prepared', '-f', script, url];
  const { stdout } = await run('pgbench', args);
  const found = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (found === undefined) throw new Error(`pgbench said no throughput: ${stdout}`);
  return Number(found);
}

async function cost(
  setting: Setting,
  server: PostgresServer,
  customers: number,
  tables: readonly GuardedTable[],
): Promise<Line> {
  const { place, rounds, say } = setting;
  const script = join(place.dir, `write-${tables.length}.sql`);
  writeFileSync(script, scriptOf(customers, tables));
  const names = Object.keys(VARIANTS) as Variant[];
  const urls = new Map<Variant, string>();
  for (const name of names) urls.set(name, await prepare(server, name, tables));
  const tps: Record<Variant, number[]> = { none: [], capture: [], guard: [], both: [] };
  for (let round = 0; round < rounds; round++)
    // Every other round backwards: what grows worse or better with time then does so for all alike.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const measured = await throughput(urls.get(name)!, script);
      tps[name].push(measured);
      say(`${tables.length} tables, ${name}: ${measured.toFixed(0)} transactions a second`);
    }
  const lost = (name: Variant): number[] => tps[name].map((each, round) => 100 * (1 - each / tps.none[round]!));
  const shown = (name: Variant): string => `${median(lost(name)).toFixed(1)} %`;
  return {
    scenario: 'capture',
    what: `throughput the source loses to the log, ${tables.length === 1 ? 'one table' : `${tables.length} tables`}, a row of each in a durable transaction`,
    value: median(lost('capture')),
    spread: spreadOf(lost('capture')),
    unit: '%',
    bar: { atMost: tables.length === 1 ? 6 : 15 },
    figures: `${median(tps.none).toFixed(0)} transactions a second without; the guard alone ${shown('guard')}, log and guard as installed ${shown('both')}`,
  };
}

/** What writing costs the source's own applications while its changes are logged and guarded. */
export async function capture(setting: Setting): Promise<Line[]> {
  const { place } = setting;
  const what = 'throughput the source loses to the log';
  if (spawnSync('pgbench', ['--version']).status !== 0)
    return [
      {
        scenario: 'capture',
        what,
        value: null,
        unit: '%',
        bar: { atMost: 6 },
        figures: 'not measured: there is no pgbench',
      },
    ];
  const customers = Math.ceil(setting.customers / 20);
  const server = await place.postgres('durable', true);
  try {
    await database(server, 'filled', SOURCE_SQL);
    await withClient(server.url('filled'), async (client) => {
      await client.query(fillSql(customers));
      await client.query(SOURCE_INDEX_SQL);
      await client.query('vacuum analyze');
    });
    return [await cost(setting, server, customers, [guarded('invoice')]), await cost(setting, server, customers, FOUR)];
  } finally {
    await place.put(server);
  }
}
