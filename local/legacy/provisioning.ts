import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Pool } from 'pg';
import type PgBoss from 'pg-boss';
import { z } from 'zod';
import { PROVISIONING_QUEUE } from './schema';

/** SQLSTATE with which the guard says that this system does not take writes for the customer now. */
const REFUSED = 'CU001';
const BATCH = 50;
const PAUSE_MS = 100;
const REFUSED_PAUSE_MS = 1_000;

const message = z.object({ customer: z.string(), order: z.string() });

export interface Counts {
  done: number;
  refused: number;
  failed: number;
}

/**
 * The legacy back office: takes provisioning messages and orders typed in directly, and marks each busy, then done.
 * A refused message goes back to pg-boss, which brings it again; a refused direct order is left alone for a second.
 */
export class Provisioning {
  readonly counts: Counts = { done: 0, refused: 0, failed: 0 };
  private readonly refusedUntil = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly pool: Pool,
    private readonly boss: PgBoss,
    private readonly report: (text: string) => void,
  ) {}

  stop(): void {
    this.stopping.abort();
  }

  /** Works until `stop`; the message or order in hand is finished first. A lost database is tried again. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let worked = 0;
      try {
        worked = (await this.takeMessages()) + (await this.takeDirectOrders());
      } catch (error) {
        this.failed(error);
      }
      if (worked === 0) await this.pause();
    }
  }

  private async pause(): Promise<void> {
    try {
      await sleep(PAUSE_MS, undefined, { signal: this.stopping.signal });
    } catch (error) {
      if (!this.stopping.signal.aborted) throw error;
    }
  }

  private async takeMessages(): Promise<number> {
    const jobs = await this.boss.fetch<unknown>(PROVISIONING_QUEUE, { batchSize: BATCH });
    let done = 0;
    for (const job of jobs) {
      const parsed = message.safeParse(job.data);
      try {
        if (!parsed.success) throw new Error('The message names no order');
        await this.carryOut(parsed.data.order);
        await this.boss.complete(PROVISIONING_QUEUE, job.id);
        done += 1;
      } catch (error) {
        this.failed(error);
        await this.boss.fail(PROVISIONING_QUEUE, job.id, { code: codeOf(error) });
      }
    }
    return done;
  }

  private async takeDirectOrders(): Promise<number> {
    const now = Date.now();
    for (const [order, until] of this.refusedUntil) if (until <= now) this.refusedUntil.delete(order);
    const { rows } = await this.pool.query<{ order_id: string }>(
      `select order_id from legacy.work_order where state <> 'done' and created_at < clock_timestamp() - interval '200 ms'
         and order_id <> all ($1::text[]) order by created_at limit ${BATCH}`,
      [[...this.refusedUntil.keys()]],
    );
    let done = 0;
    for (const { order_id: order } of rows) {
      try {
        await this.carryOut(order);
        done += 1;
      } catch (error) {
        this.refusedUntil.set(order, now + REFUSED_PAUSE_MS);
        this.failed(error);
      }
    }
    return done;
  }

  /** Two writes, as the legacy application makes them; either may find that somebody else made it. */
  private async carryOut(order: string): Promise<void> {
    await this.pool.query("update legacy.work_order set state = 'busy' where order_id = $1 and state = 'new'", [order]);
    const { rowCount } = await this.pool.query(
      "update legacy.work_order set state = 'done' where order_id = $1 and state = 'busy'",
      [order],
    );
    this.counts.done += rowCount ?? 0;
  }

  private failed(error: unknown): void {
    const code = codeOf(error);
    if (code === REFUSED) {
      this.counts.refused += 1;
      return;
    }
    this.counts.failed += 1;
    this.report(`back office: ${code}`);
  }
}

/** SQLSTATE, system error code or class name: never the message, which may quote a row. */
function codeOf(error: unknown): string {
  if (error instanceof DatabaseError) return error.code ?? 'database error';
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.name;
  return 'unknown error';
}
