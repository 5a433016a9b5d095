import { postgresCustody } from '../../../../systems/postgres/custody';
import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { census, membershipDigest } from '../../../../systems/postgres/data/census';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { runPass } from '../../../../systems/postgres/data/pass';
import { readPosition, startCarryBack } from '../../../../systems/postgres/data/position';
import { countWave, purgeWave } from '../../../../systems/postgres/data/purge';
import { quarantine, ruleCounts } from '../../../../systems/postgres/data/quarantine';
import { alignTargetSequences, finishReturn } from '../../../../systems/postgres/data/sequences';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { CONVERSION, example, lines, POPULATION, raise, type Example } from './example';
import { expectEqual, preload, settle } from './steps';

const LEASE_MS = 60_000;

/** Excludes who cannot be mapped, moves the wave, and opens the target. */
async function switchOver({ pair, compiled }: Example, wave: number): Promise<void> {
  const custody = { source: postgresCustody(pair.source), target: postgresCustody(pair.target) };
  const { customers } = await quarantine(pair.source, compiled, wave);
  for (const side of ['target', 'source'] as const) await custody[side].moveMembers(customers, 0);
  await preload({ pair, compiled }, wave);
  await settle({ pair, compiled }, wave);
  expect(await custody.source.freeze(wave, 1, LEASE_MS)).toMatchObject({ outcome: 'frozen' });
  await settle({ pair, compiled }, wave);
  expect(await membershipDigest(pair.source, wave)).toBe(await membershipDigest(pair.target, wave));
  await alignTargetSequences(pair, compiled);
  expect(await startCarryBack(pair, wave, 1)).toHaveProperty('position');
  expect(await custody.source.seal(wave, 1, (await readPosition(pair.target, wave))!)).toEqual({ outcome: 'sealed' });
  expect(await custody.target.open(wave, 1)).toEqual({ outcome: 'done' });
}

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

  it('takes over a row that moved between two waves that both live at the target', async () => {
    await switchOver(it_, 2);
    await it_.pair.target.query(
      `update fresh.invoice_line set no = 'c025' where invoice_no = 7; update fresh.invoice set no = 'c025' where invoice_no = 7`,
    );
    await carry(it_, 1);
    await carry(it_, 2);
    await carry(it_, 1);
    await expectEqual(it_, 1);
    await expectEqual(it_, 2);
  });

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

describe('counting', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
  });
  afterEach(() => it_.end());

  const even = async (): Promise<Awaited<ReturnType<typeof census>>> => {
    const counted = await census(it_.pair, POPULATION);
    expect(counted.baseline + counted.won).toBe(
      counted.moved + counted.excluded + counted.departed + counted.remaining + counted.missing,
    );
    return counted;
  };

  it('names who is quarantined and counts rules, set ones too', async () => {
    await it_.pair.source.query(
      `update old.customer set tenure = 'x3' where id = 'c004'; update old.customer set total = 'n/a' where id = 'c030'`,
    );
    const found = await quarantine(it_.pair.source, it_.compiled, 1);
    expect(found.customers).toEqual(['c004', 'c007']);
    expect(found.counts).toEqual([
      { id: 'person.tenure', entity: 'person', rows: 1, customers: 1, why: expect.any(String) },
      { id: 'blank-old', entity: 'person', rows: 1, customers: 1, why: 'nobody knows' },
    ]);
    expect(
      (await ruleCounts(it_.pair.source, it_.compiled)).map(({ id, rows, customers }) => [id, rows, customers]),
    ).toEqual([
      ['person.total', 1, 1],
      ['person.tenure', 1, 1],
      ['blank-new', 2, 2],
      ['blank-old', 3, 3],
    ]);
  });

  it.each([
    ['invoice.invoice_no', 'invoice_no cannot be mapped'],
    ['no-number', 'not billed'],
  ])(
    'keeps back whose key would come back as another one, and whose row would take over another (%s)',
    async (id, why) => {
      const { pair } = it_;
      const conversion = structuredClone(CONVERSION);
      const { invoice } = conversion.entities;
      if (id === 'no-number')
        Object.assign(invoice!, { rules: [{ id, when: `bill_no !~ '^[0-9]+$'`, then: 'exclude', why }] });
      else Object.assign(invoice!.columns['invoice_no']!, { valid: `bill_no ~ '^[0-9]+$'` });
      const compiled = (it_.compiled = await compileConversion(conversion, pair));
      await pair.source.query(`update old.customer set total = '1' where btrim(total) = ''`);
      const late = `insert into old.bill (bill_no, cust, amount)
      values ('0900', 'c006', '1'), (' 901', 'c006', '1'), ('0902', 'c006', '1'), ('902', 'c025', '1')`;
      await preload(it_, 1, 7, () => pair.source.query(late)); // copied before anybody asks
      await pair.source.query(
        `insert into old.bill (bill_no, cust, amount) values ('009', 'c005', '1'), ('x9', 'c007', '1')`,
      );
      const taken = 'select invoice_no, no from fresh.invoice where invoice_no between 900 and 902';
      expect(await lines(pair.target, taken)).toEqual(['(900,c006)', '(902,c006)']);
      const found = {
        customers: ['c005', 'c006', 'c007'],
        counts: [
          { id, rows: 2, customers: 2, why },
          { id: 'invoice.key', rows: 3, customers: 2, why: 'its key comes back as another one' },
        ],
      };
      expect(await quarantine(pair.source, compiled, 1)).toMatchObject(found);
      expect(await runPass(pair, compiled, 1, 1)).toMatchObject({ outcome: 'unmappable', ...found });
      for (const side of ['target', 'source'] as const)
        await postgresCustody(pair[side]).moveMembers(found.customers, 0);
      await settle(it_, 1);
      await pair.source.query(`delete from old.bill where bill_no in ('009', 'x9')`);
      await settle(it_, 1);
      expect(await lines(pair.target, 'select no from fresh.invoice where invoice_no = 9')).toEqual(['(c010)']);
      expect(await lines(pair.target, taken)).toEqual([]);
      await expectEqual(it_, 1);
    },
  );

  it('adds up before, between and after, with customers won, departed and excluded', async () => {
    const { source, target } = it_.pair;
    expect(await even()).toEqual({
      baseline: 40,
      won: 0,
      departed: 0,
      moved: 0,
      excluded: 0,
      remaining: 40,
      missing: 0,
      duplicated: 0,
    });
    await source.query(`insert into old.customer (id, name, total, tenure, senior, kind) values ('w1', 'Won', '1', '1', '1', 'home');
      update old.customer set active = 'N' where id = 'c035'`);
    await switchOver(it_, 1);
    await target.query(`update fresh.person set active = false where no = 'c002'`);
    expect(await even()).toEqual({
      baseline: 40,
      won: 1,
      departed: 2,
      moved: 18,
      excluded: 1,
      remaining: 20,
      missing: 0,
      duplicated: 0,
    });
  });

  it('counts a customer whom the system deleted by a write of its own as departed', async () => {
    await it_.pair.source.query(`delete from old.customer where id = 'c021'`);
    expect(await even()).toMatchObject({ missing: 0, departed: 1, remaining: 39, baseline: 40 });
  });

  it('counts a customer who is nowhere, one whose wave two systems own, and one who is there twice', async () => {
    const { source, target } = it_.pair;
    await source.query(`
      alter table old.customer disable trigger all;
      delete from old.customer where id = 'c021';
      alter table old.customer enable trigger all`);
    expect(await even()).toMatchObject({ missing: 1, remaining: 39, baseline: 40 });
    await target.query(`update cutover.wave set state = 'open' where wave = 2`);
    expect(await even()).toMatchObject({ missing: 1, duplicated: 10 });
  });
});
