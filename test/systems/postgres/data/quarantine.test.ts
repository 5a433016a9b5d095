import { postgresCustody } from '../../../../systems/postgres/custody';
import type { Entity } from '../../../../runbooks/schema/conversion';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { selectChunk } from '../../../../systems/postgres/data/forward';
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

  const DIGITS = `bill_no ~ '^[0-9]+$'`;
  const excluding = (when: string) => (invoice: Entity) =>
    Object.assign(invoice, { rules: [{ id: 'no-number', when, then: 'exclude', why: 'not billed' }] });

  describe.each([
    [
      'valid',
      (invoice: Entity) => Object.assign(invoice.columns['invoice_no']!, { valid: DIGITS }),
      'invoice.invoice_no',
      'invoice_no cannot be mapped',
    ],
    ['an exclude rule', excluding(`not (${DIGITS})`), 'no-number', 'not billed'],
    ['one that only names select', excluding(`not (${DIGITS}) or bill_no = 'select'`), 'no-number', 'not billed'],
  ])('where %s says which keys can be mapped', (_, change, id, why) => {
    const taken = 'select invoice_no, no from fresh.invoice where invoice_no between 900 and 902';
    beforeEach(async () => {
      const conversion = structuredClone(CONVERSION);
      change(conversion.entities['invoice']!);
      it_.compiled = await compileConversion(conversion, it_.pair);
      await it_.pair.source.query(`update old.customer set total = '1' where btrim(total) = ''`);
      const late = `insert into old.bill (bill_no, cust, amount)
        values ('0900', 'c006', '1'), (' 901', 'c006', '1'), ('0902', 'c006', '1'), ('902', 'c025', '1')`;
      await preload(it_, 1, 7, () => it_.pair.source.query(late)); // copied before anybody asks
    });

    it('copies no row whose key cannot be mapped', async () => {
      expect(await lines(it_.pair.target, taken)).toEqual(['(900,c006)', '(902,c006)']);
    });

    it('keeps back whose key cannot be mapped, or comes back as another one, and leaves nothing of theirs', async () => {
      const { pair, compiled } = it_;
      await pair.source.query(
        `insert into old.bill (bill_no, cust, amount) values ('009', 'c005', '1'), ('x9', 'c007', '1')`,
      );
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
      await pair.source.query(`delete from old.bill where bill_no in ('009', 'x9')`); // 9 is another customer's
      await settle(it_, 1);
      expect(await lines(pair.target, 'select no from fresh.invoice where invoice_no = 9')).toEqual(['(c010)']);
      expect(await lines(pair.target, taken)).toEqual([]);
      await expectEqual(it_, 1);
    });
  });

  it('asks of a row again only when it is younger than the position of its wave', async () => {
    const conversion = structuredClone(CONVERSION);
    excluding(`not (${DIGITS})`)(conversion.entities['invoice']!);
    const { entities } = await compileConversion(conversion, it_.pair);
    const invoice = entities.find(({ id }) => id === 'invoice')!;
    const { source } = it_.pair;
    /** A position of which every transaction up to now has ended. */
    const now = async (): Promise<string> => {
      const { rows } = await source.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
      return `${rows[0]!.xid}:${rows[0]!.xid}:`;
    };
    const copied = (position: string): Promise<string[]> => {
      const rows = selectChunk(invoice, { no: 1, last: false }, { lo: 'c005', hi: 'c005' }, position);
      return lines(source, `select invoice_no from (${rows}) c`);
    };
    const before = await now();
    await source.query(`insert into old.bill (bill_no, cust, amount) values ('x9', 'c005', '1')`);
    expect(await copied(before)).toEqual(['(4)', '(44)', '(84)']);
    await expect(copied(await now())).rejects.toThrow('invalid input syntax for type bigint');
  });
});
