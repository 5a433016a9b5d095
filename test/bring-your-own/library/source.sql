-- A city's libraries: keys of several columns, shared tables that point back at patrons, no sequence but one.
create schema lib;
create domain lib.card_number as text check (value ~ '^[A-Z]{2}[0-9]{5}$');

create table lib.branch (
  code char(2) primary key,
  title text not null,
  manager lib.card_number
);

create table lib.patron (
  card lib.card_number primary key,
  first_name text not null,
  last_name text not null,
  born date,
  branch char(2) not null references lib.branch,
  street text,
  town text,
  active char(1) not null default 'Y'
);
-- A branch is run by a patron, who belongs to a branch.
alter table lib.branch add constraint branch_run_by foreign key (manager) references lib.patron;

create table lib.books (
  branch char(2) not null references lib.branch,
  copy_no integer not null,
  title text not null,
  primary key (branch, copy_no)
);

create table lib.loan (
  branch char(2) not null,
  copy_no integer not null,
  lent_at timestamptz not null,
  card lib.card_number not null references lib.patron,
  returned boolean not null default false,
  primary key (branch, copy_no, lent_at),
  foreign key (branch, copy_no) references lib.books
);

create table lib.fine (
  branch char(2) not null,
  copy_no integer not null,
  lent_at timestamptz not null,
  seq smallint not null,
  cents integer not null,
  reason text not null default 'late',
  primary key (branch, copy_no, lent_at, seq),
  foreign key (branch, copy_no, lent_at) references lib.loan on delete cascade
);

create sequence lib.receipt_no;
create table lib.fine_payment (
  receipt bigint primary key default nextval('lib.receipt_no'),
  branch char(2) not null,
  copy_no integer not null,
  lent_at timestamptz not null,
  seq smallint not null,
  cents integer not null,
  "user" text not null default 'desk',
  foreign key (branch, copy_no, lent_at, seq) references lib.fine on delete cascade
);

create table lib.turnstile (door text, opened_at timestamptz);
create view lib.overdue as select l.card, b.title from lib.loan l join lib.books b using (branch, copy_no) where not l.returned;
