import { Pool, type PoolClient } from 'pg';
import type { Side } from '../../domain/custody';

/** `refused`: the guard said no. `unclear`: no answer in time, a lock, a lost connection: nothing follows from it. */
export type Answer = 'accepted' | 'refused' | 'unclear';

const GUARD_REFUSED = 'CU001';
/** Shorter than anything that waits for writers, so that a canary never holds up a freeze. */
const TIMEOUTS = '-c statement_timeout=1500 -c lock_timeout=300 -c idle_in_transaction_session_timeout=3000';

const WRITES: Record<Side, { touch: string; add: string; read: string }> = {
  source: {
    touch: 'update legacy.customer set reference = reference where customer_id = $1',
    add: 'insert into legacy.customer (customer_id) values ($1)',
    read: 'select 1 from legacy.customer where customer_id = $1',
  },
  target: {
    touch: 'update crm.customer set reference = reference where customer_no = $1',
    add: 'insert into crm.customer (customer_no) values ($1)',
    read: 'select 1 from crm.customer where customer_no = $1',
  },
};

/** One system as the prober tries it: writes that are always rolled back, and reads. */
export class CanarySide {
  private readonly pool: Pool;

  constructor(
    readonly side: Side,
    url: string,
  ) {
    this.pool = new Pool({
      connectionString: url,
      max: 2,
      application_name: 'prober',
      connectionTimeoutMillis: 1_500,
      options: TIMEOUTS,
    });
    this.pool.on('error', () => undefined); // an idle connection broke; the next canary opens another
    this.pool.on('connect', (client) => client.on('error', () => undefined)); // a broken one may complain after its end
  }

  /**
   * Tries to write for a customer and keeps the transaction open while `then` runs, so that two systems can be asked at
   * one moment. `again` tries once more in the same transaction. Nothing is ever committed.
   */
  async whileOpen<T>(customer: string, then: (answer: Answer, again: () => Promise<Answer>) => Promise<T>): Promise<T> {
    let client: PoolClient;
    try {
      client = await this.pool.connect();
    } catch {
      return then('unclear', async () => 'unclear'); // the system cannot be reached: that is an answer of its own
    }
    let usable = false;
    try {
      const answer = await this.start(client, customer);
      const result = await then(answer, () => attempt(() => this.write(client, customer)));
      usable = await rolledBack(client);
      return result;
    } finally {
      client.release(!usable);
    }
  }

  /** Whether the customer is answered about here; undefined when the system gives no answer. */
  async read(customer: string): Promise<{ found: boolean; ms: number } | undefined> {
    const started = performance.now();
    try {
      const result = await this.pool.query(WRITES[this.side].read, [customer]);
      return { found: (result.rowCount ?? 0) > 0, ms: performance.now() - started };
    } catch {
      return undefined;
    }
  }

  query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return this.pool.query<T>(sql, values).then((result) => result.rows);
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  private start(client: PoolClient, customer: string): Promise<Answer> {
    return attempt(async () => {
      await client.query('begin');
      await this.write(client, customer);
    });
  }

  private async write(client: PoolClient, customer: string): Promise<void> {
    const touched = await client.query(WRITES[this.side].touch, [customer]);
    if (touched.rowCount === 0) await client.query(WRITES[this.side].add, [customer]);
  }
}

async function attempt(work: () => Promise<void>): Promise<Answer> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === GUARD_REFUSED ? 'refused' : 'unclear';
  }
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false; // the connection is gone, and the transaction with it
  }
}
