import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { generateLegacy } from '../../local/legacy/generate';
import { loadLegacyCsv } from '../../local/legacy/load-csv';
import { createLegacy, finishLegacy, LEGACY_TABLES } from '../../local/legacy/schema';
import { projectDir } from '../../local/paths';
import { freshDatabase } from '../support/databases';

const CSV = join(projectDir(), '..', 'shared', 'data', 'telco-customers.csv');

async function withLegacy<T>(
  fill: (client: Client) => Promise<void>,
  look: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(await freshDatabase('legacy'));
  await client.connect();
  try {
    await createLegacy(client);
    await fill(client);
    await finishLegacy(client);
    return await look(client);
  } finally {
    await client.end();
  }
}

const count = async (client: Client, sql: string): Promise<number> =>
  Number((await client.query<{ n: string }>(`select ${sql} as n`)).rows[0]?.n);

const digest = async (client: Client): Promise<string[]> => {
  const digests: string[] = [];
  for (const table of LEGACY_TABLES) {
    const { rows } = await client.query<{ d: string }>(
      `select count(*) || ' ' || md5(string_agg(t::text, '|' order by t::text)) d from legacy.${table} t`,
    );
    digests.push(`${table} ${rows[0]?.d}`);
  }
  return digests;
};

describe('the legacy generator', () => {
  it('gives the same rows for the same seed and others for another', async () => {
    const make = (seed: number): Promise<string[]> =>
      withLegacy((client) => generateLegacy(client, { customers: 300, seed }), digest);
    const [one, again, two] = [await make(7), await make(7), await make(8)];
    expect(again).toEqual(one);
    expect(two).not.toEqual(one);
    expect(one.every((line) => !/ 0 /.test(line))).toBe(true);
  });

  it('makes a believable legacy: dirty where people typed, sound where money is counted', async () => {
    await withLegacy(
      (client) => generateLegacy(client, { customers: 5_000, seed: 1 }),
      async (client) => {
        expect(await count(client, '(select count(*) from legacy.customer)')).toBe(5_000);
        const some = [
          "(select count(*) from legacy.customer where btrim(total_charges) = '' and tenure = '0')",
          "(select count(*) from legacy.customer where btrim(total_charges) = '' and tenure <> '0')",
          "(select count(*) from legacy.customer where status = 'departed')",
          '(select count(*) from legacy.customer where name <> btrim(name))',
          "(select count(*) from legacy.service where streaming_tv = 'No internet service')",
          '(select count(*) from legacy.invoice where mailed_at is not null)',
          '(select count(*) from legacy.invoice where mailed_at is null)',
          "(select count(*) from legacy.payment where kind = 'reversal')",
          "(select count(*) from legacy.work_order where state = 'new')",
        ];
        for (const sql of some) expect([sql, (await count(client, sql)) > 0]).toEqual([sql, true]);
        const none = [
          "(select count(*) from legacy.service where (internet = 'No') <> (tech_support = 'No internet service'))",
          `(select count(*) from legacy.invoice v where btrim(amount)::numeric <>
             (select sum(amount::numeric) from legacy.invoice_line l where l.invoice_no = v.invoice_no))`,
          `(select count(*) from legacy.invoice v where state = 'paid' and btrim(amount)::numeric <>
             (select sum(amount::numeric) from legacy.payment p where p.invoice_no = v.invoice_no))`,
          '(select count(*) from legacy.invoice where invoice_no::bigint > (select last_value from legacy.invoice_seq))',
          '(select count(*) from legacy.payment where payment_id::bigint > (select last_value from legacy.payment_seq))',
          '(select count(*) from legacy.contract where contract_no::bigint > (select last_value from legacy.contract_seq))',
        ];
        for (const sql of none) expect([sql, await count(client, sql)]).toEqual([sql, 0]);
      },
    );
  });

  it('refuses to make no customers', async () => {
    await expect(withLegacy((client) => generateLegacy(client, { customers: 0 }), digest)).rejects.toThrow('1 or more');
  });
});

describe('the legacy loader', () => {
  const withCsv = existsSync(CSV) ? it : it.skip;
  if (!existsSync(CSV)) process.stderr.write(`Skipped: ${CSV} is not here.\n`);

  withCsv('loads the telephone company as delivered: 7,043 customers, 11 of them without a total', async () => {
    await withLegacy(
      (client) => loadLegacyCsv(client, { file: CSV }),
      async (client) => {
        expect(await count(client, '(select count(*) from legacy.customer)')).toBe(7_043);
        expect(await count(client, "(select count(*) from legacy.customer where btrim(total_charges) = '')")).toBe(11);
        expect(
          await count(
            client,
            "(select count(*) from legacy.customer where btrim(total_charges) = '' and tenure <> '0')",
          ),
        ).toBe(0);
        expect(await count(client, '(select count(*) from legacy.service)')).toBe(7_043);
        expect(await count(client, "(select count(*) from legacy.contract where kind = 'Two year')")).toBe(1_695);
        expect(await count(client, '(select sum(monthly_charges::numeric) from legacy.customer)')).toBeCloseTo(
          456_116.6,
          1,
        );
      },
    );
  });

  it('says which file is missing', async () => {
    await expect(
      withLegacy((client) => loadLegacyCsv(client, { file: '/nowhere/customers.csv' }), digest),
    ).rejects.toThrow('No such file: /nowhere/customers.csv');
  });

  it('says which columns a wrong file lacks', async () => {
    await expect(
      withLegacy((client) => loadLegacyCsv(client, { file: join(projectDir(), 'package.json') }), digest),
    ).rejects.toThrow(/lacks the columns customerID/);
  });
});
