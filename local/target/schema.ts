import type { ClientBase } from 'pg';

/** The new system: typed, renamed, split and merged. A customer born here is numbered 'N' and the next of crm.customer_seq. */
const TABLES = `
create schema catalog;
create schema crm;
create schema billing;
create schema oss;
create schema care;
create sequence crm.customer_seq;
create sequence billing.invoice_seq;
create sequence billing.payment_seq;
create sequence oss.order_seq;
create sequence oss.agreement_seq;
create sequence care.ticket_seq;

create table catalog.product (
  code text primary key,
  name text not null,
  price numeric(10,2) not null check (price >= 0)
);
create table crm.customer (
  customer_no text primary key,
  full_name text not null default '',
  email text not null default '',
  phone text not null default '',
  gender text not null default 'unknown' check (gender in ('female', 'male', 'unknown')),
  senior boolean not null default false,
  has_partner boolean not null default false,
  has_dependents boolean not null default false,
  tenure_months int not null default 0 check (tenure_months >= 0),
  status text not null default 'active' check (status in ('active', 'departed')),
  total_charges numeric(12,2) not null default 0,
  monthly_charges numeric(10,2) not null default 0,
  opened_at timestamptz not null default now(),
  reference text
);
create table billing.account (
  customer_no text primary key,
  paperless boolean not null default false,
  payment_method text not null default 'unknown' check (payment_method in
    ('electronic-check', 'mailed-check', 'bank-transfer', 'credit-card', 'unknown'))
);
create table oss.service (
  customer_no text not null,
  product_code text not null,
  detail text not null default '',
  primary key (customer_no, product_code),
  check (detail = any (case product_code
    when 'phone' then array['single', 'multiple'] when 'internet' then array['dsl', 'fiber'] else array[''] end))
);
create table oss.agreement (
  agreement_no bigint primary key,
  customer_no text not null,
  kind text not null check (kind in ('monthly', 'one-year', 'two-year')),
  product_code text not null,
  starts date not null,
  ends date,
  reference text
);
create table billing.invoice (
  invoice_no bigint primary key,
  customer_no text not null,
  amount numeric(12,2) not null,
  issued date not null,
  due date not null,
  state text not null default 'open' check (state in ('open', 'paid', 'written-off')),
  mailed_at timestamptz,
  reference text
);
create table billing.invoice_line (
  invoice_no bigint not null,
  line_no int not null,
  customer_no text not null,
  description text not null default '',
  amount numeric(12,2) not null,
  reference text,
  primary key (invoice_no, line_no)
);
create table billing.payment (
  payment_no bigint primary key,
  customer_no text not null,
  invoice_no bigint,
  amount numeric(12,2) not null,
  kind text not null check (kind in ('debit', 'transfer', 'reversal')),
  booked_at timestamptz not null default now(),
  reference text
);
create table oss.work_order (
  order_no bigint primary key,
  customer_no text not null,
  kind text not null,
  state text not null default 'new' check (state in ('new', 'busy', 'done')),
  created_at timestamptz not null default now(),
  reference text
);
create table care.ticket (
  ticket_no bigint primary key,
  customer_no text not null,
  subject text not null default '',
  severity text not null default 'low',
  state text not null default 'open' check (state in ('open', 'closed')),
  created_at timestamptz not null default now(),
  reference text
);`;

const KEYS_AND_INDEXES = `
alter table billing.account add foreign key (customer_no) references crm.customer deferrable;
alter table oss.service add foreign key (customer_no) references crm.customer deferrable;
alter table oss.service add foreign key (product_code) references catalog.product deferrable;
alter table oss.agreement add foreign key (customer_no) references crm.customer deferrable;
alter table oss.agreement add foreign key (product_code) references catalog.product deferrable;
alter table billing.invoice add foreign key (customer_no) references crm.customer deferrable;
alter table billing.invoice_line add foreign key (invoice_no) references billing.invoice deferrable;
alter table billing.invoice_line add foreign key (customer_no) references crm.customer deferrable;
alter table billing.payment add foreign key (customer_no) references crm.customer deferrable;
alter table billing.payment add foreign key (invoice_no) references billing.invoice deferrable;
alter table oss.work_order add foreign key (customer_no) references crm.customer deferrable;
alter table care.ticket add foreign key (customer_no) references crm.customer deferrable;
create index on oss.agreement (customer_no);
create index on billing.invoice (customer_no);
create index on billing.invoice_line (customer_no);
create index on billing.payment (customer_no);
create index on billing.payment (invoice_no);
create index on oss.work_order (customer_no);
create index on care.ticket (customer_no);`;

/** Creates the empty target system. It comes with its own catalogue only after the reference data is moved. */
export async function createTarget(client: ClientBase): Promise<void> {
  await client.query(`${TABLES}\n${KEYS_AND_INDEXES}`);
}
