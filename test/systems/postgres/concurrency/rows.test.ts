import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { sqlState } from '../custody-support';
import { CONVERSION, example, lines, type Example } from '../data/example';
import { expectEqual, preload, settle } from '../data/steps';
import { asApplication, custodyOf, LEASE_MS, switchOver } from './moving';

jest.setTimeout(240_000);

let it_: Example;
beforeEach(async () => {
  it_ = await example();
  await it_.pair.source
    .query(`alter table old.bill_line add foreign key (bill_no) references old.bill on delete cascade on update cascade;
    alter table old.bill add foreign key (cust) references old.customer on delete cascade;
    alter table old.customer add unique (email)`);
  it_.compiled = await compileConversion(CONVERSION, it_.pair);
  for (const wave of [1, 2]) {
    await preload(it_, wave);
    await settle(it_, wave);
  }
});
afterEach(() => it_.end());

const freeze = (wave: number) => custodyOf(it_).source.freeze(wave, 1, LEASE_MS);

async function expectMoved(...waves: number[]): Promise<void> {
  for (const wave of waves) await settle(it_, wave);
  for (const wave of waves) {
    await expectEqual(it_, wave);
    expect(await verifyWave(it_.pair, it_.compiled, wave, 1, { scope: 'frozen' })).toMatchObject({ mismatches: 0 });
  }
}

describe('at the source', () => {
  it('TRUNCATE empties the copy, waits for its turn, and is refused while any wave is frozen', async () => {
    await asApplication(it_, 'archiver', async (client) => {
      await client.query('begin');
      await client.query('truncate old.bill_line');
      expect(await freeze(2)).toEqual({
        outcome: 'blocked',
        blockers: [expect.stringMatching(/^pid \d+ \(archiver\)$/)],
      });
      await client.query('commit');
    });
    await it_.pair.source.query(`insert into old.bill_line values ('7', 1, 'c008', '1.00')`);
    await expectMoved(1, 2);
    expect(await lines(it_.pair.target, 'select invoice_no, line_no from fresh.invoice_line')).toEqual(['(7,1)']);
    expect(await freeze(2)).toMatchObject({ outcome: 'frozen' });
    expect(await sqlState(it_.pair.source.query('truncate old.bill_line'))).toBe('CU001');
    expect(await sqlState(it_.pair.source.query('truncate old.customer cascade'))).toBe('CU001');
  });

  it('a delete takes its children along, in whatever wave they are', async () => {
    await it_.pair.source.query(`update old.bill_line set cust = 'c025' where bill_no = '3' and line_no = 2`);
    await it_.pair.source.query(
      `delete from old.bill where bill_no = '3'; delete from old.customer where id in ('c005', 'c026')`,
    );
    await expectMoved(1, 2);
    expect(
      await lines(it_.pair.target, `select no from fresh.invoice where no in ('c005', 'c026') or invoice_no = 3`),
    ).toEqual([]);
    await it_.pair.source.query(`update old.bill_line set cust = 'c025' where bill_no = '8' and line_no = 2`);
    await settle(it_, 2);
    expect(await freeze(2)).toMatchObject({ outcome: 'frozen' });
    expect(await sqlState(it_.pair.source.query(`delete from old.bill where bill_no = '8'`))).toBe('CU001');
  });

  it('a changed key takes its children along', async () => {
    await it_.pair.source.query(`update old.bill set bill_no = '9007199254740993' where bill_no = '6'`);
    await expectMoved(1, 2);
    expect(
      await lines(it_.pair.target, 'select line_no from fresh.invoice_line where invoice_no = 9007199254740993'),
    ).toHaveLength(2);
  });

  it('a row that passes to a customer of another wave is with exactly one of them, whoever is frozen', async () => {
    const give = (to: string) =>
      sqlState(it_.pair.source.query(`update old.bill set cust = $1 where bill_no = '7'`, [to]));
    const givenLines = (to: string) =>
      it_.pair.source.query(`update old.bill_line set cust = $1 where bill_no = '7'`, [to]);
    expect([await give('c025'), (await givenLines('c025')).rowCount]).toEqual(['none', 2]);
    await expectMoved(1, 2);
    expect(await freeze(1)).toMatchObject({ outcome: 'frozen' });
    expect([await give('c008'), await give('c026')]).toEqual(['CU001', 'none']);
    await givenLines('c026');
    await expectMoved(2, 1);
    expect(await lines(it_.pair.target, 'select no from fresh.invoice where invoice_no = 7')).toEqual(['(c026)']);
  });
});

describe('unique values', () => {
  const SWAP = (table: string, key: string, one: string, other: string): string => `
    update ${table} set email = 'between' where ${key} = '${one}'; update ${table} set email = 'mail${Number(one.slice(1))}' where ${key} = '${other}';
    update ${table} set email = 'mail${Number(other.slice(1))}' where ${key} = '${one}'`;

  it.each([
    ['of one wave', 'c001', 'c002'],
    ['of different waves', 'c001', 'c025'],
  ])('swapped between customers %s arrive swapped', async (_, one, other) => {
    await it_.pair.source.query(SWAP('old.customer', 'id', one, other));
    await expectMoved(1, 2);
    expect(
      await lines(it_.pair.target, `select no, email from fresh.person where no in ('${one}', '${other}')`),
    ).toEqual([`(${one},mail${Number(other.slice(1))})`, `(${other},mail${Number(one.slice(1))})`]);
  });

  it('that a moved customer holds now are refused, and nothing is taken from that customer', async () => {
    await switchOver(it_, 1);
    await it_.pair.target.query(`update fresh.person set email = 'taken' where no = 'c001'`);
    await it_.pair.source.query(`update old.customer set email = 'taken' where id = 'c025'`);
    await expect(settle(it_, 2)).rejects.toThrow(
      /entity person \(key no of fresh\.person\): PostgreSQL error 23505 at fresh\.person\.person_email_key/,
    );
    expect(await lines(it_.pair.target, `select no from fresh.person where email = 'taken'`)).toEqual(['(c001)']);
  });

  it('that the target lets two customers have are taken from nobody on the way back: it is refused', async () => {
    await it_.pair.target.query('alter table fresh.person drop constraint person_email_key');
    it_.compiled = await compileConversion(CONVERSION, it_.pair);
    await switchOver(it_, 1);
    await it_.pair.target.query(`update fresh.person set tenure = 7 where no = 'c001'`);
    await it_.pair.target.query(`update fresh.person set email = 'mail1' where no = 'c002'`);
    await expect(carryBackPass(it_.pair, it_.compiled, 1, 1)).rejects.toThrow(/23505 at old\.customer/);
    expect(await lines(it_.pair.source, `select id from old.customer where email = 'mail1'`)).toEqual(['(c001)']);
  });

  it('of several columns, of which one is swapped at the target, come back whole', async () => {
    const { pair } = it_;
    await pair.target.query('alter table fresh.person drop constraint person_email_key');
    await pair.source.query(`alter table old.customer drop constraint customer_email_key;
      update old.customer set email = ' shared ' where id in ('c001', 'c002');
      alter table old.customer add unique (email, kind)`);
    it_.compiled = await compileConversion(CONVERSION, pair);
    await switchOver(it_, 1);
    await pair.target.query(
      `update fresh.person set kind = case kind when 'home' then 'business' else 'home' end::fresh.kind where no in ('c001', 'c002')`,
    );
    expect(await carryBackPass(pair, it_.compiled, 1, 1)).toMatchObject({ outcome: 'applied', rows: 2 });
    expect(
      await lines(pair.source, `select id, email, kind from old.customer where id in ('c001', 'c002') order by id`),
    ).toEqual(['(c001," shared ",home)', '(c002," shared ",business)']);
  });

  it('swapped at the target come back swapped', async () => {
    await switchOver(it_, 1);
    await it_.pair.target.query(SWAP('fresh.person', 'no', 'c001', 'c002'));
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({
      outcome: 'applied',
      rows: 2,
      lagRows: 0,
    });
    expect(await lines(it_.pair.source, `select id, email from old.customer where id in ('c001', 'c002')`)).toEqual([
      '(c001,mail2)',
      '(c002,mail1)',
    ]);
  });
});
