import { CARE_OPERATIONS } from './care';
import { CUSTOMER_OPERATIONS } from './customers';
import type { EntityName } from './journal';
import { MONEY_OPERATIONS } from './money';
import type { Operation } from './operation';
import { REQUEST_KINDS } from './requests';
import { SERVICE_OPERATIONS } from './services';

const OPERATIONS = { ...MONEY_OPERATIONS, ...CARE_OPERATIONS, ...SERVICE_OPERATIONS, ...CUSTOMER_OPERATIONS };
export type DirectKind = keyof typeof OPERATIONS;
const DIRECT_KINDS = Object.keys(OPERATIONS) as DirectKind[];

export const operationOf = (kind: DirectKind): Operation => OPERATIONS[kind];

export type Kind = DirectKind | (typeof REQUEST_KINDS)[number];
export const KINDS: readonly Kind[] = [...DIRECT_KINDS, ...REQUEST_KINDS];

export const isRequest = (kind: Kind): kind is (typeof REQUEST_KINDS)[number] =>
  (REQUEST_KINDS as readonly string[]).includes(kind);

/** How often a kind comes up when nothing else asks for it; the mix of an ordinary evening. */
export const WEIGHTS: Record<Kind, number> = {
  payment: 12,
  reversal: 3,
  settle: 6,
  'payment-allocate': 3,
  'payment-delete': 2,
  bill: 10,
  'bill-correct': 3,
  'bill-mail': 4,
  'bill-delete': 3,
  'ticket-open': 6,
  'ticket-close': 4,
  'ticket-delete': 2,
  'order-change': 4,
  'order-cancel': 2,
  'contract-change': 4,
  'contract-delete': 2,
  'service-change': 5,
  'lines-change': 2,
  'service-remove': 1,
  'contact-change': 5,
  'billing-change': 4,
  departed: 0.3,
  won: 1.5,
  withdrawn: 0.5,
  'request-order': 6,
  'request-payment': 5,
  'request-ticket': 4,
  'request-contact-change': 3,
};

/** Which kinds write an entity, for evening out the writes of every table. */
export const WRITERS: Record<EntityName, readonly Kind[]> = {
  customer: ['contact-change', 'request-contact-change', 'won'],
  account: ['billing-change', 'won', 'withdrawn'],
  service: ['service-change', 'lines-change'],
  contract: ['contract-change', 'contract-delete'],
  invoice: ['bill', 'bill-correct', 'settle', 'bill-delete'],
  'invoice-line': ['bill', 'bill-correct'],
  payment: ['payment', 'reversal', 'request-payment', 'payment-delete'],
  order: ['request-order', 'order-change', 'order-cancel'],
  ticket: ['ticket-open', 'ticket-close', 'request-ticket', 'ticket-delete'],
};
