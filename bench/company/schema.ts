/** The source: everything is text, as old systems have it. */
export const SOURCE_SQL = `
create schema old;
create table old.customer (id text primary key, name text not null, email text not null, senior text not null, tenure text not null,
  charges text not null, opened_at timestamptz not null, note text);
create table old.contract (id text primary key, customer_id text not null, kind text not null, started text not null, price text not null);
create table old.invoice (id text primary key, customer_id text not null, amount text not null, issued text not null, state text not null);
create table old.payment (id text primary key, customer_id text not null, invoice_id text not null, amount text not null,
  booked_at timestamptz not null);`;

/** Keys and indexes of the source, for a filled one or for an empty twin of it. */
export const SOURCE_INDEX_SQL = `
alter table old.contract add foreign key (customer_id) references old.customer;
alter table old.invoice add foreign key (customer_id) references old.customer;
alter table old.payment add foreign key (customer_id) references old.customer;
alter table old.payment add foreign key (invoice_id) references old.invoice;
create index on old.contract (customer_id);
create index on old.invoice (customer_id);
create index on old.payment (customer_id);
create index on old.payment (invoice_id);`;

/** Tables in the order of their foreign keys; those of one list may be copied side by side. */
export const SOURCE_TABLES = [['old.customer'], ['old.contract', 'old.invoice'], ['old.payment']] as const;

/** The target: typed, with keys, foreign keys and an index for each reference, like those of the source. */
export const TARGET_SQL = `
create schema fresh;
create table fresh.customer (no text primary key, full_name text not null, email text not null, senior boolean not null,
  tenure int not null, charges numeric(12,2) not null, opened_at timestamptz not null);
create table fresh.contract (no bigint primary key, customer_no text not null references fresh.customer deferrable, kind text not null,
  starts date not null, price numeric(10,2) not null);
create table fresh.invoice (no bigint primary key, customer_no text not null references fresh.customer deferrable,
  amount numeric(12,2) not null, issued date not null, state text not null);
create table fresh.payment (no bigint primary key, customer_no text not null references fresh.customer deferrable,
  invoice_no bigint not null references fresh.invoice deferrable, amount numeric(12,2) not null, booked_at timestamptz not null);
create index on fresh.contract (customer_no);
create index on fresh.invoice (customer_no);
create index on fresh.payment (customer_no);
create index on fresh.payment (invoice_no);`;

/** Fills the source: each customer has a contract, an invoice and a payment. The same number of customers, the same rows. */
export const fillSql = (customers: number): string => `
insert into old.customer select 'C' || lpad(i::text, 8, '0'), '  Name ' || md5(i::text), 'Mail' || i || '@Example.NET', (i % 6 = 0)::int::text,
  (i % 72)::text, (i % 90000)::text || '.' || lpad((i % 100)::text, 2, '0'),
  timestamptz '2020-01-01 00:00:00+00' + i * interval '1.000001 second', case when i % 3 = 0 then 'rang about the bill of ' || i end
  from generate_series(1, ${customers}) i;
insert into old.contract select i::text, 'C' || lpad(i::text, 8, '0'), (array['Month-to-month', 'One year', 'Two year'])[1 + i % 3],
  to_char(date '2020-01-01' + i % 2000, 'YYYY-MM-DD'), (10 + i % 50)::text || '.5'
  from generate_series(1, ${customers}) i;
insert into old.invoice select i::text, 'C' || lpad(i::text, 8, '0'), (i % 300)::text || '.' || lpad((i % 97)::text, 2, '0'),
  to_char(date '2026-01-01' + i % 300, 'YYYY-MM-DD'), (array['OPEN', 'PAID', 'WRITTEN-OFF'])[1 + i % 3]
  from generate_series(1, ${customers}) i;
insert into old.payment select i::text, 'C' || lpad(i::text, 8, '0'), i::text, (i % 300)::text || '.' || lpad((i % 97)::text, 2, '0'),
  timestamptz '2026-01-01 00:00:00+00' + i * interval '0.000007 second'
  from generate_series(1, ${customers}) i;`;

export interface Image {
  source: { table: string; select: string };
  target: { table: string; select: string };
  /** Target columns in the order of both selects; the first is the key. */
  columns: readonly string[];
}

/**
 * The conversion written a second time by hand, as plain SQL: what the mapped rows must be, and what the bare upsert and the
 * bare digest compute. `s` is the source row, `t` the target's.
 */
export const IMAGES: readonly Image[] = [
  image('old.customer', 'fresh.customer', {
    no: 's.id',
    full_name: 'btrim(s.name)',
    email: 'lower(s.email)',
    senior: "s.senior = '1'",
    tenure: 's.tenure::int',
    charges: 's.charges::numeric(12,2)',
    opened_at: 's.opened_at',
  }),
  image('old.contract', 'fresh.contract', {
    no: 's.id::bigint',
    customer_no: 's.customer_id',
    kind: "case s.kind when 'Month-to-month' then 'monthly' when 'One year' then 'one-year' else 'two-year' end",
    starts: 's.started::date',
    price: 's.price::numeric(10,2)',
  }),
  image('old.invoice', 'fresh.invoice', {
    no: 's.id::bigint',
    customer_no: 's.customer_id',
    amount: 's.amount::numeric(12,2)',
    issued: 's.issued::date',
    state: 'lower(s.state)',
  }),
  image('old.payment', 'fresh.payment', {
    no: 's.id::bigint',
    customer_no: 's.customer_id',
    invoice_no: 's.invoice_id::bigint',
    amount: 's.amount::numeric(12,2)',
    booked_at: 's.booked_at',
  }),
];

function image(source: string, target: string, columns: Record<string, string>): Image {
  const names = Object.keys(columns);
  return {
    source: { table: source, select: Object.values(columns).join(', ') },
    target: { table: target, select: names.map((name) => `t.${name}`).join(', ') },
    columns: names,
  };
}
