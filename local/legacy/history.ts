import type { ClientBase } from 'pg';

/** The generated past ends here; what happens later is live traffic. */
const LAST_BILL = "date '2026-11-01'";

/**
 * Defines `pg_temp.roll(i, salt, sides)`: 0 … sides-1, always the same for the same seed, row and salt. A hash, because
 * `random()` in one set-based statement gives rows an order-dependent value.
 */
export async function seedRolls(client: ClientBase, seed: number): Promise<void> {
  if (!Number.isSafeInteger(seed)) throw new Error(`The seed is not an integer: ${seed}`);
  await client.query(`
    create or replace function pg_temp.roll(i bigint, salt int, sides int) returns int
    language sql immutable parallel safe as $$
      select ((hashint8extended(i, ${seed}::bigint * 1000 + salt) & 4611686018427387903) % sides)::int
    $$`);
}

const CONTRACTS = `
insert into legacy.contract (contract_no, customer_id, kind, tariff_code, started_on, ended_on)
select (2 * r.i)::text, r.customer_id, r.kind,
       case r.kind when 'One year' then 'PLAN-1Y' when 'Two year' then 'PLAN-2Y' else 'PLAN-MONTH' end,
       to_char(${LAST_BILL} - make_interval(months => r.tenure), 'YYYY-MM-DD'),
       case when r.ended then to_char(${LAST_BILL} - pg_temp.roll(r.i, 31, 25), 'YYYY-MM-DD') else '' end
from roster r;
insert into legacy.contract (contract_no, customer_id, kind, tariff_code, started_on, ended_on)
select (2 * r.i - 1)::text, r.customer_id, 'Month-to-month', 'PLAN-MONTH',
       to_char(${LAST_BILL} - make_interval(months => r.tenure + 7), 'YYYY-MM-DD'),
       to_char(${LAST_BILL} - make_interval(months => r.tenure), 'YYYY-MM-DD')
from roster r where r.tenure > 12 and pg_temp.roll(r.i, 32, 5) = 0;`;

/** Up to three bills a customer: the base fee and the usage of the month. One amount in thirty has a stray blank. */
const INVOICES = `
create temp table bill as
select 3 * (r.i - 1) + k as no, r.i, r.customer_id, r.automatic, k,
       r.monthly as fee, pg_temp.roll(3 * r.i + k, 41, 2500)::numeric / 100 as usage,
       (${LAST_BILL} - make_interval(months => 3 - k))::date as issued,
       pg_temp.roll(3 * r.i + k, 42, 100) as luck
from roster r cross join generate_series(1, 3) k
where k > 3 - r.tenure;
insert into legacy.invoice (invoice_no, customer_id, amount, issued_on, due_on, state, mailed_at)
select no::text, customer_id,
       case when luck % 30 = 7 then ' ' else '' end || (fee + usage)::numeric(12,2),
       to_char(issued, 'YYYY-MM-DD'), to_char(issued + 21, 'YYYY-MM-DD'),
       case when k < 3 and luck = 99 then 'written-off' when luck >= (case k when 3 then 55 else 92 end) then 'open' else 'paid' end,
       case when k < 3 or luck < 80 then (issued + interval '1 day 03:00:00.000001' * (1 + luck % 3)) at time zone 'UTC' end
from bill;
insert into legacy.invoice_line (invoice_no, line_no, customer_id, descr, amount)
select no::text, '1', customer_id, 'Subscription ' || to_char(issued, 'YYYY-MM'), fee::numeric(12,2)::text from bill
union all
select no::text, '2', customer_id, case when luck % 20 = 3 then '  Usage ' else 'Usage' end, usage::numeric(12,2)::text
from bill where usage > 0;`;

/** What was paid; one automatic debit in sixty came back, which leaves its bill open again. */
const PAYMENTS = `
insert into legacy.payment (payment_id, customer_id, invoice_no, amount, kind, booked_at)
select (2 * b.no - 1)::text, b.customer_id, v.invoice_no, btrim(v.amount), case when b.automatic then 'debit' else 'transfer' end,
       (b.issued + interval '1 day' * (3 + b.luck % 15) + interval '1 microsecond' * pg_temp.roll(b.no, 51, 2000000000)) at time zone 'UTC'
from bill b join legacy.invoice v on v.invoice_no = b.no::text where v.state = 'paid';
with returned as (
  update legacy.invoice v set state = 'open' from bill b
  where v.invoice_no = b.no::text and v.state = 'paid' and b.automatic and pg_temp.roll(b.no, 52, 60) = 0
  returning b.no, b.customer_id, v.invoice_no, v.amount, b.issued)
insert into legacy.payment (payment_id, customer_id, invoice_no, amount, kind, booked_at)
select (2 * no)::text, customer_id, invoice_no, '-' || btrim(amount), 'reversal', (issued + interval '25 days') at time zone 'UTC'
from returned;
drop table bill;`;

const ORDERS_AND_TICKETS = `
insert into legacy.work_order (order_id, customer_id, kind, state, created_at)
select r.i::text, r.customer_id, (array['install', 'change', 'repair', 'cancel'])[1 + pg_temp.roll(r.i, 61, 4)],
       case when pg_temp.roll(r.i, 62, 60) = 0 then 'new' else 'done' end,
       (${LAST_BILL} - interval '1 second' * pg_temp.roll(r.i, 63, 20000000)) at time zone 'UTC'
from roster r where pg_temp.roll(r.i, 64, 5) < 2;
insert into legacy.ticket (ticket_no, customer_id, subject, severity, state, created_at)
select r.i::text, r.customer_id,
       (array['No dial tone', 'Slow line', ' Bill not understood', 'Set-top box restarts ', 'Wrong address'])[1 + pg_temp.roll(r.i, 71, 5)],
       (array['low', 'low', 'medium', 'high'])[1 + pg_temp.roll(r.i, 72, 4)],
       case when pg_temp.roll(r.i, 73, 10) = 0 then 'open' else 'closed' end,
       (${LAST_BILL} - interval '1 second' * pg_temp.roll(r.i, 74, 20000000)) at time zone 'UTC'
from roster r where pg_temp.roll(r.i, 75, 4) = 0;`;

const SEQUENCES = `
select setval('legacy.contract_seq', 2 * greatest(max(i), 1)), setval('legacy.invoice_seq', 3 * greatest(max(i), 1)),
       setval('legacy.payment_seq', 6 * greatest(max(i), 1)), setval('legacy.order_seq', greatest(max(i), 1)),
       setval('legacy.ticket_seq', greatest(max(i), 1))
from roster;
drop table roster;`;

export const TARIFFS = `
insert into legacy.tariff (code, descr, price, active) values
  ('PHONE', 'Telephone', '20.00', 'Y'), ('INTERNET', ' Internet access', '25.00', 'Y'),
  ('ONLINE-SECURITY', 'Online security', '5.00', 'Y'), ('ONLINE-BACKUP', 'Online backup', '5.0', 'Y'),
  ('DEVICE-PROTECTION', 'Device protection', '5', 'Y'), ('TECH-SUPPORT', 'Technical support', '5.00', 'Y'),
  ('STREAMING-TV', 'Television', '10.00', 'Y'), ('STREAMING-MOVIES', 'Films', '10.00 ', 'Y'),
  ('PLAN-MONTH', 'Monthly plan', '0.00', 'Y'), ('PLAN-1Y', 'One year plan', '0.00', 'Y'), ('PLAN-2Y', 'Two year plan', '0.00', 'Y');`;

/**
 * Fills contracts, bills, payments, orders and tickets for the customers in the temp table `roster` (i from 1, customer_id,
 * tenure in months, monthly charge, kind of contract, ended, automatic: pays by direct debit), which it drops.
 */
export async function fillHistory(client: ClientBase): Promise<void> {
  for (const part of [CONTRACTS, INVOICES, PAYMENTS, ORDERS_AND_TICKETS, SEQUENCES]) await client.query(part);
}
