import { postgresCustody } from '../../../../systems/postgres/custody';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { runPass } from '../../../../systems/postgres/data/pass';
import { quarantine, ruleCounts } from '../../../../systems/postgres/data/quarantine';
import { CONVERSION, example, lines, type Example } from './example';
import { expectEqual, preload, settle } from './steps';

describe('quarantine', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
  });
  afterEach(() => it_.end());

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
});
