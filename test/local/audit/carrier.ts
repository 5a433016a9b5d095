import type { ClientBase, Pool } from 'pg';

/**
 * A small mover for these tests: it brings whole waves over and back, row by row, with SQL of its own, so that the
 * auditor is tried on data that no part of the cutover touched.
 */
interface Carried {
  table: string;
  key: string[];
  /** Over the source: rows as the target keeps them. */
  forward: string;
  /** Over the source, $1 the target's rows as a JSON array: writes them into the legacy table. */
  back: string;
  /** Over the source, $1 the customer, $2 the key as text: removes a row the target no longer has. */
  remove?: string;
}

const yes = (flag: string): string => `case when ${flag} then 'Yes' else 'No' end`;
const has = (code: string): string => `case when '${code}' = any(c.codes) then 'Yes' else 'No' end`;

const METHODS: [string, string][] = [
  ['Electronic check', 'electronic-check'],
  ['Mailed check', 'mailed-check'],
  ['Bank transfer (automatic)', 'bank-transfer'],
  ['Credit card (automatic)', 'credit-card'],
];
const named = (column: string, pairs: [string, string][]): string =>
  `case ${column} ${pairs.map(([from, to]) => `when '${from}' then '${to}'`).join(' ')} end`;

const CARRIED: Carried[] = [
  {
    table: 'crm.customer',
    key: ['customer_no'],
    forward: `select customer_id as customer_no, btrim(name) as full_name, lower(btrim(email)) as email, btrim(phone) as phone,
        case lower(gender) when 'female' then 'female' when 'male' then 'male' else 'unknown' end as gender,
        senior_citizen = '1' as senior, partner = 'Yes' as has_partner, dependents = 'Yes' as has_dependents,
        tenure::int as tenure_months, status, coalesce(nullif(btrim(total_charges), ''), '0')::numeric as total_charges,
        monthly_charges::numeric as monthly_charges, opened_at, reference from legacy.customer`,
    back: `insert into legacy.customer (customer_id, name, email, phone, status, opened_at, reference)
      select r->>'customer_no', r->>'full_name', r->>'email', r->>'phone', r->>'status', (r->>'opened_at')::timestamptz, r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (customer_id) do update set email = excluded.email, phone = excluded.phone, status = excluded.status,
        reference = excluded.reference`,
    remove: 'delete from legacy.customer where customer_id = $1 and customer_id = $2',
  },
  {
    table: 'billing.account',
    key: ['customer_no'],
    forward: `select customer_id as customer_no, paperless = 'Yes' as paperless, ${named('payment_method', METHODS)} as payment_method
      from legacy.customer`,
    back: `update legacy.customer c set paperless = ${yes("(r->>'paperless')::boolean")}, payment_method = ${named(
      "r->>'payment_method'",
      METHODS.map(([a, b]) => [b, a]),
    )}
      from jsonb_array_elements($1::jsonb) r where c.customer_id = r->>'customer_no'`,
  },
  {
    table: 'oss.service',
    key: ['customer_no', 'product_code'],
    forward: `select s.customer_id as customer_no, v.code as product_code, v.detail from legacy.service s
      cross join lateral (values
        ('phone', case when s.multiple_lines = 'Yes' then 'multiple' else 'single' end, s.phone = 'Yes'),
        ('internet', case when s.internet = 'DSL' then 'dsl' else 'fiber' end, s.internet <> 'No'),
        ('online-security', '', s.online_security = 'Yes'), ('online-backup', '', s.online_backup = 'Yes'),
        ('device-protection', '', s.device_protection = 'Yes'), ('tech-support', '', s.tech_support = 'Yes'),
        ('streaming-tv', '', s.streaming_tv = 'Yes'), ('streaming-movies', '', s.streaming_movies = 'Yes')) v(code, detail, has)
      where v.has`,
    back: `with c as (
        select r->>'customer_no' as customer, array_agg(r->>'product_code') as codes,
               bool_or(r->>'detail' = 'multiple') as lines, bool_or(r->>'detail' = 'dsl') as dsl
        from jsonb_array_elements($1::jsonb) r group by 1)
      insert into legacy.service
      select customer, ${has('phone')}, ${yes('c.lines')},
             case when not 'internet' = any(c.codes) then 'No' when c.dsl then 'DSL' else 'Fiber optic' end,
             ${has('online-security')}, ${has('online-backup')}, ${has('device-protection')}, ${has('tech-support')},
             ${has('streaming-tv')}, ${has('streaming-movies')} from c
      on conflict (customer_id) do update set phone = excluded.phone, multiple_lines = excluded.multiple_lines,
        internet = excluded.internet, online_security = excluded.online_security, online_backup = excluded.online_backup,
        device_protection = excluded.device_protection, tech_support = excluded.tech_support,
        streaming_tv = excluded.streaming_tv, streaming_movies = excluded.streaming_movies`,
    remove: 'delete from legacy.service where customer_id = $1 and $2::text is not null',
  },
  {
    table: 'oss.agreement',
    key: ['agreement_no'],
    forward: `select contract_no::bigint as agreement_no, customer_id as customer_no,
        case kind when 'One year' then 'one-year' when 'Two year' then 'two-year' else 'monthly' end as kind,
        lower(tariff_code) as product_code, started_on::date as starts, nullif(ended_on, '')::date as ends, reference
      from legacy.contract`,
    back: `insert into legacy.contract (contract_no, customer_id, kind, tariff_code, started_on, ended_on, reference)
      select r->>'agreement_no', r->>'customer_no', 'One year', upper(r->>'product_code'), r->>'starts', coalesce(r->>'ends', ''), r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (contract_no) do update set ended_on = excluded.ended_on, reference = excluded.reference`,
    remove: 'delete from legacy.contract where customer_id = $1 and contract_no = $2',
  },
  {
    table: 'billing.invoice',
    key: ['invoice_no'],
    forward: `select invoice_no::bigint as invoice_no, customer_id as customer_no, btrim(amount)::numeric as amount,
        issued_on::date as issued, due_on::date as due, state, mailed_at, reference from legacy.invoice`,
    back: `insert into legacy.invoice (invoice_no, customer_id, amount, issued_on, due_on, state, mailed_at, reference)
      select r->>'invoice_no', r->>'customer_no', r->>'amount', r->>'issued', r->>'due', r->>'state', (r->>'mailed_at')::timestamptz, r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (invoice_no) do update set amount = excluded.amount, state = excluded.state,
        mailed_at = excluded.mailed_at, reference = excluded.reference`,
    remove: 'delete from legacy.invoice where customer_id = $1 and invoice_no = $2',
  },
  {
    table: 'billing.invoice_line',
    key: ['invoice_no', 'line_no'],
    forward: `select invoice_no::bigint as invoice_no, line_no::int as line_no, customer_id as customer_no, btrim(descr) as description,
        btrim(amount)::numeric as amount, reference from legacy.invoice_line`,
    back: `insert into legacy.invoice_line (invoice_no, line_no, customer_id, descr, amount, reference)
      select r->>'invoice_no', r->>'line_no', r->>'customer_no', r->>'description', r->>'amount', r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (invoice_no, line_no) do update set amount = excluded.amount, reference = excluded.reference`,
    remove: "delete from legacy.invoice_line where customer_id = $1 and invoice_no || '/' || line_no = $2",
  },
  {
    table: 'billing.payment',
    key: ['payment_no'],
    forward: `select payment_id::bigint as payment_no, customer_id as customer_no, invoice_no::bigint as invoice_no,
        btrim(amount)::numeric as amount, kind, booked_at, reference from legacy.payment`,
    back: `insert into legacy.payment (payment_id, customer_id, invoice_no, amount, kind, booked_at, reference)
      select r->>'payment_no', r->>'customer_no', r->>'invoice_no', r->>'amount', r->>'kind', (r->>'booked_at')::timestamptz, r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (payment_id) do update set invoice_no = excluded.invoice_no, reference = excluded.reference`,
    remove: 'delete from legacy.payment where customer_id = $1 and payment_id = $2',
  },
  {
    table: 'oss.work_order',
    key: ['order_no'],
    forward: `select order_id::bigint as order_no, customer_id as customer_no, kind, state, created_at, reference from legacy.work_order`,
    back: `insert into legacy.work_order (order_id, customer_id, kind, state, created_at, reference)
      select r->>'order_no', r->>'customer_no', r->>'kind', r->>'state', (r->>'created_at')::timestamptz, r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (order_id) do update set kind = excluded.kind, state = excluded.state, reference = excluded.reference`,
    remove: 'delete from legacy.work_order where customer_id = $1 and order_id = $2',
  },
  {
    table: 'care.ticket',
    key: ['ticket_no'],
    forward: `select ticket_no::bigint as ticket_no, customer_id as customer_no, subject, severity, state, created_at, reference from legacy.ticket`,
    back: `insert into legacy.ticket (ticket_no, customer_id, subject, severity, state, created_at, reference)
      select r->>'ticket_no', r->>'customer_no', r->>'subject', r->>'severity', r->>'state', (r->>'created_at')::timestamptz, r->>'reference'
      from jsonb_array_elements($1::jsonb) r
      on conflict (ticket_no) do update set state = excluded.state, reference = excluded.reference`,
    remove: 'delete from legacy.ticket where customer_id = $1 and ticket_no = $2',
  },
  {
    table: 'cutover.effect',
    key: ['key'],
    forward: 'select key, customer as customer_no, at from cutover.effect',
    back: `insert into cutover.effect (key, customer, at) select r->>'key', r->>'customer_no', (r->>'at')::timestamptz
      from jsonb_array_elements($1::jsonb) r on conflict do nothing`,
  },
];

const customerColumn = (table: string): string => (table === 'cutover.effect' ? 'customer' : 'customer_no');

/** Runs `work` as the cutover's own writer of a wave: the guard lets it pass. Once more when it met a writer the other way round. */
async function asOurs(pool: Pool, wave: number, work: (client: ClientBase) => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt(pool, wave, work);
    } catch (error) {
      if ((error as { code?: string }).code !== DEADLOCK) throw error;
    }
  }
}

const DEADLOCK = '40P01';

async function attempt(pool: Pool, wave: number, work: (client: ClientBase) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select cutover.take_fence($1, (select epoch from cutover.fence where key = $1))', [
      `wave/${wave}`,
    ]);
    await work(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

const inWave = (column: string): string => `cutover.wave_of(${column}) = $1`;

/** Fills the empty target with a wave. */
export async function carryOver(source: Pool, target: Pool, wave: number): Promise<void> {
  await asOurs(target, wave, async (client) => {
    for (const { table, forward } of CARRIED) {
      const rows = await source.query<{ rows: string | null }>(
        `select jsonb_agg(to_jsonb(m))::text as rows from (${forward}) m where ${inWave('customer_no')}`,
        [wave],
      );
      const json = (rows.rows[0]?.rows ?? '[]').replaceAll('"customer_no"', `"${customerColumn(table)}"`);
      await client.query(`insert into ${table} select (jsonb_populate_recordset(null::${table}, $1::jsonb)).*`, [json]);
    }
  });
}

/** Removes a wave from the target. */
export async function purge(target: Pool, wave: number): Promise<void> {
  await asOurs(target, wave, async (client) => {
    for (const { table } of [...CARRIED].reverse()) {
      await client.query(`delete from ${table} where ${inWave(customerColumn(table))}`, [wave]);
    }
  });
}

type Json = Record<string, unknown>;

/** Brings what changed at the target back into the legacy tables; rows that did not change are not written. */
export async function carryBack(source: Pool, target: Pool, wave: number): Promise<void> {
  await asOurs(source, wave, async (client) => {
    const removals: [string, string, string][] = [];
    for (const { table, key, forward, back, remove } of CARRIED) {
      const read = async (from: Pool | ClientBase, sql: string): Promise<Map<string, Json>> => {
        const result = await from.query<{ row: Json }>(
          `select to_jsonb(m) as row from (${sql}) m where ${inWave('customer_no')}`,
          [wave],
        );
        return new Map(result.rows.map(({ row }) => [key.map((column) => String(row[column])).join('/'), row]));
      };
      const before = await read(client, forward);
      const own =
        table === 'cutover.effect' ? `select key, customer as customer_no, at from ${table}` : `select * from ${table}`;
      const after = await read(target, own);
      let changed = [...after].filter(([id, row]) => !same(before.get(id), row)).map(([, row]) => row);
      const gone = [...before].filter(([id]) => !after.has(id));
      if (table === 'oss.service') {
        const customers = new Set([...changed, ...gone.map(([, row]) => row)].map((row) => row['customer_no']));
        changed = [...after.values()].filter((row) => customers.has(row['customer_no']));
        const left = new Set(changed.map((row) => row['customer_no']));
        for (const customer of customers)
          if (!left.has(customer)) removals.unshift([remove ?? '', String(customer), '']);
      } else {
        for (const [id, row] of gone) if (remove) removals.unshift([remove, String(row['customer_no']), id]);
      }
      await client.query(back, [JSON.stringify(changed)]);
    }
    for (const [sql, customer, id] of removals) await client.query(sql, [customer, id]);
  });
}

const same = (a: Json | undefined, b: Json): boolean =>
  a !== undefined && Object.keys(b).every((column) => JSON.stringify(a[column]) === JSON.stringify(b[column]));
