import type { Side } from '../../domain/custody';
import { idOf, type ExpectedCustomer, type ExpectedRow } from './expected';
import type { Findings } from './findings';
import type { Operations } from './operations';
import type { AuditRow, readDigests } from './reading';
import { isPending, type RequestStates } from './requests';

export interface Compared {
  rows: number;
  requestsEffected: number;
  requestsPending: number;
  requestsListed: number;
}

interface Surroundings {
  findings: Findings;
  operations: Operations;
  states: RequestStates;
}

/** An order gets on by itself: the back office writes it without leaving a reference. */
const FORWARD = ['new', 'busy', 'done'];
/** Who writes these says so in `reference`, and nobody but traffic writes them. */
const REFERENCED: readonly AuditRow['entity'][] = ['contract', 'invoice', 'invoice-line', 'payment', 'order', 'ticket'];

/** Holds what one customer must be against what the owning system has, row by row. */
export class OwnerComparison {
  private readonly actual: Map<string, AuditRow>;
  /** Rows that only a request can explain, by its operation. */
  private readonly byRequest = new Map<string, AuditRow[]>();
  private explainedCents = new Map<string, number>();

  constructor(
    private readonly expected: ExpectedCustomer,
    rows: readonly AuditRow[],
    private readonly owner: Side,
    private readonly around: Surroundings,
  ) {
    this.actual = new Map(rows.map((row) => [idOf(row.entity, row.key), row]));
  }

  run(): Compared {
    for (const row of this.actual.values()) this.mustNotBeRefused(row);
    for (const row of this.expected.rows.values()) this.expectedRow(row);
    for (const [id, row] of this.actual) if (!this.expected.rows.has(id)) this.unexpectedRow(id, row);
    const requests = this.allRequests();
    this.unknownsWhole();
    this.invoicesMatchLines();
    this.money();
    return { rows: this.actual.size, ...requests };
  }

  private find(code: Parameters<Findings['add']>[0], detail = ''): void {
    this.around.findings.add(code, this.expected.customer, detail);
  }

  private mustNotBeRefused(row: AuditRow): void {
    for (const reference of [row.reference, row.set['contact']]) {
      if (reference && this.around.operations.byId.get(reference)?.outcome === 'refused') {
        this.find('refused-happened', `${row.entity} ${row.key} ${reference}`);
      }
    }
  }

  private expectedRow(row: ExpectedRow): void {
    const found = this.actual.get(idOf(row.entity, row.key));
    const name = `${row.entity} ${row.key}`;
    if (!found) {
      if (row.presence === 'may') return;
      if (row.entity === 'customer') return this.find('customer-missing');
      return this.find(row.lastOp === null ? 'baseline-missing' : 'acknowledged-missing', name);
    }
    const cents = [row.cents, ...row.alternatives.map((each) => each.cents)];
    if (row.cents !== null && !cents.includes(found.cents)) this.find('amount-differs', name);
    this.addMoney(row.entity, cents.includes(found.cents) ? (found.cents ?? 0) : (row.cents ?? 0));
    for (const [field, value] of Object.entries(row.set)) {
      if (this.mayStand(row, field, value, found.set[field] ?? '')) continue;
      this.find(row.lastOp === null ? 'baseline-differs' : 'change-lost', `${name} ${field}`);
    }
    const byAnother = row.lastOp !== null && row.alternatives.length === 0 && found.reference !== row.lastOp;
    if (byAnother && REFERENCED.includes(row.entity)) this.find('change-lost', `${name} reference`);
  }

  private mayStand(row: ExpectedRow, field: string, value: string, actual: string): boolean {
    if (field === 'contact') return this.contactMayStand(value, actual);
    if (actual === value || row.alternatives.some((each) => each.set[field] === actual)) return true;
    return row.entity === 'order' && field === 'state' && FORWARD.indexOf(actual) > FORWARD.indexOf(value);
  }

  private contactMayStand(value: string, actual: string): boolean {
    const late = this.expected.lateContacts;
    if (actual !== value) return late.some((each) => each.op === actual);
    const { control } = this.around.states;
    return !late.some((each) => each.certain && each.afterLast && control.get(each.op) === 'effected');
  }

  private unexpectedRow(id: string, row: AuditRow): void {
    const name = `${row.entity} ${row.key}`;
    const operation = row.reference === null ? undefined : this.around.operations.byId.get(row.reference);
    if (this.expected.gone.has(id)) return this.find('deleted-returned', name);
    const request = row.reference === null ? undefined : this.expected.requests.get(row.reference);
    if (request && request.entity === row.entity) {
      this.byRequest.set(request.op, [...(this.byRequest.get(request.op) ?? []), row]);
      return;
    }
    if (operation?.outcome === 'refused') return; // named already
    this.find(operation ? 'acknowledged-twice' : 'unexplained-row', name);
  }

  private allRequests(): Omit<Compared, 'rows'> {
    const counts = { requestsEffected: 0, requestsPending: 0, requestsListed: 0 };
    for (const request of this.expected.requests.values()) {
      const state = this.around.states.control.get(request.op);
      const effect = this.around.states.effects[this.owner].has(request.op);
      const rows = this.byRequest.get(request.op) ?? [];
      const bound = request.boundTo !== undefined;
      const happened = effect || rows.length > 0 || bound;
      const keys = new Set([
        ...rows.map(({ key }) => key),
        ...(request.boundTo === undefined ? [] : [request.boundTo]),
      ]);
      if (keys.size > 1) this.find('request-twice', request.op);
      for (const row of rows) {
        if (request.cents !== null && row.cents !== request.cents)
          this.find('amount-differs', `${row.entity} ${row.key}`);
        if (row === rows[0]) this.addMoney(request.entity, request.cents ?? row.cents ?? 0);
      }
      const whole = effect && (request.entity === 'customer' || bound || rows.length > 0);
      if (whole) counts.requestsEffected += 1;
      if (isPending(state)) {
        counts.requestsPending += 1;
        if (state === 'held' && happened) this.find('request-premature', request.op);
      } else if (state === 'refused') {
        counts.requestsListed += 1;
        if (happened) this.find('refused-happened', request.op);
      } else if (!whole && (happened || ['acknowledged', 'held'].includes(request.outcome))) {
        this.find('request-lost', `${request.op} (${effect ? 'effect without row' : 'no effect'})`);
      }
    }
    return counts;
  }

  /** What an operation with a lost answer inserts and deletes is there wholly or not at all. */
  private unknownsWhole(): void {
    for (const [op, rows] of this.expected.unknown) {
      const telling = rows.filter((row) => {
        const id = idOf(row.entity, row.key);
        return this.expected.rows.get(id)?.presence === 'may' && !this.expected.gone.has(id);
      });
      const done = telling.filter((row) => this.actual.has(idOf(row.entity, row.key)) === (row.act === 'insert'));
      if (done.length > 0 && done.length < telling.length) this.find('unknown-torn', op);
    }
  }

  private invoicesMatchLines(): void {
    const sums = new Map<string, number>();
    for (const row of this.actual.values()) {
      if (row.entity !== 'invoice-line') continue;
      const invoice = row.key.slice(0, row.key.indexOf('/'));
      sums.set(invoice, (sums.get(invoice) ?? 0) + (row.cents ?? 0));
    }
    for (const row of this.actual.values()) {
      const written = this.expected.rows.get(idOf('invoice', row.key))?.lastOp;
      if (row.entity !== 'invoice' || !written) continue;
      if ((sums.get(row.key) ?? 0) !== row.cents) this.find('invoice-sum-differs', row.key);
    }
  }

  private addMoney(entity: string, cents: number): void {
    this.explainedCents.set(entity, (this.explainedCents.get(entity) ?? 0) + cents);
  }

  private money(): void {
    // Rows somebody must have but nobody finds still count on the expected side.
    for (const row of this.expected.rows.values()) {
      const missing = row.presence === 'must' && !this.actual.has(idOf(row.entity, row.key));
      if (missing && row.cents !== null) this.addMoney(row.entity, row.cents);
    }
    for (const entity of ['invoice', 'invoice-line', 'payment'] as const) {
      let cents = 0;
      for (const row of this.actual.values()) if (row.entity === entity) cents += row.cents ?? 0;
      const expected = this.explainedCents.get(entity) ?? 0;
      if (cents !== expected) this.find('money-differs', `${entity} by ${cents - expected} cents`);
    }
  }
}

/** What the system that does not own the customer may hold: nothing at the target, at the source only the past. */
export function checkOther(
  expected: ExpectedCustomer,
  rows: readonly AuditRow[],
  side: Side,
  around: Surroundings,
): void {
  for (const row of rows) {
    const name = `${side} ${row.entity} ${row.key}`;
    const operation = row.reference === null ? undefined : around.operations.byId.get(row.reference);
    if (operation?.outcome === 'refused') {
      around.findings.add('refused-happened', expected.customer, name);
      continue;
    }
    const past = side === 'source' && isPast(expected, row, operation);
    if (!past) around.findings.add('left-behind', expected.customer, name);
  }
}

function isPast(expected: ExpectedCustomer, row: AuditRow, operation: ReturnType<Operations['byId']['get']>): boolean {
  const laterOp = operation?.via === 'direct' && operation.side === 'target' && operation.outcome === 'acknowledged';
  if (laterOp) return false;
  if (expected.knownAtSource.has(idOf(row.entity, row.key))) return true;
  return row.reference !== null && expected.requests.has(row.reference);
}

/** Rows nobody wrote since the baseline must be what they were, byte for byte. Only for customers the source owns. */
export function checkUntouched(
  expected: ExpectedCustomer,
  before: readonly [string, string][],
  now: Awaited<ReturnType<typeof readDigests>>,
  findings: Findings,
): number {
  const found = new Map(now.get(expected.customer) ?? []);
  let untouched = 0;
  for (const [row, digest] of before) {
    if (expected.touched.has(row)) continue;
    untouched += 1;
    if (found.get(row) !== digest) findings.add('untouched-changed', expected.customer, row);
  }
  return untouched;
}
