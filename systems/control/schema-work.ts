/**
 * Chunks of bulk work, routing, requests and refused writes. `custody_ended` and `intake_ended`: the highest epoch under which the
 * wave settled on a side, or its intake was opened.
 */
export const WORK_DDL = `
create table control.chunk (
  cutover text not null,
  wave int not null,
  entity text not null,
  no int not null,
  entity_no int not null,
  lo text,
  hi text,
  planned_rows bigint not null,
  after text[] not null,
  state text not null default 'open' check (state in ('open', 'claimed', 'done')),
  epoch bigint not null default 0,
  claimed_by text,
  claimed_until timestamptz,
  rows bigint not null default 0,
  done_at timestamptz,
  planned_under bigint not null,
  primary key (cutover, wave, entity, no));

create table control.wave (
  cutover text not null,
  wave int not null,
  name text not null,
  custody text not null check (custody in ('source', 'moving', 'target', 'retired')),
  intake text not null check (intake in ('open', 'held')),
  epoch bigint not null default 0,
  custody_ended bigint,
  intake_ended bigint,
  primary key (cutover, wave));

create table control.member (
  cutover text not null,
  customer text not null,
  wave int not null,
  primary key (cutover, customer));

create table control.request (
  id bigint generated always as identity primary key,
  cutover text not null,
  idempotency_key text not null,
  customer text not null,
  kind text not null,
  payload jsonb not null,
  state text not null check (state in ('held', 'forwarding', 'effected', 'refused')),
  wave int not null,
  side text check (side in ('source', 'target')),
  reason text,
  accepted_at timestamptz not null default clock_timestamp(),
  held_at timestamptz,
  forwarded_at timestamptz,
  done_at timestamptz,
  unique (cutover, idempotency_key));
create index request_pending on control.request (cutover, customer, id)
  where state in ('held', 'forwarding');

create table control.refusal (
  cutover text not null,
  wave int,
  at timestamptz not null default clock_timestamp());
create index refusal_cutover on control.refusal (cutover);
`;
