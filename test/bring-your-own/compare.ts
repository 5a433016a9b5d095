import type { SystemName } from './systems';

/** Rows of both sides that must be the same, in SQL that knows nothing of the conversion. */
interface Comparison {
  what: string;
  source: string;
  target: string;
  /** A comparison of nothing proves nothing. */
  atLeast: number;
}

export const COMPARISONS: Readonly<Record<SystemName, readonly Comparison[]>> = {
  utility: [
    {
      what: 'customers',
      source: `select cus_no::text as no, cus_name as name, cus_mail as mail, cus_blocked = 1 as blocked, cus_since as since,
        cus_status = 'C' as closed, cus_referred_by::text as by, cus_main_mtr_id::text as meter from erp.tbl_customers order by cus_no`,
      target: `select customer_id::text as no, name, email as mail, is_blocked as blocked, customer_since::text as since,
        status = 'closed' as closed, referred_by::text as by, main_meter_id::text as meter from crm.customer order by customer_id`,
      atLeast: 150,
    },
    {
      what: 'meters',
      source: `select mtr_id::text as id, cus_no::text as no, mtr_serial as serial, lower(mtr_kind::text) as kind, "order"::int as place from erp.tbl_meters order by mtr_id`,
      target: `select meter_id::text as id, customer_id::text as no, serial_number as serial, kind, sort_order as place from grid.meter order by meter_id`,
      atLeast: 300,
    },
    {
      what: 'readings, with the customer of their meter',
      source: `select r.mtr_id::text as id, read_on::text as day, m.cus_no::text as no, read_value::numeric(12,3)::text as value
        from erp.tbl_readings r join erp.tbl_meters m using (mtr_id) order by r.mtr_id, read_on`,
      target: `select meter_id::text as id, read_on::text as day, customer_id::text as no, value_kwh::text as value from grid.meter_reading order by meter_id, read_on`,
      atLeast: 890,
    },
    {
      what: 'bills and their lines',
      source: `select b.bill_no::int as no, b.cus_no::text as customer, rtrim(tar_code) as tariff, trim(bill_amount)::numeric(12,2)::text as amount,
          bill_due as due, line_no::int as line, line_text as text, trim(line_amount)::numeric(12,2)::text as part
        from erp.tbl_bills b left join erp.tbl_bill_lines l using (bill_no) order by 1, line_no`,
      target: `select b.bill_id::int as no, b.customer_id::text as customer, tariff_code as tariff, b.amount::text as amount, due_date::text as due,
          line_no as line, text, l.amount::text as part
        from billing.bill b left join billing.bill_line l using (bill_id) order by 1, line_no`,
      atLeast: 600,
    },
    {
      what: 'tariffs',
      source: 'select rtrim(tar_code) as code, tar_descr as text, tar_cents as cents from erp.tbl_tariffs order by 1',
      target: 'select code, description as text, price_cents as cents from billing.tariff order by 1',
      atLeast: 3,
    },
  ],
  library: [
    {
      what: 'patrons, and where they live',
      source: `select card::text as card, first_name, last_name, born::text as born, rtrim(branch) as branch, active = 'Y' as active,
        street, case when street is not null then town end as town from lib.patron order by card::text`,
      target: `select member_no as card, first_name, last_name, date_of_birth::text as born, home_library as branch, is_active as active, street, town
        from people.member left join people.address using (member_no) order by member_no`,
      atLeast: 180,
    },
    {
      what: 'loans, with the title of the copy',
      source: `select branch || '-' || copy_no as barcode, lent_at, card::text as card, returned, title
        from lib.loan join lib.books using (branch, copy_no) order by 1, lent_at`,
      target: `select barcode, lent_at, member_no as card, returned, title from circulation.lending join catalogue.copy using (barcode) order by 1, lent_at`,
      atLeast: 530,
    },
    {
      what: 'fines, with the patron of their loan',
      source: `select rtrim(f.branch) as branch, f.copy_no, f.lent_at, seq::int as seq, l.card::text as card, cents, reason
        from lib.fine f join lib.loan l using (branch, copy_no, lent_at) order by 1, 2, 3, 4`,
      target: `select library_code as branch, copy_no, lent_at, seq, member_no as card, amount_cents as cents, reason from circulation.penalty order by 1, 2, 3, 4`,
      atLeast: 700,
    },
    {
      what: 'payments, with the patron of their loan',
      source: `select receipt::text as receipt, l.card::text as card, rtrim(p.branch) as branch, p.copy_no, p.lent_at, seq::int as seq, cents, "user" as by
        from lib.fine_payment p join lib.loan l using (branch, copy_no, lent_at) order by p.receipt`,
      target: `select receipt::text as receipt, member_no as card, library_code as branch, copy_no, lent_at, seq, amount_cents as cents, taken_by as by
        from circulation.penalty_payment order by circulation.penalty_payment.receipt`,
      atLeast: 350,
    },
  ],
};

/** What the business does between the copy and the freeze: births, ends, new keys, and rows whose parent changes hands. */
export const CHANGES: Readonly<Record<SystemName, string>> = {
  utility: `
    insert into erp.tbl_customers (cus_name, cus_since) values ('Won tonight', '2026-11-01');
    insert into erp.tbl_bills (cus_no, tar_code, bill_amount, bill_due) values (1005, 'FLAT', '7.10', '2026-12-24');
    insert into erp.tbl_bill_lines (bill_no, line_no, line_amount) select max(bill_no::int)::text, 1, '7.10' from erp.tbl_bills;
    update erp.tbl_meters set cus_no = 1020 where cus_no = 1010 and "order" = 2;
    delete from erp.tbl_readings where mtr_id = 3;
    update erp.tbl_customers set cus_status = 'C', cus_mail = null, cus_main_mtr_id = null where cus_no = 1030;`,
  library: `
    insert into lib.patron (card, first_name, last_name, branch) values ('NO99999', 'Won', 'Tonight', 'NO');
    insert into lib.loan (branch, copy_no, lent_at, card) values ('NO', 5, '2026-11-01 12:00:00+00', 'NO99999');
    insert into lib.fine values ('NO', 5, '2026-11-01 12:00:00+00', 1, 75);
    insert into lib.fine_payment (branch, copy_no, lent_at, seq, cents) values ('NO', 5, '2026-11-01 12:00:00+00', 1, 75);
    update lib.loan set card = 'SO00001' where card = 'SO00004' and returned;
    delete from lib.loan where card = 'EA00002' and not returned;
    update lib.patron set street = null, active = 'N' where card = 'EA00005';`,
};

/** What the library's new system takes after the switch, and how the old one shows it when everything has come back. */
export const WRITTEN_BACK = {
  changes: `
    insert into circulation.lending (barcode, lent_at, member_no) values ('NO-7', '2026-11-29 09:00:00+00', 'NO00003');
    insert into circulation.penalty values ('NO', 7, '2026-11-29 09:00:00+00', 1, 'NO00003', 125, 'torn');
    update people.address set street = 'Harbour Quay' where member_no = 'NO00003';
    update people.member set is_active = false where member_no = 'NO00003';`,
  source: `
    select p.street, p.active, l.branch || '-' || l.copy_no as copy, f.cents, f.reason
    from lib.patron p join lib.loan l on l.card = p.card
      join lib.fine f on (f.branch, f.copy_no, f.lent_at) = (l.branch, l.copy_no, l.lent_at)
    where p.card = 'NO00003' and l.lent_at > '2026-11-28' and p.street = 'Harbour Quay'`,
  rows: [{ street: 'Harbour Quay', active: 'N', copy: 'NO-7', cents: 125, reason: 'torn' }],
};
