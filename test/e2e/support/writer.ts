import { Pool } from 'pg';
import type { Side } from '../../../domain/custody';

const PAUSE_MS = 25;

type Outcome = 'acknowledged' | 'refused' | 'unknown';

/** Where a note was written, and what came of it; epoch ms. */
interface Entry {
  customer: string;
  outcome: Outcome;
  side: Side;
  begunAt: number;
  endedAt: number;
}

/**
 * Writes notes all the time, as a shop would: to the source, and where that refuses, to the target. Afterwards `audit` says what
 * is wrong: an acknowledged note that is missing or twice where its customer lives, a refused one that is there.
 */
export class Writer {
  private readonly journal = new Map<string, Entry>();
  private readonly source: Pool;
  private readonly target: Pool;
  private stopping = false;
  private written = 0;
  private running: Promise<void> | null = null;

  constructor(
    env: Record<string, string>,
    private readonly customers: number,
  ) {
    const open = (url: string | undefined): Pool => {
      const pool = new Pool({ connectionString: url, max: 2 });
      pool.on('error', () => undefined); // a cut connection shows as an unknown outcome of its query
      return pool;
    };
    this.source = open(env['SOURCE_URL']);
    this.target = open(env['TARGET_URL']);
  }

  /** Begins, or goes on after `stop`; one that writes already goes on as it is. */
  start(): void {
    this.stopping = false;
    this.running ??= this.loop();
  }

  /** Afterwards nothing is on its way any more, so that both systems can be held against the journal. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.running = null;
  }

  close(): Promise<unknown> {
    return Promise.all([this.source.end(), this.target.end()]);
  }

  counts(): Record<Outcome, number> {
    const of = (outcome: Outcome): number =>
      [...this.journal.values()].filter((entry) => entry.outcome === outcome).length;
    return { acknowledged: of('acknowledged'), refused: of('refused'), unknown: of('unknown') };
  }

  /** Notes the source took although they were begun at `from` or later and acknowledged before `to`. */
  takenAtSource(from: number, to: number): string[] {
    return [...this.journal]
      .filter(([, { outcome, side }]) => side === 'source' && outcome === 'acknowledged')
      .filter(([, { begunAt, endedAt }]) => begunAt >= from && endedAt < to)
      .map(([op]) => op);
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      const n = (this.written += 1);
      const customer = `t${1 + ((n * 7) % this.customers)}`;
      const outcome = await this.write(
        'source',
        'insert into tiny.note (customer, body) values ($1, $2)',
        customer,
        `op-${n}-s`,
      );
      if (outcome === 'refused')
        await this.write('target', 'insert into shop.memo (client_code, words) values ($1, $2)', customer, `op-${n}-t`);
      if (n % 5 === 0)
        await this.write('source', 'update tiny.customer set label = $2 where id = $1', customer, `label ${n}`, false);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private async write(side: Side, sql: string, customer: string, op: string, keep = true): Promise<Outcome> {
    const begunAt = Date.now();
    const outcome = await this[side].query(sql, [customer, op]).then(
      () => 'acknowledged' as const,
      (error: { code?: string }) =>
        error.code === 'CU001'
          ? ('refused' as const)
          : error.code === '23503' || error.code === '40001'
            ? ('refused' as const)
            : ('unknown' as const),
    );
    if (keep) this.journal.set(op, { customer, outcome, side, begunAt, endedAt: Date.now() });
    return outcome;
  }

  /** `owner`: where every customer lives now, but for those who `stay` at the source. Empty when nothing is wrong. */
  async audit(owner: 'source' | 'target', stay: readonly string[] = []): Promise<string[]> {
    const [notes, memos] = await Promise.all([
      this.source.query<{ op: string }>("select body as op from tiny.note where body like 'op-%'"),
      this.target.query<{ op: string }>("select words as op from shop.memo where words like 'op-%'"),
    ]);
    const there = { source: countOps(notes.rows), target: countOps(memos.rows) };
    return [...this.journal].flatMap(([op, { customer, outcome }]) => {
      const count = there[stay.includes(customer) ? 'source' : owner].get(op) ?? 0;
      if (outcome === 'acknowledged' && count !== 1) return [`${op} was acknowledged and is there ${count} times`];
      if (outcome === 'refused' && count !== 0) return [`${op} was refused and is there`];
      if (outcome === 'unknown' && count > 1) return [`${op} is there ${count} times`];
      return [];
    });
  }
}

function countOps(rows: readonly { op: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { op } of rows) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}
