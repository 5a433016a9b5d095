import { Client } from 'pg';
import PgBoss from 'pg-boss';
import { generateLegacy } from './generate';
import { loadLegacyCsv } from './load-csv';
import { createLegacy, finishLegacy, PROVISIONING_DEAD_LETTERS, PROVISIONING_QUEUE } from './schema';

/** What the legacy system is filled with: generated customers, or those of a file. */
export type LegacyFill = { customers: number; seed: number } | { customersCsv: string; seed: number };

/** Creates schema `pgboss` with the provisioning queue and its dead letters. Does nothing to queues that are there. */
async function createQueues(url: string): Promise<void> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  boss.on('error', () => undefined); // errors of calls reach the caller; those of the pool end the connection, which retries
  await boss.start();
  try {
    await boss.createQueue(PROVISIONING_DEAD_LETTERS);
    await boss.createQueue(PROVISIONING_QUEUE);
  } finally {
    await boss.stop({ graceful: false, wait: true });
  }
}

/** Messages on their way when the story starts: half of the open orders came through the queue. */
const SEND_OPEN_ORDERS = `
  select legacy.enqueue_provisioning(order_id, customer_id) from legacy.work_order
  where state = 'new' and order_id::bigint % 2 = 0`;

/** Makes the whole legacy system in an empty database: schema, queue, customers with their history, indexes. */
export async function fillLegacy(url: string, fill: LegacyFill): Promise<void> {
  await createQueues(url);
  const client = new Client(url);
  await client.connect();
  try {
    await createLegacy(client);
    if ('customersCsv' in fill) await loadLegacyCsv(client, { file: fill.customersCsv, seed: fill.seed });
    else await generateLegacy(client, fill);
    await finishLegacy(client);
    await client.query(SEND_OPEN_ORDERS);
  } finally {
    await client.end();
  }
}
