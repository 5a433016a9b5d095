import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { projectDir } from '../../local/paths';
import { Billing, CUTOVER } from './support/billing';

jest.setTimeout(120_000);

/** Beside the project, when it is there at all. */
const FILE = resolve(projectDir(), '..', 'shared', 'data', 'telco-customers.csv');
const OTHERS = 30;

const lines = existsSync(FILE) ? readFileSync(FILE, 'utf8').trim().split(/\r?\n/) : [];
if (lines.length === 0) process.stderr.write(`not tried: ${FILE} is not there\n`);

const [header = '', ...customers] = lines;
const column = header.split(',').indexOf('TotalCharges');
const blank = customers.filter((line) => line.split(',')[column]?.trim() === '');

(lines.length > 0 ? describe : describe.skip)('the telephone company’s customers', () => {
  let billing: Billing;
  const dir = mkdtempSync(join(tmpdir(), 'cutover-telco-'));

  beforeAll(async () => {
    const file = join(dir, 'customers.csv');
    const others = customers.filter((line) => !blank.includes(line)).slice(0, OTHERS);
    writeFileSync(file, [header, ...others, ...blank].join('\n'));
    billing = await Billing.open('telco', { customersCsv: file, seed: 1 }, 'true');
  });
  afterAll(async () => {
    await billing.close();
    rmSync(dir, { recursive: true });
  });

  it('with a blank total have never been billed: the stated rule makes it nothing, and counts all eleven of them', async () => {
    expect(blank).toHaveLength(11);
    expect(await billing.preload(1)).toBe(0);
    const { rows } = await billing.pools.control.query<{ body: { id: string; customers: number; why: string }[] }>(
      `select body from control.result where cutover = $1 and kind = 'rules'`,
      [CUTOVER],
    );
    expect(rows[0]?.body).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 'blank-total', customers: 11, rows: 11 }),
        expect.objectContaining({ id: 'blank-total-billed', customers: 0 }),
      ]),
    );
    const ids = blank.map((line) => line.split(',')[0]);
    const there = await billing.pools.target.query<{ total: string; customers: number }>(
      `select total_charges::text as total, count(*)::int as customers from crm.customer where customer_no = any ($1) group by 1`,
      [ids],
    );
    expect(there.rows).toEqual([{ total: '0.00', customers: 11 }]);
    const everyone = await billing.pools.target.query<{ count: number }>('select count(*)::int from crm.customer');
    expect(everyone.rows).toEqual([{ count: OTHERS + 11 }]);
  });

  it('with a blank total who were billed before stay behind, with the reason counted', async () => {
    const id = blank[0]?.split(',')[0];
    await billing.pools.source.query(`update legacy.customer set tenure = '5' where customer_id = $1`, [id]);
    expect(await billing.preload(1)).toBe(1);
    const { rows } = await billing.pools.control.query<{ body: unknown }>(
      `select body from control.result where cutover = $1 and kind = 'quarantine'`,
      [CUTOVER],
    );
    expect(rows[0]?.body).toEqual([expect.objectContaining({ id: 'blank-total-billed', customers: 1, rows: 1 })]);
    const source = await billing.pools.source.query('select wave from cutover.member where customer = $1', [id]);
    expect(source.rows).toEqual([{ wave: 0 }]);
  });
});
