import { readJournal, type EntityName, type Intent, type JournalLine, type Outcome, type SeenCustody } from './journal';
import { KINDS } from './kinds';

export interface KindCount {
  attempted: number;
  acknowledged: number;
  held: number;
  refused: number;
  unknown: number;
}

export interface TrafficSummary {
  /** Operations with an outcome. */
  operations: number;
  seconds: number;
  perSecond: number;
  held: number;
  acknowledged: number;
  refused: number;
  unknown: number;
  /** Kind → custody seen → outcomes. Every kind is listed, at zero too. */
  kinds: Record<string, Record<SeenCustody, KindCount>>;
  /** The smallest number of attempts of any kind, per custody. */
  fewest: Record<SeenCustody, number>;
  /** Rows written at the target and acknowledged, per entity and act. */
  targetWrites: Partial<Record<EntityName, { insert: number; update: number; delete: number }>>;
  bornAtTarget: number;
  /** Refusals by SQLSTATE, HTTP status or reason. */
  refusals: Record<string, number>;
}

const none = (): KindCount => ({ attempted: 0, acknowledged: 0, held: 0, refused: 0, unknown: 0 });

/** Adds up journal lines as they come. */
export class Counts {
  private readonly open = new Map<string, Intent>();
  private readonly kinds: TrafficSummary['kinds'] = Object.fromEntries(
    KINDS.map((kind) => [kind, { source: none(), moving: none(), target: none() }]),
  );
  private readonly totals = { acknowledged: 0, held: 0, refused: 0, unknown: 0 };
  private readonly targetWrites: TrafficSummary['targetWrites'] = {};
  private readonly refusals: Record<string, number> = {};
  private bornAtTarget = 0;
  private firstAt = Number.POSITIVE_INFINITY;
  private lastAt = 0;

  add(line: JournalLine): void {
    if (line.event === 'intent') {
      this.open.set(line.op, line);
      this.firstAt = Math.min(this.firstAt, line.at);
      return;
    }
    const intent = this.open.get(line.op);
    if (!intent) return;
    this.open.delete(line.op);
    this.lastAt = Math.max(this.lastAt, line.at);
    this.totals[line.outcome] += 1;
    const cell = this.of(intent.kind, intent.custody);
    cell.attempted += 1;
    cell[line.outcome] += 1;
    if (line.outcome === 'refused') this.refusals[line.code ?? '?'] = (this.refusals[line.code ?? '?'] ?? 0) + 1;
    if (line.outcome === 'acknowledged') this.addWrites(intent, line);
  }

  of(kind: string, custody: SeenCustody): KindCount {
    const known = (this.kinds[kind] ??= { source: none(), moving: none(), target: none() });
    return known[custody];
  }

  get held(): number {
    return this.totals.held;
  }

  /** Acknowledged rows of the entity at the target so far. */
  writesAtTarget(entity: EntityName): number {
    const writes = this.targetWrites[entity];
    return writes ? writes.insert + writes.update + writes.delete : 0;
  }

  summary(): TrafficSummary {
    const { acknowledged, held, refused, unknown } = this.totals;
    const operations = acknowledged + held + refused + unknown;
    const seconds = Number.isFinite(this.firstAt) ? Math.max(0, this.lastAt - this.firstAt) / 1_000 : 0;
    const fewest = (custody: SeenCustody): number =>
      Math.min(...Object.values(this.kinds).map((counts) => counts[custody].attempted));
    return {
      operations,
      seconds,
      perSecond: seconds > 0 ? operations / seconds : 0,
      ...this.totals,
      kinds: this.kinds,
      fewest: { source: fewest('source'), moving: fewest('moving'), target: fewest('target') },
      targetWrites: this.targetWrites,
      bornAtTarget: this.bornAtTarget,
      refusals: this.refusals,
    };
  }

  private addWrites(intent: Intent, line: Outcome): void {
    if (intent.side !== 'target') return;
    if (intent.kind === 'won') this.bornAtTarget += 1;
    for (const row of line.rows) {
      const writes = (this.targetWrites[row.entity] ??= { insert: 0, update: 0, delete: 0 });
      writes[row.act] += 1;
    }
  }
}

/** What a journal file holds, added up. */
export async function summarise(file: string): Promise<TrafficSummary> {
  const counts = new Counts();
  for await (const line of readJournal(file)) counts.add(line);
  return counts.summary();
}
