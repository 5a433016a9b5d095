-- The shared catalogue the city joins: a copy has one barcode, a patron's address is a row of its own.
create schema catalogue;
create schema people;
create schema circulation;

create table catalogue.library (
  library_code text primary key,
  name text not null
);

create table catalogue.copy (
  barcode text primary key,
  library_code text not null references catalogue.library,
  title text not null
);

create table people.member (
  member_no text primary key,
  first_name text not null,
  last_name text not null,
  date_of_birth date,
  home_library text not null references catalogue.library,
  is_active boolean not null default true
);

create table people.address (
  member_no text primary key references people.member,
  street text not null,
  town text not null
);

create table circulation.lending (
  barcode text not null references catalogue.copy,
  lent_at timestamptz not null,
  member_no text not null references people.member,
  returned boolean not null default false,
  primary key (barcode, lent_at)
);

create table circulation.penalty (
  library_code text not null references catalogue.library,
  copy_no integer not null,
  lent_at timestamptz not null,
  seq integer not null,
  member_no text not null references people.member,
  amount_cents integer not null check (amount_cents > 0),
  reason text not null,
  primary key (library_code, copy_no, lent_at, seq)
);

create sequence circulation.receipts;
create table circulation.penalty_payment (
  receipt bigint primary key default nextval('circulation.receipts'),
  member_no text not null references people.member,
  library_code text not null,
  copy_no integer not null,
  lent_at timestamptz not null,
  seq integer not null,
  amount_cents integer not null,
  taken_by varchar(20) not null,
  foreign key (library_code, copy_no, lent_at, seq) references circulation.penalty
);
