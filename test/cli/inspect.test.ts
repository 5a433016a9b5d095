import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runCli } from '../../cli/run-cli';
import { withClient } from '../../local/with-client';
import { makeSystems, PAIRS, SYSTEMS, type SystemName } from '../bring-your-own/systems';
import { freshDatabase } from '../support/databases';
import { fakeCli, type HeardCli } from './support/fake-cli';

const dir = mkdtempSync(join(tmpdir(), 'cutover-inspect-'));
afterAll(() => rmSync(dir, { recursive: true }));

const environments = new Map<SystemName, Record<string, string>>();
beforeAll(async () => {
  for (const name of SYSTEMS) {
    const [source, target] = [await freshDatabase(`${name}_source`), await freshDatabase(`${name}_target`)];
    await makeSystems(name, source, target);
    environments.set(name, { OLD_URL: source, NEW_URL: target });
  }
});

async function inspect(name: SystemName, ...args: string[]): Promise<HeardCli & { code: number }> {
  const cli = fakeCli(environments.get(name));
  const pairs = PAIRS[name].flatMap((pair) => ['--pair', pair]);
  const code = await runCli(['inspect', '--source', 'OLD_URL', '--target', 'NEW_URL', ...pairs, ...args], cli);
  return Object.assign(cli, { code });
}

const read = (...parts: string[]): string => readFileSync(join(dir, ...parts), 'utf8');

test('a draft finds customers, parents before children, and whose rows are that name no customer', async () => {
  const cli = await inspect('utility', '--output', 'json');
  const found = JSON.parse(cli.stdout) as Record<string, never[] | Record<string, unknown>>;
  expect(found).toMatchObject({
    population: { from: 'erp.tbl_customers', key: 'cus_no', target: { from: 'crm.customer', key: 'customer_id' } },
    references: [{ id: 'tariff' }],
    entities: [
      { id: 'customer', after: [] },
      { id: 'meter', after: ['customer'], sourceSequence: 'erp.tbl_meters_mtr_id_seq' },
      { id: 'bill', after: ['customer'], sequence: 'billing.bill_number', missing: ['channel'] },
      { id: 'bill-line', owner: { kind: 'path', column: 'cus_no' } },
      { id: 'meter-reading', owner: { kind: 'path' }, source: { key: ['mtr_id', 'read_on'] } },
    ],
    leftOut: [{ source: 'erp.tbl_log', rows: 301 }],
    circles: { target: [{ name: 'customer_referred_by_fkey' }, { name: 'customer_main_meter' }] },
  });
  const troubles = found['troubles'] as unknown as { where: string; what: string }[];
  expect(troubles.filter(({ what }) => what.includes('trg_touch'))).toMatchObject([{ where: 'erp.tbl_bills' }]);
});

test('a table that a customer cannot be without is shared, although its manager is a customer', async () => {
  const cli = await inspect('library', '--output', 'json');
  expect(JSON.parse(cli.stdout)).toMatchObject({
    population: { from: 'lib.patron' },
    references: [{ source: { table: 'lib.branch' } }, { source: { table: 'lib.books' } }],
  });
});

test('names, types and numbers are told, values of rows and URLs are not', async () => {
  for (const name of SYSTEMS) {
    const { code, stdout } = await inspect(name);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/Household|@power|Long Street|First1|postgres:/);
    expect(stdout).toContain('Trouble');
  }
});

test('what cannot be moved is left out with its reason', async () => {
  const url = environments.get('utility')?.['OLD_URL'] ?? '';
  await withClient(url, (client) =>
    client.query(`create schema odd; create table odd.customer (id int primary key);
      create table odd.bill (customer int references odd.customer); create table odd."Meter" (meter_id int primary key, customer int not null references odd.customer)`),
  );
  const cli = fakeCli({ SOURCE_URL: url, TARGET_URL: environments.get('utility')?.['NEW_URL'] ?? '' });
  await runCli(
    ['inspect', '--schema', 'odd', '--schema', 'crm', '--schema', 'grid', '--schema', 'billing', '-o', 'json'],
    cli,
  );
  const { leftOut } = JSON.parse(cli.stdout) as { leftOut: { source?: string; why: string }[] };
  await withClient(url, (client) => client.query('drop schema odd cascade'));
  const why = (table: string): string => leftOut.find(({ source }) => source === table)?.why ?? '';
  expect(why('odd.bill')).toContain('has no primary key');
  expect(why('odd.Meter')).toContain('lower case');
});

test('the draft and a new runbook pass `cutover check`, or it names what is left to edit', async () => {
  for (const name of SYSTEMS) {
    await inspect(name, '--out', join(dir, name));
    const cli = fakeCli();
    const code = await runCli(
      [
        'new',
        name,
        '--from',
        'billing-oss',
        '--dir',
        dir,
        '--conversion',
        join(dir, name, 'conversion.yaml'),
        '-o',
        'json',
      ],
      cli,
    );
    expect(code).toBe(0);
    const { findings } = JSON.parse(cli.stdout) as { findings: { file: string; code: string }[] };
    expect([...new Set(findings.map((finding) => finding.code))]).toEqual(
      name === 'utility' ? [] : ['key-without-back', 'unmapped-column'],
    );
    expect(read(name, 'README.md')).toContain('Decide which sums');
  }
  expect(parse(read('utility', 'runbook.yaml'))).toMatchObject({
    runbook: 'utility',
    population: { from: 'erp.tbl_customers' },
    systems: { source: {}, target: {} },
  });
  expect(read('utility', 'runbook.yaml')).not.toMatch(/legacy\.|tariff|jobs|debit/i);
  expect(read('utility', 'target.sql')).toContain('drop constraint customer_main_meter');
});

test('a new runbook without a conversion is the shipped one under another name', async () => {
  const cli = fakeCli();
  expect(await runCli(['new', 'mine', '--from', 'billing-oss', '--dir', dir, '-o', 'json'], cli)).toBe(0);
  expect(JSON.parse(cli.stdout)).toMatchObject({ findings: [] });
  expect(parse(read('mine', 'plan.yaml'))).toMatchObject({ plan: 'mine-1', runbook: 'mine' });
});

test('nothing that is there is replaced', async () => {
  expect((await inspect('utility', '--out', join(dir, 'utility'))).code).toBe(3);
  const cli = fakeCli();
  expect(await runCli(['new', 'mine', '--from', 'billing-oss', '--dir', dir], cli)).toBe(3);
  expect(cli.stderr).toContain('is there already');
});

test('a variable that is not set and a table that is not there are named', async () => {
  const unset = fakeCli();
  expect(await runCli(['inspect'], unset)).toBe(4);
  expect(unset.stderr).toContain('SOURCE_URL is not set');
  const cli = await inspect('utility', '--customers', 'erp.nobody');
  expect(cli.code).toBe(2);
  expect(cli.stderr).toContain('erp.tbl_customers');
});
