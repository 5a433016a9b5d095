import type { ClientBase } from 'pg';

/** Tables of the legacy system in foreign key order: parents first. */
export const LEGACY_TABLES = [
  'tariff',
  'customer',
  'service',
  'contract',
  'invoice',
  'invoice_line',
  'payment',
  'work_order',
  'ticket',
] as const;

/**
 * The legacy billing/OSS system, as twenty years left it: numbers, dates and flags are text, a blank stands for nothing,
 * one wide row holds all services. Every table names its customer; `reference` is the last operation that wrote the row.
 */
const TABLES = `
create schema legacy;
create sequence legacy.customer_seq;
create sequence legacy.contract_seq;
create sequence legacy.invoice_seq;
create sequence legacy.payment_seq;
create sequence legacy.order_seq;
create sequence legacy.ticket_seq;

create table legacy.tariff (
  code text primary key,
  descr text not null,
  price text not null,
  active text not null default 'Y'
);
create table legacy.customer (
  customer_id text primary key,
  name text not null default '',
  email text not null default '',
  phone text not null default '',
  gender text not null default '',
  senior_citizen text not null default '0',
  partner text not null default 'No',
  dependents text not null default 'No',
  tenure text not null default '0',
  status text not null default 'active',
  paperless text not null default 'No',
  payment_method text not null default '',
  monthly_charges text not null default '0.00',
  total_charges text not null default ' ',
  opened_at timestamptz not null default now(),
  reference text,
  note text
);
create table legacy.service (
  customer_id text primary key,
  phone text not null default 'No',
  multiple_lines text not null default 'No phone service',
  internet text not null default 'No',
  online_security text not null default 'No internet service',
  online_backup text not null default 'No internet service',
  device_protection text not null default 'No internet service',
  tech_support text not null default 'No internet service',
  streaming_tv text not null default 'No internet service',
  streaming_movies text not null default 'No internet service'
);
create table legacy.contract (
  contract_no text primary key,
  customer_id text not null,
  kind text not null,
  tariff_code text not null,
  started_on text not null,
  ended_on text not null default '',
  reference text
);
create table legacy.invoice (
  invoice_no text primary key,
  customer_id text not null,
  amount text not null,
  issued_on text not null,
  due_on text not null,
  state text not null default 'open',
  mailed_at timestamptz,
  reference text
);
create table legacy.invoice_line (
  invoice_no text not null,
  line_no text not null,
  customer_id text not null,
  descr text not null default '',
  amount text not null,
  reference text,
  primary key (invoice_no, line_no)
);
create table legacy.payment (
  payment_id text primary key,
  customer_id text not null,
  invoice_no text,
  amount text not null,
  kind text not null,
  booked_at timestamptz not null default now(),
  reference text
);
create table legacy.work_order (
  order_id text primary key,
  customer_id text not null,
  kind text not null,
  state text not null default 'new',
  created_at timestamptz not null default now(),
  reference text
);
create table legacy.ticket (
  ticket_no text primary key,
  customer_id text not null,
  subject text not null default '',
  severity text not null default 'low',
  state text not null default 'open',
  created_at timestamptz not null default now(),
  reference text
);
create table legacy.job (
  name text primary key,
  enabled boolean not null
);
insert into legacy.job values ('arrears', true);
create table legacy.job_call (key text primary key);
create table legacy.job_run (
  name text not null,
  at timestamptz not null default clock_timestamp(),
  overdue bigint not null
);`;

/** Made after the fill: an index built on a full table costs half of one that is there during the load. */
const KEYS_AND_INDEXES = `
alter table legacy.service add foreign key (customer_id) references legacy.customer;
alter table legacy.contract add foreign key (customer_id) references legacy.customer;
alter table legacy.contract add foreign key (tariff_code) references legacy.tariff;
alter table legacy.invoice add foreign key (customer_id) references legacy.customer;
alter table legacy.invoice_line add foreign key (invoice_no) references legacy.invoice on delete cascade;
alter table legacy.invoice_line add foreign key (customer_id) references legacy.customer;
alter table legacy.payment add foreign key (customer_id) references legacy.customer;
alter table legacy.payment add foreign key (invoice_no) references legacy.invoice;
alter table legacy.work_order add foreign key (customer_id) references legacy.customer;
alter table legacy.ticket add foreign key (customer_id) references legacy.customer;
create index on legacy.contract (customer_id);
create index on legacy.invoice (customer_id);
create index on legacy.invoice_line (customer_id);
create index on legacy.payment (customer_id);
create index on legacy.payment (invoice_no);
create index on legacy.work_order (customer_id);
create index on legacy.work_order (created_at) where state <> 'done';
create index on legacy.ticket (customer_id);`;

export const PROVISIONING_QUEUE = 'provisioning';
export const PROVISIONING_DEAD_LETTERS = 'provisioning-dead';

/**
 * Puts one order on the provisioning queue within the caller's transaction, as the legacy application does. A refused
 * write is tried again every two seconds for fifty minutes, which outlasts a freeze; then the message is a dead letter.
 */
const FUNCTIONS = `
create function legacy.enqueue_provisioning(order_id text, customer text) returns void language plpgsql as $$
begin
  insert into pgboss.job (name, data, retry_limit, retry_delay, dead_letter, policy)
  values ('${PROVISIONING_QUEUE}', jsonb_build_object('customer', customer, 'order', order_id), 1500, 2,
    '${PROVISIONING_DEAD_LETTERS}', 'standard');
end $$;`;

const runAll = async (client: ClientBase, sql: string): Promise<void> => {
  await client.query(sql);
};

/** Creates the empty tables, sequences and functions. Call `finishLegacy` once they are filled. */
export const createLegacy = (client: ClientBase): Promise<void> => runAll(client, `${TABLES}\n${FUNCTIONS}`);

/** Adds foreign keys and secondary indexes, and gives the planner its statistics. */
export const finishLegacy = (client: ClientBase): Promise<void> => runAll(client, `${KEYS_AND_INDEXES}\nanalyze;`);
