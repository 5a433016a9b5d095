import type { Side } from '../../domain/custody';
import type { EntityName } from './journal';

/** How one system keeps one entity: its table, key, customer column, key sequence and the columns traffic writes. */
export interface Table {
  table: string;
  key: string;
  customer: string;
  sequence?: string;
  /** Logical column → column. */
  columns: Record<string, string>;
}

type Tables = Record<EntityName, Table>;

const LEGACY: Tables = {
  customer: {
    table: 'legacy.customer',
    key: 'customer_id',
    customer: 'customer_id',
    columns: {
      name: 'name',
      email: 'email',
      phone: 'phone',
      gender: 'gender',
      senior: 'senior_citizen',
      partner: 'partner',
      dependents: 'dependents',
      tenure: 'tenure',
      status: 'status',
      monthly: 'monthly_charges',
      total: 'total_charges',
      opened: 'opened_at',
      reference: 'reference',
      paperless: 'paperless',
      method: 'payment_method',
    },
  },
  account: {
    table: 'legacy.customer',
    key: 'customer_id',
    customer: 'customer_id',
    columns: { paperless: 'paperless', method: 'payment_method' },
  },
  service: { table: 'legacy.service', key: 'customer_id', customer: 'customer_id', columns: {} },
  contract: {
    table: 'legacy.contract',
    key: 'contract_no',
    customer: 'customer_id',
    sequence: 'legacy.contract_seq',
    columns: { kind: 'kind', product: 'tariff_code', starts: 'started_on', ends: 'ended_on', reference: 'reference' },
  },
  invoice: {
    table: 'legacy.invoice',
    key: 'invoice_no',
    customer: 'customer_id',
    sequence: 'legacy.invoice_seq',
    columns: {
      amount: 'amount',
      issued: 'issued_on',
      due: 'due_on',
      state: 'state',
      mailed: 'mailed_at',
      reference: 'reference',
    },
  },
  'invoice-line': {
    table: 'legacy.invoice_line',
    key: 'invoice_no',
    customer: 'customer_id',
    columns: { line: 'line_no', text: 'descr', amount: 'amount', reference: 'reference' },
  },
  payment: {
    table: 'legacy.payment',
    key: 'payment_id',
    customer: 'customer_id',
    sequence: 'legacy.payment_seq',
    columns: { invoice: 'invoice_no', amount: 'amount', kind: 'kind', booked: 'booked_at', reference: 'reference' },
  },
  order: {
    table: 'legacy.work_order',
    key: 'order_id',
    customer: 'customer_id',
    sequence: 'legacy.order_seq',
    columns: { kind: 'kind', state: 'state', created: 'created_at', reference: 'reference' },
  },
  ticket: {
    table: 'legacy.ticket',
    key: 'ticket_no',
    customer: 'customer_id',
    sequence: 'legacy.ticket_seq',
    columns: {
      subject: 'subject',
      severity: 'severity',
      state: 'state',
      created: 'created_at',
      reference: 'reference',
    },
  },
};

const NEW: Tables = {
  customer: {
    table: 'crm.customer',
    key: 'customer_no',
    customer: 'customer_no',
    columns: {
      name: 'full_name',
      email: 'email',
      phone: 'phone',
      gender: 'gender',
      senior: 'senior',
      partner: 'has_partner',
      dependents: 'has_dependents',
      tenure: 'tenure_months',
      status: 'status',
      monthly: 'monthly_charges',
      total: 'total_charges',
      opened: 'opened_at',
      reference: 'reference',
    },
  },
  account: {
    table: 'billing.account',
    key: 'customer_no',
    customer: 'customer_no',
    columns: { paperless: 'paperless', method: 'payment_method' },
  },
  service: {
    table: 'oss.service',
    key: 'customer_no',
    customer: 'customer_no',
    columns: { product: 'product_code', detail: 'detail' },
  },
  contract: {
    table: 'oss.agreement',
    key: 'agreement_no',
    customer: 'customer_no',
    sequence: 'oss.agreement_seq',
    columns: { kind: 'kind', product: 'product_code', starts: 'starts', ends: 'ends', reference: 'reference' },
  },
  invoice: {
    table: 'billing.invoice',
    key: 'invoice_no',
    customer: 'customer_no',
    sequence: 'billing.invoice_seq',
    columns: {
      amount: 'amount',
      issued: 'issued',
      due: 'due',
      state: 'state',
      mailed: 'mailed_at',
      reference: 'reference',
    },
  },
  'invoice-line': {
    table: 'billing.invoice_line',
    key: 'invoice_no',
    customer: 'customer_no',
    columns: { line: 'line_no', text: 'description', amount: 'amount', reference: 'reference' },
  },
  payment: {
    table: 'billing.payment',
    key: 'payment_no',
    customer: 'customer_no',
    sequence: 'billing.payment_seq',
    columns: { invoice: 'invoice_no', amount: 'amount', kind: 'kind', booked: 'booked_at', reference: 'reference' },
  },
  order: {
    table: 'oss.work_order',
    key: 'order_no',
    customer: 'customer_no',
    sequence: 'oss.order_seq',
    columns: { kind: 'kind', state: 'state', created: 'created_at', reference: 'reference' },
  },
  ticket: {
    table: 'care.ticket',
    key: 'ticket_no',
    customer: 'customer_no',
    sequence: 'care.ticket_seq',
    columns: {
      subject: 'subject',
      severity: 'severity',
      state: 'state',
      created: 'created_at',
      reference: 'reference',
    },
  },
};

export const TABLES: Record<Side, Tables> = { source: LEGACY, target: NEW };
