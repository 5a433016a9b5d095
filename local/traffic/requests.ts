import { decimal, emailOf, phoneOf } from './contact';
import type { RowEffect } from './journal';
import type { Random } from './random';

export const REQUEST_KINDS = ['request-order', 'request-payment', 'request-ticket', 'request-contact-change'] as const;
export type RequestTraffic = (typeof REQUEST_KINDS)[number];

export interface RequestDraft {
  /** The kind the gateway knows. */
  kind: string;
  payload: Record<string, string>;
  rows: RowEffect[];
}

/** What a client sends for `op`, and the row it must lead to exactly once. */
export function draftRequest(kind: RequestTraffic, op: string, random: Random): RequestDraft {
  switch (kind) {
    case 'request-order':
      return {
        kind: 'order',
        payload: { reference: op, kind: random.pick(['install', 'repair', 'upgrade']) },
        rows: [{ entity: 'order', key: '', act: 'insert' }],
      };
    case 'request-payment': {
      const cents = random.int(100, 15_000);
      return {
        kind: 'payment',
        payload: { reference: op, amount: decimal(cents), kind: 'transfer' },
        rows: [{ entity: 'payment', key: '', act: 'insert', cents }],
      };
    }
    case 'request-ticket':
      return {
        kind: 'ticket',
        payload: { reference: op, subject: 'Line noise', severity: random.pick(['low', 'high']) },
        rows: [{ entity: 'ticket', key: '', act: 'insert' }],
      };
    case 'request-contact-change':
      return {
        kind: 'contact-change',
        payload: { reference: op, email: emailOf(op), phone: phoneOf(op) },
        rows: [{ entity: 'customer', key: '', act: 'update', set: { contact: op } }],
      };
  }
}
