insert into erp.tbl_tariffs values ('DAY ', 'Day tariff', 31), ('NITE', 'Night tariff', 22), ('FLAT', 'One price', 28);
insert into erp.tbl_customers (cus_name, cus_mail, cus_blocked, cus_since, cus_status, cus_fax)
  select 'Household ' || i, case when i % 7 > 0 then 'h' || i || '@power.example' end, (i % 11 = 0)::int,
    to_char(date '2015-01-01' + i, 'YYYY-MM-DD'), case when i % 9 = 0 then 'C' else 'A' end, null
  from generate_series(1, 150) i;
update erp.tbl_customers set cus_referred_by = 1150 - (cus_no - 1001) where cus_no % 5 = 0 and cus_no <> 1150 - (cus_no - 1001);
insert into erp.tbl_meters (cus_no, mtr_serial, mtr_kind, "order")
  select cus_no, 'S' || cus_no || '-' || n, (array['POWER', 'GAS', 'WATER'])[n]::erp.meter_kind, n
  from erp.tbl_customers cross join generate_series(1, 2) n;
update erp.tbl_customers c set cus_main_mtr_id = (select min(mtr_id) from erp.tbl_meters m where m.cus_no = c.cus_no);
insert into erp.tbl_readings
  select mtr_id, date '2026-01-01' + 30 * n, mtr_id * 10 + n + 0.125 from erp.tbl_meters cross join generate_series(1, 3) n;
insert into erp.tbl_bills (cus_no, tar_code, bill_amount, bill_due)
  select cus_no, (array['DAY ', 'NITE', 'FLAT'])[1 + cus_no % 3], ' ' || (cus_no % 90) || '.50', '2026-12-' || lpad((1 + cus_no % 28)::text, 2, '0')
  from erp.tbl_customers cross join generate_series(1, 2);
insert into erp.tbl_bill_lines
  select bill_no, n, 'Line ' || n, (cus_no % 45) || '.25' from erp.tbl_bills cross join generate_series(1, 2) n;
insert into erp.tbl_log (what) values ('filled');
