import type { Pool } from 'pg';
import { conversionSchema, type Conversion } from '../../../../runbooks/schema/conversion';
import { connect } from '../../../../systems/postgres/connect';
import { compileConversion, guardedTables } from '../../../../systems/postgres/data/compile';
import type { CompiledConversion } from '../../../../systems/postgres/data/compiled';
import { installData, type Population } from '../../../../systems/postgres/data/install';
import { guardTables, install, seedWaves } from '../../../../systems/postgres/schema';
import { freshDatabase } from '../../../support/databases';

const SOURCE = `
  create schema old;
  create table old.tariff (code text primary key, descr text not null, price text not null);
  create table old.customer (id text primary key, name text not null, email text, total text not null, tenure text not null,
    senior text not null, kind text not null, paper text, note text not null default 'as it was', active text not null default 'Y');
  create table old.bill (bill_no text primary key, cust text not null, amount text not null, mailed timestamptz, memo text default 'kept');
  create table old.bill_line (bill_no text, line_no int, cust text not null, amount text not null, primary key (bill_no, line_no));
  create table old.feature (cust text primary key, a text not null, b text not null, c text not null, memo text default 'kept');
  create sequence old.bill_seq;
  insert into old.tariff select 'T' || g, ' Tariff ' || g || ' ', g || '.50' from generate_series(1, 3) g;
  insert into old.customer select 'c' || to_char(g, 'FM000'), 'Name ' || g, 'mail' || g, case when g % 7 = 0 then '' else g || '.10' end,
    case when g % 14 = 0 then '0' when g % 7 = 0 then '4' else '3' end, (g % 2)::text, case when g % 2 = 0 then 'home' else 'business' end,
    case when g % 3 = 0 then 'No' else 'Yes' end from generate_series(1, 40) g;
  insert into old.bill select n::text, 'c' || to_char((n % 40) + 1, 'FM000'), (n || '.25'), timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1 hour'
    from generate_series(1, 120) n;
  insert into old.bill_line select bill_no, l, cust, l || '.00' from old.bill, generate_series(1, 2) l;
  insert into old.feature select id, case when right(id, 1) = '1' then 'Yes' else 'No' end, 'Yes', case when right(id, 1) in ('2', '3') then 'Yes' else 'No' end
    from old.customer;
  select setval('old.bill_seq', 120);`;

const TARGET = `
  create schema fresh;
  create type fresh.kind as enum ('home', 'business');
  create domain fresh.money as numeric check (value > -1000000);
  create table fresh.product (code text primary key, name text not null, price numeric(10,2) not null);
  create table fresh.person (no text primary key, full_name text not null, email text unique, total fresh.money, tenure int not null,
    senior boolean not null, kind fresh.kind not null, active boolean not null);
  create table fresh.account (no text primary key references fresh.person, paperless boolean);
  create table fresh.invoice (invoice_no bigint primary key, no text not null, amount numeric not null, mailed timestamptz, channel text default 'web');
  create table fresh.invoice_line (invoice_no bigint references fresh.invoice, line_no int, no text not null, amount numeric(12,2) not null,
    primary key (invoice_no, line_no));
  create table fresh.feature (no text, code text, primary key (no, code));
  create sequence fresh.invoice_seq;`;

export const CONVERSION: Conversion = conversionSchema.parse({
  reference: {
    product: {
      from: 'old.tariff',
      to: 'fresh.product',
      key: 'code',
      columns: { code: 'code', name: 'btrim(descr)', price: 'price::numeric' },
    },
  },
  entities: {
    line: {
      from: { table: 'old.bill_line', key: ['bill_no', 'line_no'], customer: 'cust' },
      to: { table: 'fresh.invoice_line', key: ['invoice_no', 'line_no'], customer: 'no' },
      columns: {
        invoice_no: { to: 'bill_no::bigint', back: 'invoice_no::text', into: 'bill_no' },
        line_no: 'line_no',
        no: 'cust',
        amount: { to: 'amount::numeric', back: 'amount::text', into: 'amount' },
      },
    },
    person: {
      from: { table: 'old.customer', key: 'id', customer: 'id' },
      to: { table: 'fresh.person', key: 'no', customer: 'no' },
      columns: {
        no: 'id',
        full_name: { to: 'btrim(name)', back: 'full_name', into: 'name' },
        email: 'email',
        total: {
          to: `nullif(btrim(total), '')::numeric`,
          back: 'total::text',
          into: 'total',
          valid: `btrim(total) = '' or pg_input_is_valid(total, 'numeric')`,
        },
        tenure: { to: 'tenure::int', back: 'tenure::text', into: 'tenure', valid: `tenure ~ '^[0-9]+$'` },
        senior: { to: `senior = '1'`, back: `case when senior then '1' else '0' end`, into: 'senior' },
        kind: { to: 'kind', back: 'kind', into: 'kind' },
        active: { to: `active = 'Y'`, back: `case when active then 'Y' else 'N' end`, into: 'active' },
      },
      rules: [
        {
          id: 'blank-new',
          when: `btrim(total) = '' and tenure = '0'`,
          then: { set: { total: '0.00' } },
          why: 'never billed',
        },
        { id: 'blank-old', when: `btrim(total) = '' and tenure <> '0'`, then: 'exclude', why: 'nobody knows' },
      ],
    },
    account: {
      from: { query: 'select id, paper from old.customer', changedBy: { 'old.customer': 'id' }, customer: 'id' },
      to: { table: 'fresh.account', key: 'no', customer: 'no' },
      columns: { no: 'id', paperless: `paper = 'Yes'` },
      back: {
        table: 'old.customer',
        key: 'id',
        customer: 'id',
        query: `select no as id, case when paperless then 'Yes' when not paperless then 'No' end as paper from target`,
      },
    },
    invoice: {
      from: { table: 'old.bill', key: 'bill_no', customer: 'cust' },
      to: {
        table: 'fresh.invoice',
        key: 'invoice_no',
        customer: 'no',
        sequence: { name: 'fresh.invoice_seq', startAbove: 1000 },
      },
      columns: {
        invoice_no: { to: 'bill_no::bigint', back: 'invoice_no::text', into: 'bill_no' },
        no: 'cust',
        amount: { to: 'amount::numeric', back: 'amount::text', into: 'amount' },
        mailed: 'mailed',
      },
      sourceSequence: 'old.bill_seq',
    },
    feature: {
      from: {
        query: `select f.cust, v.code from old.feature f cross join lateral (values ('a', f.a), ('b', f.b), ('c', f.c)) v(code, flag) where v.flag = 'Yes'`,
        changedBy: { 'old.feature': 'cust' },
        customer: 'cust',
      },
      to: { table: 'fresh.feature', key: ['no', 'code'], customer: 'no' },
      columns: { no: 'cust', code: 'code' },
      back: {
        table: 'old.feature',
        key: 'cust',
        customer: 'cust',
        query: `select c.customer as cust, case when bool_or(t.code = 'a') then 'Yes' else 'No' end as a,
          case when bool_or(t.code = 'b') then 'Yes' else 'No' end as b, case when bool_or(t.code = 'c') then 'Yes' else 'No' end as c
          from customers c left join target t on t.no = c.customer group by 1`,
      },
    },
  },
});

export const POPULATION = {
  from: 'old.customer',
  key: 'id',
  active: `active = 'Y'`,
  target: { from: 'fresh.person', key: 'no', active: 'active' },
};

export interface Example {
  pair: { source: Pool; target: Pool };
  compiled: CompiledConversion;
  end(): Promise<void>;
}

/** What a pair of databases under conversion is made of; `members` fills `cutover.member` on both sides. */
export interface Setting {
  source: string;
  target: string;
  conversion: Conversion;
  population: Population;
  members: string;
}

/** Two databases with waves 1 to 3 under epoch 1, guarded and ready for a preload. */
export async function conversionPair({ source, target, conversion, population, members }: Setting): Promise<Example> {
  const open = async (side: string): Promise<Pool> =>
    connect(await freshDatabase(`data_${side}`), { applicationName: 'data test' });
  const pair = { source: await open('source'), target: await open('target') };
  await pair.source.query(source);
  await pair.target.query(target);
  for (const side of ['source', 'target'] as const) {
    await install(pair[side], side);
    await seedWaves(
      pair[side],
      side,
      [1, 2, 3].map((wave) => ({ wave, name: `wave-${wave}` })),
    );
  }
  const compiled = await compileConversion(conversion, pair);
  await installData(pair, population);
  for (const side of ['source', 'target'] as const) {
    await guardTables(pair[side], guardedTables(compiled, side));
    await pair[side].query(`insert into cutover.member ${members}`);
    await raise(pair[side], [1, 2, 3], 1);
  }
  return { pair, compiled, end: async () => void (await Promise.all([pair.source.end(), pair.target.end()])) };
}

/** Forty customers: c001 to c020 in wave 1, c021 to c030 in wave 2, the rest and newcomers in wave 3. */
export const example = (): Promise<Example> =>
  conversionPair({
    source: SOURCE,
    target: TARGET,
    conversion: CONVERSION,
    population: POPULATION,
    members: `select 'c' || to_char(g, 'FM000'), case when g <= 20 then 1 when g <= 30 then 2 else 3 end, true
      from generate_series(1, 40) g`,
  });

export async function raise(pool: Pool, waves: number[], epoch: number): Promise<void> {
  await pool.query('update cutover.fence set epoch = $2 where key = any ($1)', [
    waves.map((wave) => `wave/${wave}`),
    epoch,
  ]);
}

/** Rows of a query as lines of text, for comparing the two sides. */
export async function lines(pool: Pool, query: string): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(`select row(q.*)::text as line from (${query}) q order by 1`);
  return rows.map((row) => row.line);
}

/** Changes rows behind the guards, as corruption would: nothing is logged, nobody is asked, and no trace is left. */
export async function behindTriggers(pool: Pool, sql: string, values: unknown[] = []): Promise<void> {
  const each = (what: string): string => `do $$ declare t regclass; begin
    for t in select distinct tgrelid::regclass from pg_trigger where tgname = 'cutover_guard' loop execute format('alter table %s ${what}', t); end loop; end $$`;
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(each('disable trigger user'));
    await client.query(sql, values);
    await client.query(each('enable always trigger cutover_guard, enable always trigger cutover_truncate'));
    await client.query('update cutover.guarded set fingerprint = cutover.fingerprint(relation, guard)');
    await client.query('commit');
  } finally {
    client.release();
  }
}
