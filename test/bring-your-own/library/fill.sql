insert into lib.branch (code, title) values ('NO', 'North'), ('SO', 'South'), ('EA', 'East');
insert into lib.patron (card, first_name, last_name, born, branch, street, town, active)
  select (array['NO', 'SO', 'EA'])[1 + i % 3] || lpad(i::text, 5, '0'), 'First' || i, 'Last ' || i, case when i % 4 > 0 then date '1950-01-01' + 50 * i end,
    (array['NO', 'SO', 'EA'])[1 + i % 3], case when i % 6 > 0 then i || ' Long Street' end, case when i % 6 > 0 then 'Town' end,
    case when i % 10 = 0 then 'N' else 'Y' end
  from generate_series(1, 180) i;
update lib.branch b set manager = (select min(card::text) from lib.patron p where p.branch = b.code);
insert into lib.books select code, n, 'Book ' || n from lib.branch cross join generate_series(1, 100) n;
insert into lib.loan (branch, copy_no, lent_at, card, returned)
  select p.branch, 1 + (substr(p.card::text, 3)::int % 100), timestamptz '2026-01-01 10:00:00+01' + n * interval '20 days' + substr(p.card::text, 3)::int * interval '7 minutes', p.card, n < 3
  from lib.patron p cross join generate_series(1, 3) n;
insert into lib.fine select branch, copy_no, lent_at, n, 50 * n from lib.loan cross join generate_series(1, 2) n where returned;
insert into lib.fine_payment (branch, copy_no, lent_at, seq, cents) select branch, copy_no, lent_at, seq, cents from lib.fine where seq = 1;
insert into lib.turnstile values ('north', now());
