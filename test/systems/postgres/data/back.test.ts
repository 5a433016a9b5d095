import { postgresCustody } from '../../../../systems/postgres/custody';
import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { readPosition } from '../../../../systems/postgres/data/position';
import { countWave, purgeWave } from '../../../../systems/postgres/data/purge';
import { copyReference } from '../../../../systems/postgres/data/reference';
import { finishReturn } from '../../../../systems/postgres/data/sequences';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { behindTriggers, CONVERSION, example, lines, raise, type Example } from './example';
import { expectEqual, LEASE_MS, switchOver } from './steps';

async function carry({ pair, compiled }: Example, wave = 1): Promise<number> {
  const pass = await carryBackPass(pair, compiled, wave, 1);
  if (pass.outcome === 'stale') throw new Error('stale');
  expect(pass.lagRows).toBe(0);
  return pass.rows;
}

/** Every source row with its place and the transaction that wrote it: equal only when it was not touched at all. */
const physical = async ({ pair }: Example, except: string[] = []): Promise<string[]> => {
  const tables = ['customer', 'bill', 'bill_line', 'feature'];
  const all = await Promise.all(
    tables.map((table) => lines(pair.source, `select '${table}', t.ctid, t.xmin, t.* from old.${table} t`)),
  );
  return all.flat().filter((line) => !except.some((part) => line.includes(part)));
};

describe('carrying back', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
    // Spellings the mapping does not keep: they must survive a way there and back.
    await it_.pair.source.query(`update old.bill_line set amount = '1.5' where bill_no = '8';
      update old.customer set name = '  Spaced  ', total = ' 3.10 ' where id = 'c003'`);
    await switchOver(it_, 1);
  });
  afterEach(() => it_.end());

  it('touches nothing when the target only rewrote rows with what they held', async () => {
    const before = await physical(it_);
    await it_.pair.target
      .query(`update fresh.person set full_name = full_name, total = total where cutover.wave_of(no) = 1;
      update fresh.invoice_line set amount = amount where invoice_no = 8; update fresh.account set paperless = paperless where no = 'c003'`);
    expect(await carry(it_)).toBe(0);
    expect(await physical(it_)).toEqual(before);
  });

  it('writes changed columns only, and keeps the spelling of the others', async () => {
    const untouched = ['c003', 'c004', '(bill,"(0,8)"'];
    const before = await physical(it_, untouched);
    await it_.pair.target
      .query(`update fresh.person set tenure = 9 where no = 'c003'; update fresh.account set paperless = false where no = 'c004';
      update fresh.person set kind = 'business' where no = 'c004'`);
    expect(await carry(it_)).toBe(3);
    expect(await physical(it_, untouched)).toEqual(before);
    expect(
      await lines(
        it_.pair.source,
        `select id, name, total, tenure, note, paper, kind from old.customer where id in ('c003', 'c004')`,
      ),
    ).toEqual([
      '(c003,"  Spaced  "," 3.10 ",9,"as it was",No,business)',
      '(c004,"Name 4",4.10,3,"as it was",No,business)',
    ]);
    await expectEqual(it_, 1);
    expect(await carry(it_)).toBe(0);
  });

  it('brings rows born, moved and ended, sets per customer, effects and what has no place', async () => {
    const { source, target } = it_.pair;
    await target.query(`
      insert into cutover.member values ('n1', 1); insert into fresh.person values ('n1', 'New', 'n@1', 7.50, 1, true, 'home', true);
      insert into fresh.account values ('n1', true); insert into fresh.feature values ('n1', 'b');
      insert into fresh.invoice select nextval('fresh.invoice_seq'), 'n1', 12.30, now(), 'phone' from generate_series(1, 3);
      insert into fresh.invoice_line select invoice_no, 1, 'n1', 12.30 from fresh.invoice where no = 'n1';
      update fresh.invoice set no = 'c001' where invoice_no = 8; delete from fresh.invoice_line where invoice_no = 9; delete from fresh.invoice where invoice_no = 9;
      delete from fresh.feature where no = 'c005'; insert into fresh.feature values ('c006', 'a');
      insert into cutover.effect (key, customer) values ('k1', 'c001')`);
    await source.query(`insert into cutover.member values ('n1', 1)`);
    expect(await carry(it_)).toBeGreaterThan(8);
    await expectEqual(it_, 1);
    expect(await lines(source, `select id, name, paper, note from old.customer where id = 'n1'`)).toEqual([
      '(n1,New,Yes,"as it was")',
    ]);
    expect(await lines(source, `select bill_no, memo from old.bill where cust = 'n1'`)).toHaveLength(3);
    expect(await lines(source, `select * from old.bill where bill_no = '9'`)).toEqual([]);
    expect(await lines(source, `select a, b, c, memo from old.feature where cust = 'c005'`)).toEqual([
      '(No,No,No,kept)',
    ]);
    expect(
      await lines(
        source,
        `select row->>'channel' from cutover.residue where entity = 'invoice' and row->>'channel' = 'phone'`,
      ),
    ).toHaveLength(3);
    expect(await carry(it_)).toBe(0);
    await finishReturn(it_.pair, it_.compiled);
    const { rows } = await source.query<{ free: boolean }>(
      `select nextval('old.bill_seq') > all (select bill_no::bigint from old.bill) as free`,
    );
    expect(rows[0]!.free).toBe(true);
    expect(await verifyWave(it_.pair, it_.compiled, 1, 1, { scope: 'frozen' })).toMatchObject({ mismatches: 0 });
  });

  it.each([
    [[1, 2, 1], 'c025', 'mine'],
    [[2, 1, 2], 'c025', 'mine'],
    [[1, 2, 1], 'born', 'kept'], // whom only the second pass brings: the row is made anew
    [[2, 1, 2], 'born', 'mine'],
  ])(
    'takes over a row that moved between waves that live at the target (passes %p, to %s)',
    async (passes, to, memo) => {
      const { source, target } = it_.pair;
      await source.query(`alter table old.bill add foreign key (cust) references old.customer;
      alter table old.bill_line add foreign key (bill_no) references old.bill`);
      it_.compiled = await compileConversion(CONVERSION, it_.pair);
      await switchOver(it_, 2);
      await behindTriggers(source, `update old.bill set memo = 'mine' where bill_no = '7'`);
      for (const pool of [source, target]) await pool.query(`insert into cutover.member values ('born', 2)`);
      await target.query(`insert into fresh.person values ('born', 'New', 'n@1', 7.50, 1, true, 'home', true);
      insert into fresh.account values ('born', true);
      update fresh.invoice_line set no = '${to}' where invoice_no = 7;
      update fresh.invoice set no = '${to}', channel = 'phone' where invoice_no = 7`);
      for (const wave of passes) await carry(it_, wave);
      await expectEqual(it_, 1);
      await expectEqual(it_, 2);
      expect(await lines(source, `select cust, memo from old.bill where bill_no = '7'`)).toEqual([`(${to},${memo})`]);
      expect(
        await lines(source, `select row->>'channel' from cutover.residue where entity = 'invoice' and key = '{7}'`),
      ).toEqual(['(phone)']);
    },
  );

  it('gives a unique value that may not be null to a new row when the one that had it is gone', async () => {
    const { source, target } = it_.pair;
    await source.query('alter table old.bill add unique (amount)');
    it_.compiled = await compileConversion(CONVERSION, it_.pair);
    await target.query(`delete from fresh.invoice_line where invoice_no = 9; delete from fresh.invoice where invoice_no = 9;
      insert into fresh.invoice values (5000, 'c001', 9.25)`);
    expect(await carry(it_)).toBe(4);
    expect(await lines(source, `select bill_no, cust from old.bill where amount = '9.25'`)).toEqual(['(5000,c001)']);
    await expectEqual(it_, 1);
  });

  it('leaves what keys born meanwhile at the target need', async () => {
    const { source, target } = it_.pair;
    await target.query(`insert into fresh.invoice select nextval('fresh.invoice_seq'), 'c001', 12.30`);
    await carry(it_);
    await finishReturn(it_.pair, it_.compiled);
    const last = async (pool: typeof source, name: string): Promise<number> =>
      Number((await pool.query<{ last_value: string }>(`select last_value from ${name}`)).rows[0]!.last_value);
    const given = Number((await lines(source, `select max(bill_no::bigint) from old.bill`))[0]!.slice(1, -1));
    expect([await last(source, 'old.bill_seq'), await last(target, 'fresh.invoice_seq')]).toEqual([
      given + 500,
      given + 1_000,
    ]);
  });

  it('writes nothing under a raised epoch, or while the source owns the wave', async () => {
    await it_.pair.target.query(`update fresh.person set tenure = 9 where no = 'c003'`);
    const before = await physical(it_);
    await expect(copyReference(it_.pair, it_.compiled, 1, 1)).rejects.toThrow('wave 1 is open here');
    expect(await copyReference(it_.pair, it_.compiled, 1, 0)).toEqual({ outcome: 'stale' });
    await expect(carryBackPass(it_.pair, it_.compiled, 3, 1)).rejects.toMatchObject({
      message: expect.stringContaining('wave 3 is open here'),
    });
    await raise(it_.pair.source, [1], 2);
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toEqual({ outcome: 'stale' });
    expect(await physical(it_)).toEqual(before);
  });

  it('returns, is purged, and can move again', async () => {
    const { pair, compiled } = it_;
    await pair.target.query(`update fresh.person set tenure = 9 where no = 'c003'`);
    await expect(purgeWave(pair, 1, 1)).rejects.toMatchObject({
      message: expect.stringContaining('wave 1 is open here'),
    });
    const custody = { source: postgresCustody(pair.source), target: postgresCustody(pair.target) };
    await custody.target.freeze(1, 1, LEASE_MS);
    await carry(it_);
    expect(await custody.target.seal(1, 1, (await readPosition(pair.source, 1))!)).toEqual({ outcome: 'sealed' });
    await custody.source.open(1, 1);
    const held = await countWave(pair, compiled, 1);
    expect(held).toBeGreaterThan(100);
    expect(await purgeWave(pair, 1, 1)).toEqual({ rows: held });
    expect(await countWave(pair, compiled, 1)).toBe(0);
    expect(await readPosition(pair.target, 1)).toBeNull();
    await switchOver(it_, 1);
    await expectEqual(it_, 1);
  });
});
