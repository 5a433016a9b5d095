import type { ClientBase } from 'pg';
import { fillHistory, seedRolls, TARIFFS } from './history';

const list = (words: readonly string[]): string => `(array[${words.map((word) => `'${word}'`).join(', ')}])`;

const FIRST = list([
  'Ada',
  'Bas',
  'Cees',
  'Daan',
  'Elif',
  'Fenna',
  'Gijs',
  'Hanna',
  'Imre',
  'Jet',
  'Koen',
  'Lotte',
  'Mees',
  'Noor',
  'Otis',
  'Puck',
]);
const LAST = list([
  'Aalbers',
  'Boerma',
  'Claassen',
  'Dekker',
  'Evers',
  'Faber',
  'Groen',
  'Huisman',
  'Idema',
  'Jonker',
  'Kramer',
  'Lansink',
  'Mulder',
]);
const PAYS = list(['Electronic check', 'Mailed check', 'Bank transfer (automatic)', 'Credit card (automatic)']);
const KINDS = list(['Month-to-month', 'Month-to-month', 'Month-to-month', 'One year', 'Two year']);

/** Name, e-mail and phone are invented from the row number: some padded, some in capitals, as people typed them. */
export const PERSON_COLUMNS = `
  case when pg_temp.roll(i, 1, 20) = 0 then '  ' else '' end
    || ${FIRST}[1 + pg_temp.roll(i, 2, 16)] || ' ' || ${LAST}[1 + pg_temp.roll(i, 3, 13)]
    || case when pg_temp.roll(i, 4, 25) = 0 then '   ' else '' end as name,
  case when pg_temp.roll(i, 5, 40) = 0 then 'CUSTOMER' else 'customer' end || i || '@example.net' as email,
  case when pg_temp.roll(i, 6, 30) = 0 then ' 06-' else '06' end || lpad(pg_temp.roll(i, 7, 100000000)::text, 8, '0') as phone`;

/** One row for each customer with everything decided, from which the tables are filled. */
const draft = (customers: number): string => `
create temp table draft as
with base as (
  select i, 'C' || lpad(i::text, 7, '0') as customer_id,
         case when pg_temp.roll(i, 10, 640) = 0 then 0 else 1 + pg_temp.roll(i, 11, 72) end as tenure,
         case pg_temp.roll(i, 12, 9) when 0 then 'No' when 1 then 'No' when 2 then 'DSL' when 3 then 'DSL' when 4 then 'DSL'
           else 'Fiber optic' end as internet,
         pg_temp.roll(i, 13, 10) > 0 as has_phone
  from generate_series(1, ${customers}) i),
flags as (
  select base.*, has_phone or internet = 'No' as phone,
         internet <> 'No' and pg_temp.roll(i, 14, 3) = 0 as security, internet <> 'No' and pg_temp.roll(i, 15, 3) = 0 as backup,
         internet <> 'No' and pg_temp.roll(i, 16, 3) = 0 as protection, internet <> 'No' and pg_temp.roll(i, 17, 3) = 0 as support,
         internet <> 'No' and pg_temp.roll(i, 18, 2) = 0 as tv, internet <> 'No' and pg_temp.roll(i, 19, 2) = 0 as movies
  from base)
select flags.*,
       case when phone then 20 else 0 end + case internet when 'No' then 0 when 'DSL' then 25 else 50 end
         + 5 * (security::int + backup::int + protection::int + support::int) + 10 * (tv::int + movies::int)
         + pg_temp.roll(i, 20, 20)::numeric / 20 as monthly,
       pg_temp.roll(i, 21, 150) = 0 as departed,
       ${PAYS}[1 + pg_temp.roll(i, 22, 4)] as pays, ${KINDS}[1 + pg_temp.roll(i, 23, 5)] as kind
from flags;`;

/** A total is blank in the first month, and for one customer in a thousand because somebody lost it. */
const CUSTOMERS = `
insert into legacy.customer (customer_id, name, email, phone, gender, senior_citizen, partner, dependents, tenure, status,
                             paperless, payment_method, monthly_charges, total_charges, opened_at)
select customer_id, ${PERSON_COLUMNS},
       ${list(['Female', 'Male'])}[1 + pg_temp.roll(i, 24, 2)], (pg_temp.roll(i, 25, 6) = 0)::int::text,
       ${list(['Yes', 'No'])}[1 + pg_temp.roll(i, 26, 2)], ${list(['Yes', 'No', 'No'])}[1 + pg_temp.roll(i, 27, 3)],
       tenure::text, case when departed then 'departed' else 'active' end,
       ${list(['Yes', 'Yes', 'No'])}[1 + pg_temp.roll(i, 28, 3)], pays, monthly::numeric(10,2)::text,
       case when tenure = 0 or pg_temp.roll(i, 29, 1000) = 0 then ' '
            else trim_scale((monthly * tenure + pg_temp.roll(i, 30, 2000)::numeric / 100)::numeric(12,2))::text end,
       (timestamp '2026-11-01' - make_interval(months => tenure)
         + interval '1 microsecond' * pg_temp.roll(i, 9, 2000000000)) at time zone 'UTC'
from draft;`;

const flag = (column: string): string =>
  `case when internet = 'No' then 'No internet service' when ${column} then 'Yes' else 'No' end`;

const SERVICES = `
insert into legacy.service (customer_id, phone, multiple_lines, internet, online_security, online_backup, device_protection,
                            tech_support, streaming_tv, streaming_movies)
select customer_id, case when phone then 'Yes' else 'No' end,
       case when not phone then 'No phone service' when pg_temp.roll(i, 8, 2) = 0 then 'Yes' else 'No' end,
       internet, ${['security', 'backup', 'protection', 'support', 'tv', 'movies'].map(flag).join(', ')}
from draft;
create temp table roster as
select i, customer_id, tenure, monthly, kind, departed as ended, pays like '%(automatic)' as automatic from draft;
drop table draft;`;

/**
 * Fills the empty legacy tables with `customers` customers and their history; the same seed gives the same rows. Runs in
 * one transaction. Call `createLegacy` before and `finishLegacy` after it.
 */
export async function generateLegacy(client: ClientBase, options: { customers: number; seed?: number }): Promise<void> {
  const { customers, seed = 1 } = options;
  if (!Number.isInteger(customers) || customers < 1)
    throw new Error(`The number of customers must be 1 or more, not ${customers}`);
  await client.query('begin');
  try {
    await seedRolls(client, seed);
    for (const part of [TARIFFS, draft(customers), CUSTOMERS, SERVICES]) await client.query(part);
    await client.query("select setval('legacy.customer_seq', $1)", [customers]);
    await fillHistory(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
