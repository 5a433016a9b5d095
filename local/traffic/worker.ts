import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';
import type { Counts } from './counts';
import type { CustodyView, Seen } from './custody-view';
import { attempt, lostConnection, type Isolation } from './direct';
import type { GatewayClient, RequestBody } from './gateway';
import type { Intent, Journal, Outcome, RowEffect } from './journal';
import { isRequest, operationOf, type DirectKind, type Kind } from './kinds';
import type { OperationContext } from './operation';
import type { Choice, Customers, Picker } from './picker';
import type { Random } from './random';
import { draftRequest, type RequestTraffic } from './requests';
import { Rows } from './rows';

export interface WorkerParts {
  pools: Record<Side, Pool>;
  gateway: GatewayClient;
  view: CustodyView;
  picker: Picker;
  customers: Customers;
  journal: Journal;
  counts: Counts;
  random: Random;
  /** Customers an operation is under way for: one at a time, so that the journal's order is the systems' order. */
  busy: Set<string>;
  /** Where the application reports writes that were refused, when there is such a place. */
  reportRefusal: (wave: number | undefined) => Promise<void>;
  /** How often a client sends a request again although it was answered. */
  doubleSendShare: number;
  /** How often the legacy application writes for a customer who is served by the target. */
  strayShare: number;
}

type Outcomes = Omit<Outcome, 'event' | 'at' | 'op'>;

/** What one client of the company does: one operation after the other. */
export class TrafficWorker {
  private count = 0;
  private readonly catalogue: Partial<Record<Side, string[]>> = {};

  constructor(
    private readonly name: string,
    private readonly parts: WorkerParts,
  ) {}

  /** One operation, journalled before it is sent and after it is answered. */
  async once(): Promise<void> {
    const choice = await this.parts.picker.next();
    try {
      if (isRequest(choice.kind)) await this.viaGateway(choice, choice.kind);
      else await this.direct(choice, choice.kind);
    } catch (error) {
      if (!lostConnection(error)) throw error; // the systems may go away at any time; nothing was under way
    }
  }

  private nextOp(): string {
    this.count += 1;
    return `op-${this.name}-${this.count}`;
  }

  private async viaGateway(choice: Choice, kind: RequestTraffic): Promise<void> {
    const { busy, random, gateway } = this.parts;
    const customer = choice.candidates.find((each) => !busy.has(each));
    if (customer === undefined) return;
    busy.add(customer);
    try {
      const op = this.nextOp();
      const draft = draftRequest(kind, op, random);
      const body: RequestBody = { idempotencyKey: op, customer, kind: draft.kind, payload: draft.payload };
      await this.journalled({ op, via: 'request', kind, customer, seen: choice }, async () => {
        const answer = await gateway.submit(body);
        if (answer.outcome !== 'unknown' && random.chance(this.parts.doubleSendShare)) await gateway.submit(body);
        return { ...outcomeOf(answer), rows: answer.outcome === 'refused' ? [] : draft.rows };
      });
    } finally {
      busy.delete(customer);
    }
  }

  private async direct(choice: Choice, kind: DirectKind): Promise<void> {
    const stray = choice.custody === 'target' && this.parts.random.chance(this.parts.strayShare);
    const side: Side = stray ? 'source' : choice.side;
    const client = await this.parts.pools[side].connect();
    let lost = false;
    const broke = (): void => {
      lost = true;
    };
    client.on('error', broke);
    try {
      const rows = new Rows(side, client);
      const chosen = await this.chooseCustomer(rows, choice, kind);
      if (chosen) await this.perform(rows, { ...choice, side }, chosen);
    } catch (error) {
      lost ||= lostConnection(error);
      throw error;
    } finally {
      client.off('error', broke);
      client.release(lost);
    }
  }

  /** A customer the operation makes sense for, marked busy; another kind when nobody has the row it needs. */
  private async chooseCustomer(rows: Rows, choice: Choice, kind: DirectKind): Promise<Chosen | undefined> {
    const { busy } = this.parts;
    const operation = operationOf(kind);
    if (operation.newCustomer) return this.mark({ kind, customer: await newNumber(rows) });
    const free = choice.candidates.filter((customer) => !busy.has(customer));
    const { needs } = operation;
    if (needs) {
      const found = await rows.find(needs.entity, free, needs.where[rows.side], { limit: 5 });
      const row = found.find((each) => !busy.has(each.customer));
      if (row) return this.mark({ kind, customer: row.customer, key: row.key });
    }
    const customer = free.find((each) => !busy.has(each));
    if (customer === undefined || operation.ownCustomer) return undefined;
    return this.mark({ kind: needs ? instead(needs.entity) : kind, customer });
  }

  private mark(chosen: Chosen): Chosen {
    this.parts.busy.add(chosen.customer);
    return chosen;
  }

  private async perform(rows: Rows, choice: Choice, { kind, customer, key }: Chosen): Promise<void> {
    const { busy, random, customers, view } = this.parts;
    const operation = operationOf(kind);
    const op = this.nextOp();
    try {
      const products = await this.products(rows);
      const done = await this.journalled({ op, via: 'direct', kind, customer, seen: choice }, async () => {
        const answer = await attempt(rows.client, isolationFor(random), async () => {
          const context: OperationContext = { rows, op, customer, random, products };
          const { needs } = operation;
          if (needs) {
            const options = { limit: 1, lock: true, ...(key === undefined ? {} : { key }) };
            const row = (await rows.find(needs.entity, [customer], needs.where[rows.side], options))[0];
            if (!row) return undefined;
            context.row = row;
          }
          const effects = await operation.run(context);
          return effects.length > 0 ? effects : undefined;
        });
        return answer.outcome === 'refused'
          ? { outcome: 'refused', code: answer.code, rows: [] }
          : { outcome: answer.outcome, rows: answer.value };
      });
      if (kind === 'won' && done.outcome === 'acknowledged') customers.add(customer, random.chance(0.5));
      if (kind === 'withdrawn' && done.outcome !== 'refused') customers.forgetFresh(customer);
      if (done.code === 'CU001') {
        await this.parts.reportRefusal(choice.wave);
        await view.ask(customer);
      }
    } finally {
      busy.delete(customer);
    }
  }

  private async journalled(
    about: { op: string; via: Intent['via']; kind: Kind; customer: string; seen: Seen },
    act: () => Promise<Outcomes>,
  ): Promise<Outcomes> {
    const { journal, counts } = this.parts;
    const { seen, ...rest } = about;
    const intent: Intent = { event: 'intent', at: Date.now(), ...rest, side: seen.side, custody: seen.custody };
    await journal.write(intent);
    counts.add(intent);
    const result = await act();
    const outcome: Outcome = { event: 'outcome', at: Date.now(), op: about.op, ...result };
    await journal.write(outcome);
    counts.add(outcome);
    return result;
  }

  /** The catalogue of a side, read again until it holds something: the target's arrives with the reference data. */
  private async products(rows: Rows): Promise<string[]> {
    const known = this.catalogue[rows.side];
    if (known) return known;
    const table = rows.side === 'source' ? "legacy.tariff where active = 'Y'" : 'catalog.product';
    const result = await rows.client.query<{ code: string }>(`select code from ${table} order by code`);
    const codes = result.rows.map((row) => row.code);
    if (codes.length === 0) return ['none']; // the system turns it down itself
    return (this.catalogue[rows.side] = codes);
  }
}

interface Chosen {
  kind: DirectKind;
  customer: string;
  key?: string;
}

/** What makes the row that was missing, or something harmless. */
function instead(entity: RowEffect['entity']): DirectKind {
  if (entity === 'invoice' || entity === 'invoice-line') return 'bill';
  if (entity === 'ticket') return 'ticket-open';
  return entity === 'service' ? 'service-change' : 'payment';
}

function isolationFor(random: Random): Isolation {
  const dice = random.next();
  if (dice < 0.8) return 'read committed';
  return dice < 0.9 ? 'repeatable read' : 'serializable';
}

function outcomeOf(answer: Awaited<ReturnType<GatewayClient['submit']>>): Omit<Outcomes, 'rows'> {
  if (answer.outcome === 'unknown') return { outcome: 'unknown' };
  if (answer.outcome === 'refused') return { outcome: 'refused', code: `http-${answer.status}` };
  return { outcome: answer.outcome === 'held' ? 'held' : 'acknowledged' };
}

async function newNumber(rows: Rows): Promise<string> {
  const sql =
    rows.side === 'source'
      ? "select 'W' || nextval('legacy.customer_seq') as number"
      : "select 'N' || nextval('crm.customer_seq') as number";
  const result = await rows.client.query<{ number: string }>(sql);
  return result.rows[0]?.number ?? '';
}
