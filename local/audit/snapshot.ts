import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { z } from 'zod';
import { ENTITIES } from '../traffic/journal';
import { readCustomers, readDigests, readRows } from './reading';

const BATCH = 1_000;

const snapshotRow = z.tuple([
  z.enum(ENTITIES),
  z.string(),
  z.int().nullable(),
  z.record(z.string(), z.string()),
  z.string().nullable(),
]);
const line = z.strictObject({
  customer: z.string(),
  rows: z.array(snapshotRow),
  digests: z.array(z.tuple([z.string(), z.string()])),
});
/** One customer before the run: every row with its amount in cents, its states, its reference, and md5 per legacy row. */
export type CustomerBaseline = z.output<typeof line>;

export interface BaselineTotals {
  customers: number;
  rows: number;
  invoicedCents: number;
  paidCents: number;
}

/** Writes every customer of the source to `file` (JSONL), from one snapshot, read with plain SQL. */
export async function takeBaseline(sourceUrl: string, file: string): Promise<BaselineTotals> {
  const client = new Client({ connectionString: sourceUrl, application_name: 'audit-baseline' });
  await client.connect();
  const out = createWriteStream(file, { flags: 'w' });
  const totals: BaselineTotals = { customers: 0, rows: 0, invoicedCents: 0, paidCents: 0 };
  try {
    await client.query('begin isolation level repeatable read read only');
    const customers = await readCustomers(client, 'source');
    for (let from = 0; from < customers.length; from += BATCH) {
      const batch = customers.slice(from, from + BATCH);
      const rows = await readRows(client, 'source', batch);
      const digests = await readDigests(client, batch);
      for (const customer of batch) {
        const mine = rows.get(customer) ?? [];
        const compact = mine.map((row): z.output<typeof snapshotRow> => [
          row.entity,
          row.key,
          row.cents,
          row.set,
          row.reference,
        ]);
        const entry: CustomerBaseline = { customer, rows: compact, digests: digests.get(customer) ?? [] };
        if (!out.write(`${JSON.stringify(entry)}\n`)) await once(out, 'drain');
        totals.customers += 1;
        totals.rows += mine.length;
        for (const row of mine) {
          if (row.entity === 'invoice') totals.invoicedCents += row.cents ?? 0;
          if (row.entity === 'payment') totals.paidCents += row.cents ?? 0;
        }
      }
    }
    await client.query('commit');
  } finally {
    out.end();
    await Promise.all([once(out, 'close'), client.end()]);
  }
  return totals;
}

/** The customers of a baseline file, in the order written. Throws with the number of a line that is broken. */
export async function* readBaseline(file: string): AsyncGenerator<CustomerBaseline> {
  const reader = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let number = 0;
  for await (const text of reader) {
    number += 1;
    if (text === '') continue;
    const parsed = line.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(`${file}:${number}: not a line of a baseline`);
    yield parsed.data;
  }
}
