import { Pool } from 'pg';
import type { TrafficConfig } from './config';
import { Counts, type TrafficSummary } from './counts';
import { lostConnection } from './direct';
import { CustodyView } from './custody-view';
import { GatewayClient } from './gateway';
import { Journal } from './journal';
import { Customers, Picker } from './picker';
import { Random } from './random';
import { delay } from './wait';
import { TrafficWorker, type WorkerParts } from './worker';

const WATCH_MS = 200;

/** Live traffic from its start until it is stopped. */
export interface Traffic {
  summary(): TrafficSummary;
  /** Resolves when every operation under way has its outcome in the journal. */
  stop(): Promise<TrafficSummary>;
  /** Rejects when traffic itself fails; a system that goes away does not make it fail. */
  failed: Promise<never>;
}

const pool = (url: string, workers: number): Pool => {
  const made = new Pool({ connectionString: url, max: workers, application_name: 'traffic' });
  made.on('error', () => undefined); // an idle connection broke; the next operation opens another
  made.on('connect', (client) => client.on('error', () => undefined)); // a broken one may complain once more after its end
  return made;
};

/** Opens the systems, reads the customers and starts the workers. Rejects when a system does not answer at first. */
export async function startTraffic(config: TrafficConfig): Promise<Traffic> {
  const pools = { source: pool(config.source, config.workers), target: pool(config.target, config.workers) };
  const initial = await pools.source.query<{ id: string }>(
    "select customer_id as id from legacy.customer where status = 'active' order by 1",
  );
  const gateway = new GatewayClient(config.gateway);
  const view = new CustodyView(gateway);
  const journal = new Journal(config.journal);
  const counts = new Counts();
  const customers = new Customers(initial.rows.map((row) => row.id));
  const refusals = refusalReport(config);
  const stopping = new AbortController();
  const busy = new Set<string>();
  const workers = Array.from({ length: config.workers }, (_, index) => {
    const random = new Random(config.seed * 1_000 + index);
    const picker = new Picker(random, customers, view, counts, { focus: config.focus });
    const shares = { doubleSendShare: config.doubleSends, strayShare: config.strays };
    const known = { pools, gateway, view, customers, journal, counts, busy, reportRefusal: refusals.report };
    const parts: WorkerParts = { ...known, picker, random, ...shares };
    return new TrafficWorker(`${config.name}${index + 1}`, parts);
  });
  const watching = view.watch(WATCH_MS, stopping.signal);
  const pace = pacer(config.rate);
  const running = [watching, ...workers.map((worker) => loop(worker, pace, stopping.signal))];
  const all = Promise.all(running);
  return {
    summary: () => counts.summary(),
    failed: all.then(() => new Promise<never>(() => undefined)),
    stop: async () => {
      stopping.abort();
      await all;
      await Promise.all([journal.close(), pools.source.end(), pools.target.end(), refusals.end()]);
      return counts.summary();
    },
  };
}

/** Reports refused writes where the success measures read them; when that fails the count is short, not the traffic. */
function refusalReport({ control, cutover, workers }: TrafficConfig): {
  report: (wave: number | undefined) => Promise<void>;
  end: () => Promise<void>;
} {
  if (control === undefined || cutover === undefined) return { report: async () => {}, end: async () => {} };
  const to = pool(control, Math.min(workers, 2));
  return {
    report: async (wave) => {
      try {
        await to.query('insert into control.refusal (cutover, wave) values ($1, $2)', [cutover, wave ?? null]);
      } catch (error) {
        if (!lostConnection(error)) throw error;
      }
    },
    end: () => to.end(),
  };
}

/** Hands out one time slot after the other; what was missed by more than a second is not made up for. */
function pacer(rate: number): () => number {
  const stepMs = 1_000 / rate;
  let next = Date.now();
  return () => {
    next = Math.max(next + stepMs, Date.now() - 1_000);
    return next;
  };
}

async function loop(worker: TrafficWorker, pace: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(pace() - Date.now(), signal);
    if (!signal.aborted) await worker.once();
  }
}
