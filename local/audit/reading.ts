import type { ClientBase, Pool } from 'pg';
import type { Side } from '../../domain/custody';
import { ENTITIES, type EntityName } from '../traffic/journal';

/**
 * A business row as one of the systems holds it, in words both systems share. `set` holds states and flags; `contact` is
 * the operation that wrote the e-mail address, or a digest of it. Amounts are whole cents.
 */
export interface AuditRow {
  entity: EntityName;
  customer: string;
  key: string;
  cents: number | null;
  reference: string | null;
  set: Record<string, string>;
}

const CONTACT = `coalesce(substring(email from '^(op-[a-z0-9-]+)@mail[.]invalid$'), md5(lower(btrim(email))))`;
const CENTS = `(btrim(amount::text)::numeric * 100)::bigint::text`;

const wideService = `
  select s.customer_id || '/' || v.code as key, s.customer_id as customer, null as cents, null as reference,
         jsonb_build_object('detail', v.detail) as set
  from legacy.service s cross join lateral (values
    ('phone', s.phone = 'Yes', case when s.multiple_lines = 'Yes' then 'multiple' else 'single' end),
    ('internet', s.internet <> 'No', case when s.internet = 'DSL' then 'dsl' else 'fiber' end),
    ('online-security', s.online_security = 'Yes', ''), ('online-backup', s.online_backup = 'Yes', ''),
    ('device-protection', s.device_protection = 'Yes', ''), ('tech-support', s.tech_support = 'Yes', ''),
    ('streaming-tv', s.streaming_tv = 'Yes', ''), ('streaming-movies', s.streaming_movies = 'Yes', '')) v(code, has, detail)
  where v.has and s.customer_id = any($1)`;

const SOURCE: Record<EntityName, string> = {
  customer: `select customer_id as key, customer_id as customer, null as cents, reference,
      jsonb_build_object('status', status, 'contact', ${CONTACT}) as set from legacy.customer where customer_id = any($1)`,
  account: `select customer_id as key, customer_id as customer, null as cents, null as reference,
      jsonb_build_object('paperless', case when paperless = 'Yes' then 'yes' else 'no' end) as set
    from legacy.customer where customer_id = any($1)`,
  service: wideService,
  contract: `select contract_no as key, customer_id as customer, null as cents, reference,
      jsonb_build_object('state', case when btrim(ended_on) = '' then 'running' else 'ended' end) as set
    from legacy.contract where customer_id = any($1)`,
  invoice: `select invoice_no as key, customer_id as customer, ${CENTS} as cents, reference,
      jsonb_build_object('state', state, 'mailed', case when mailed_at is null then 'no' else 'yes' end) as set
    from legacy.invoice where customer_id = any($1)`,
  'invoice-line': `select invoice_no || '/' || line_no as key, customer_id as customer, ${CENTS} as cents, reference,
      '{}'::jsonb as set from legacy.invoice_line where customer_id = any($1)`,
  payment: `select payment_id as key, customer_id as customer, ${CENTS} as cents, reference,
      jsonb_build_object('invoice', coalesce(invoice_no, ''), 'kind', kind) as set
    from legacy.payment where customer_id = any($1)`,
  order: `select order_id as key, customer_id as customer, null as cents, reference,
      jsonb_build_object('state', state, 'kind', kind) as set from legacy.work_order where customer_id = any($1)`,
  ticket: `select ticket_no as key, customer_id as customer, null as cents, reference,
      jsonb_build_object('state', state) as set from legacy.ticket where customer_id = any($1)`,
};

const TARGET: Record<EntityName, string> = {
  customer: `select customer_no as key, customer_no as customer, null as cents, reference,
      jsonb_build_object('status', status, 'contact', ${CONTACT}) as set from crm.customer where customer_no = any($1)`,
  account: `select customer_no as key, customer_no as customer, null as cents, null as reference,
      jsonb_build_object('paperless', case when paperless then 'yes' else 'no' end) as set
    from billing.account where customer_no = any($1)`,
  service: `select customer_no || '/' || product_code as key, customer_no as customer, null as cents, null as reference,
      jsonb_build_object('detail', detail) as set from oss.service where customer_no = any($1)`,
  contract: `select agreement_no::text as key, customer_no as customer, null as cents, reference,
      jsonb_build_object('state', case when ends is null then 'running' else 'ended' end) as set
    from oss.agreement where customer_no = any($1)`,
  invoice: `select invoice_no::text as key, customer_no as customer, ${CENTS} as cents, reference,
      jsonb_build_object('state', state, 'mailed', case when mailed_at is null then 'no' else 'yes' end) as set
    from billing.invoice where customer_no = any($1)`,
  'invoice-line': `select invoice_no || '/' || line_no as key, customer_no as customer, ${CENTS} as cents, reference,
      '{}'::jsonb as set from billing.invoice_line where customer_no = any($1)`,
  payment: `select payment_no::text as key, customer_no as customer, ${CENTS} as cents, reference,
      jsonb_build_object('invoice', coalesce(invoice_no::text, ''), 'kind', kind) as set
    from billing.payment where customer_no = any($1)`,
  order: `select order_no::text as key, customer_no as customer, null as cents, reference,
      jsonb_build_object('state', state, 'kind', kind) as set from oss.work_order where customer_no = any($1)`,
  ticket: `select ticket_no::text as key, customer_no as customer, null as cents, reference,
      jsonb_build_object('state', state) as set from care.ticket where customer_no = any($1)`,
};

const QUERIES = { source: SOURCE, target: TARGET };
const CUSTOMERS = {
  source: 'select customer_id as id from legacy.customer order by 1',
  target: 'select customer_no as id from crm.customer order by 1',
};

type Db = Pool | ClientBase;

/** Every business row of some customers in one system, by customer. */
export async function readRows(db: Db, side: Side, customers: readonly string[]): Promise<Map<string, AuditRow[]>> {
  const rows = new Map<string, AuditRow[]>(customers.map((customer) => [customer, []]));
  for (const entity of ENTITIES) {
    const result = await db.query<Omit<AuditRow, 'entity' | 'cents'> & { cents: string | null }>(
      QUERIES[side][entity],
      [customers],
    );
    for (const row of result.rows) {
      const cents = row.cents === null ? null : Number(row.cents);
      rows.get(row.customer)?.push({ ...row, entity, cents });
    }
  }
  return rows;
}

export async function readCustomers(db: Db, side: Side): Promise<string[]> {
  const result = await db.query<{ id: string }>(CUSTOMERS[side]);
  return result.rows.map((row) => row.id);
}

/** `[table, key, columns]`. The state of an order is left out: the back office writes it without leaving a reference. */
const DIGESTED: readonly [table: string, key: string, columns: string][] = [
  [
    'customer',
    'customer_id',
    'name, email, phone, gender, senior_citizen, partner, dependents, tenure, status, paperless, payment_method, monthly_charges, total_charges, opened_at, reference, note',
  ],
  [
    'service',
    'customer_id',
    'phone, multiple_lines, internet, online_security, online_backup, device_protection, tech_support, streaming_tv, streaming_movies',
  ],
  ['contract', 'contract_no', 'kind, tariff_code, started_on, ended_on, reference'],
  ['invoice', 'invoice_no', 'amount, issued_on, due_on, state, mailed_at, reference'],
  ['invoice_line', "invoice_no || '/' || line_no", 'descr, amount, reference'],
  ['payment', 'payment_id', 'invoice_no, amount, kind, booked_at, reference'],
  ['work_order', 'order_id', 'kind, created_at, reference'],
  ['ticket', 'ticket_no', 'subject, severity, state, created_at, reference'],
];

/** `[table/key, md5]` of every legacy row of some customers, by customer. The digest is taken over the row's text. */
export async function readDigests(db: Db, customers: readonly string[]): Promise<Map<string, [string, string][]>> {
  const digests = new Map<string, [string, string][]>(customers.map((customer) => [customer, []]));
  for (const [table, key, columns] of DIGESTED) {
    const result = await db.query<{ customer: string; key: string; digest: string }>(
      `select customer_id as customer, ${key} as key, md5(row(customer_id, ${columns})::text) as digest
       from legacy.${table} where customer_id = any($1)`,
      [customers],
    );
    for (const row of result.rows) digests.get(row.customer)?.push([`${table}/${row.key}`, row.digest]);
  }
  return digests;
}

/** The legacy row a business row lies in, as `readDigests` names it. */
export function legacyRow(entity: EntityName, customer: string, key: string): string {
  switch (entity) {
    case 'customer':
    case 'account':
      return `customer/${customer}`;
    case 'service':
      return `service/${customer}`;
    case 'invoice-line':
      return `invoice_line/${key}`;
    case 'order':
      return `work_order/${key}`;
    case 'contract':
    case 'invoice':
    case 'payment':
    case 'ticket':
      return `${entity}/${key}`;
  }
}
