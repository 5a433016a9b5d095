/** First number of every wave lock: `pg_advisory_xact_lock(WAVE_LOCK_CLASS, wave)`. The ASCII codes of "cuto". */
export const WAVE_LOCK_CLASS = 1_668_641_903;

/** Raised when the tables or functions below change in a way an installed schema cannot live with. */
export const SCHEMA_VERSION = 4;

/**
 * Tables of schema `cutover`, the same in source and target. `change` has no check: it would cost each write of the source
 * a sixth of what logging costs. `change.op` is I, U, D (a write), or M (the customer
 * changed its wave, one row for the old and one for the new wave; or a guard was put back, for every row). A row that changes its owner across waves is
 * logged once for each wave. A TRUNCATE is logged as the deletion of every row. `fence.server` is the server the position is of.
 */
export const TABLES = `
create schema if not exists cutover;

create table if not exists cutover.meta (
  only_row boolean primary key default true check (only_row),
  version int not null,
  side text not null check (side in ('source', 'target'))
);

create table if not exists cutover.wave (
  wave int primary key check (wave >= 0),
  name text not null,
  state text not null check (state in ('open', 'frozen', 'sealed')),
  frozen_at timestamptz,
  frozen_epoch bigint,
  lease_until timestamptz,
  check ((state = 'frozen') = (lease_until is not null))
);

create table if not exists cutover.member (
  customer text primary key,
  wave int not null references cutover.wave,
  baseline boolean not null default false
);
create index if not exists member_wave on cutover.member (wave);

create table if not exists cutover.division (
  only_row boolean primary key default true check (only_row),
  cutover text not null,
  done boolean not null
);

create table if not exists cutover.change (
  seq bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  wave int not null,
  tab text not null,
  op text not null,
  old_key text[],
  new_key text[],
  old_owner text,
  new_owner text,
  at timestamptz not null default clock_timestamp()
);
create index if not exists change_wave_xid on cutover.change (wave, xid);

create table if not exists cutover.fence (
  key text primary key,
  epoch bigint not null,
  position text,
  server text
);

create table if not exists cutover.guarded (
  tab text primary key,
  relation text not null,
  key_columns text[] not null,
  customer_column text not null,
  guard text not null unique,
  fingerprint text not null
);

create table if not exists cutover.effect (
  key text primary key,
  customer text not null,
  at timestamptz not null default now()
);
`;
