/** A source with two tables: clients of a corner shop and notes about them. */
export const TINY_SOURCE_SQL = `
create schema tiny;
create sequence tiny.note_seq;
create table tiny.customer (id text primary key, label text not null default '', vip text not null default 'n');
create table tiny.note (
  id bigint primary key default nextval('tiny.note_seq'),
  customer text not null references tiny.customer,
  body text not null default '',
  done boolean not null default false
);
create index on tiny.note (customer);`;

export const TINY_TARGET_SQL = `
create schema shop;
create sequence shop.memo_seq;
create table shop.client (code text primary key, title text not null default '', important boolean not null default false);
create table shop.memo (
  memo_no bigint primary key default nextval('shop.memo_seq'),
  client_code text not null references shop.client deferrable,
  words text not null default '',
  done boolean not null default false
);
create index on shop.memo (client_code);`;

/** Fills the source with `customers` clients and three notes each. `$1` cannot be used: it is one plain statement list. */
export const tinyFillSql = (customers: number): string => `
insert into tiny.customer (id, label, vip)
  select 't' || i, ' client ' || i, case when i % 5 = 0 then 'y' else 'n' end from generate_series(1, ${customers}) i;
insert into tiny.note (customer, body, done)
  select 't' || i, 'note ' || n, n < 3 from generate_series(1, ${customers}) i cross join generate_series(1, 3) n;`;
