import type { EntityName, RowEffect } from '../traffic/journal';
import { legacyRow } from './reading';
import type { Operation } from './operations';
import type { CustomerBaseline } from './snapshot';

/** What a row must look like, or may: an operation with a lost answer leaves both ways open. */
export interface ExpectedRow {
  entity: EntityName;
  key: string;
  cents: number | null;
  set: Record<string, string>;
  /** The acknowledged operation that wrote it last; null for a row of the baseline that nobody wrote. */
  lastOp: string | null;
  presence: 'must' | 'may';
  /** Other values that stand if an unknown operation happened. */
  alternatives: { op: string; cents: number | null; set: Record<string, string> }[];
}

export interface ExpectedRequest {
  op: string;
  entity: EntityName;
  cents: number | null;
  outcome: Operation['outcome'];
  /** The key of its row, once another operation met it. */
  boundTo?: string;
}

/** What a request writes, by kind, for those whose answer the journal does not have. */
const REQUESTED: Record<string, EntityName> = {
  'request-order': 'order',
  'request-payment': 'payment',
  'request-ticket': 'ticket',
  'request-contact-change': 'customer',
};

export const idOf = (entity: EntityName, key: string): string => `${entity}/${key}`;

/** One customer as baseline and journal say they must be, whichever system owns them. */
export class ExpectedCustomer {
  readonly rows = new Map<string, ExpectedRow>();
  readonly gone = new Map<string, string>();
  /** Ids that were at the source at some time. */
  readonly knownAtSource = new Set<string>();
  /** Legacy rows, as digests name them, that some operation wrote or may have written. */
  readonly touched = new Set<string>();
  readonly requests = new Map<string, ExpectedRequest>();
  /** Contact changes that may stand although an acknowledged one was answered after or before them. */
  readonly lateContacts: { op: string; afterLast: boolean; certain: boolean }[] = [];
  /** Ids of the rows each unknown operation inserts or deletes: all of it happened or nothing. */
  readonly unknown = new Map<string, RowEffect[]>();
  /** A direct operation was under way when the journal ended: nobody knows what it wrote. */
  undetermined = false;

  constructor(
    readonly customer: string,
    baseline: CustomerBaseline | undefined,
    operations: readonly Operation[],
  ) {
    for (const [entity, key, cents, set] of baseline?.rows ?? []) {
      const row: ExpectedRow = { entity, key, cents, set, lastOp: null, presence: 'must', alternatives: [] };
      this.rows.set(idOf(entity, key), row);
      this.knownAtSource.add(idOf(entity, key));
    }
    for (const operation of operations) this.apply(operation);
  }

  private apply(operation: Operation): void {
    if (operation.outcome === 'refused') return;
    if (operation.outcome === 'open' && operation.via === 'direct') this.undetermined = true;
    else if (operation.via === 'request') this.applyRequest(operation);
    else for (const row of this.expand(operation.rows)) this.applyRow(operation, row);
  }

  private applyRequest(operation: Operation): void {
    const row = operation.rows[0];
    const entity = row?.entity ?? REQUESTED[operation.kind] ?? 'customer';
    const { op, outcome } = operation;
    this.requests.set(op, { op, entity, cents: row?.cents ?? null, outcome });
    if (entity !== 'customer') return;
    this.touched.add(legacyRow('customer', this.customer, this.customer));
    if (outcome === 'acknowledged') this.applyRow(operation, this.contactRow(op));
    else this.lateContacts.push({ op, afterLast: true, certain: outcome === 'held' });
  }

  private contactRow(op: string): RowEffect {
    return { entity: 'customer', key: this.customer, act: 'update', set: { contact: op } };
  }

  /** Service keys name their customer here; `all` stands for every service there is. */
  private expand(rows: readonly RowEffect[]): RowEffect[] {
    return rows.flatMap((row) => {
      if (row.entity !== 'service') return [row];
      this.touched.add(legacyRow('service', this.customer, ''));
      if (row.key !== 'all') return [{ ...row, key: `${this.customer}/${row.key}` }];
      const all = [...this.rows.values()].filter((each) => each.entity === 'service');
      return all.map((each): RowEffect => ({ entity: 'service', key: each.key, act: 'delete' }));
    });
  }

  private applyRow(operation: Operation, row: RowEffect): void {
    const id = idOf(row.entity, row.key);
    this.touched.add(legacyRow(row.entity, this.customer, row.key));
    if (operation.side === 'source') this.knownAtSource.add(id);
    if (row.was !== undefined) this.bind(row.was, row.key);
    if (operation.outcome === 'unknown') return this.applyUnknown(operation.op, id, row);
    if (row.act === 'delete') {
      this.rows.delete(id);
      this.gone.set(id, operation.op);
      return;
    }
    const before = row.act === 'update' ? this.rows.get(id) : undefined;
    const set = { ...before?.set, ...row.set };
    const cents = row.cents ?? before?.cents ?? null;
    const alternatives = before?.alternatives.map((each) => ({ ...each, set: without(each.set, row.set ?? {}) })) ?? [];
    if (row.set?.['contact'] !== undefined) for (const late of this.lateContacts) late.afterLast = false;
    this.gone.delete(id);
    const { entity, key } = row;
    this.rows.set(id, { entity, key, cents, set, lastOp: operation.op, presence: 'must', alternatives });
  }

  private applyUnknown(op: string, id: string, row: RowEffect): void {
    const listed = this.unknown.get(op) ?? [];
    if (row.act !== 'update') this.unknown.set(op, [...listed, row]);
    const there = this.rows.get(id);
    if (row.act === 'insert') {
      const { entity, key, cents = null, set = {} } = row;
      this.rows.set(id, there ?? { entity, key, cents, set, lastOp: op, presence: 'may', alternatives: [] });
    } else if (there && row.act === 'delete') {
      there.presence = 'may';
    } else if (there) {
      there.alternatives.push({ op, cents: row.cents ?? there.cents, set: { ...there.set, ...row.set } });
    }
    if (row.set?.['contact'] !== undefined) this.lateContacts.push({ op, afterLast: true, certain: false });
  }

  /** A row that carried the reference of a request is the row of that request. */
  private bind(reference: string, key: string): void {
    const request = this.requests.get(reference);
    if (request && request.entity !== 'customer') request.boundTo = key;
  }
}

const without = (set: Record<string, string>, names: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(set).filter(([name]) => !(name in names)));
