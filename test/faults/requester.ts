import { Client } from 'pg';
import type { Side } from '../../domain/custody';
import { startGateway, type RunningGateway } from '../../gateway/server';
import { isPending, waitUntil } from '../support/wait-until';
import type { Stage } from '../e2e/support/stage';

const PAUSE_MS = 250;
const PATIENCE_MS = 300_000;

/** Sends requests to a gateway all the time, each again under its key until it is answered, as an integration should. */
export class Requester {
  private readonly accepted = new Map<string, string>();
  private going = true;
  private readonly ended: Promise<void>;

  private constructor(
    private readonly stage: Stage,
    private readonly gateway: RunningGateway,
    private readonly customers: number,
  ) {
    this.ended = this.loop();
  }

  static async start(stage: Stage, cutover: string, customers: number): Promise<Requester> {
    const [controlUrl, sourceUrl, targetUrl] = [stage.urlOf('control'), stage.urlOf('source'), stage.urlOf('target')];
    const at = { controlUrl, sourceUrl, targetUrl, cutover, host: '127.0.0.1', port: 0, forwardTimeoutMs: 2_000 };
    return new Requester(stage, await startGateway(at, () => undefined), customers);
  }

  private async loop(): Promise<void> {
    for (let n = 1; this.going; n++) {
      const key = `req-${n}`;
      const customer = `t${1 + ((n * 3) % this.customers)}`;
      while (this.going && !(await this.send(key, customer))) await pause();
      await pause();
    }
  }

  private async send(key: string, customer: string): Promise<boolean> {
    const body = JSON.stringify({ idempotencyKey: key, customer, kind: 'note', payload: { text: key } });
    const answer = await fetch(`${this.gateway.url}/requests`, { method: 'POST', body }).catch(() => null);
    if (answer === null || ![200, 202].includes(answer.status)) return false;
    this.accepted.set(key, customer);
    return true;
  }

  /** Stops sending, and waits until everything that was accepted is settled. */
  async stop(): Promise<void> {
    if (!this.going) return;
    this.going = false;
    try {
      await this.ended;
      await waitUntil(async () => (await this.pending()).length === 0, PATIENCE_MS).catch((error: unknown) => {
        if (!isPending(error)) throw error; // what is still pending, the audit says
      });
    } finally {
      await this.gateway.stop();
    }
  }

  get count(): number {
    return this.accepted.size;
  }

  private async pending(): Promise<string[]> {
    const rows = await this.stage.query<{ key: string }>(
      this.stage.urlOf('control'),
      "select idempotency_key as key from control.request where state in ('held', 'forwarding')",
    );
    return rows.map(({ key }) => key);
  }

  /** `owner`: where every customer lives. What took no effect or is not settled, and what took effect twice. */
  async audit(owner: Side): Promise<{ lost: string[]; doubled: string[] }> {
    const client = new Client(this.stage.urlOf(owner));
    await client.connect();
    const sql = {
      source: "select body as text, count(*)::int as times from tiny.note where body like 'req-%' group by 1",
      target: "select words as text, count(*)::int as times from shop.memo where words like 'req-%' group by 1",
    }[owner];
    const { rows } = await client.query<{ text: string; times: number }>(sql).finally(() => client.end());
    const times = new Map(rows.map(({ text, times: found }) => [text, found]));
    const pending = new Set(await this.pending());
    return {
      lost: [...this.accepted.keys()]
        .filter((key) => !times.has(key))
        .map((key) => `request ${key} was accepted and took no effect${pending.has(key) ? ' yet' : ''}`),
      doubled: rows.filter(({ times: found }) => found > 1).map(({ text }) => `request ${text} took effect twice`),
    };
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
