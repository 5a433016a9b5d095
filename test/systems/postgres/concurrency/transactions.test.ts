import { Client } from 'pg';
import { runPass } from '../../../../systems/postgres/data/pass';
import { freshDatabase } from '../../../support/databases';
import { sqlState } from '../custody-support';
import { example, lines, type Example } from '../data/example';
import { expectEqual, preload, settle } from '../data/steps';
import { asApplication, custodyOf, LEASE_MS, sealNow, switchOver } from './moving';

const WRITE = `insert into old.bill (bill_no, cust, amount) values ('800', 'c001', '8.00')`;
const BLOCKER = [expect.stringMatching(/^pid \d+ \(nightly batch\)$/)];

jest.setTimeout(240_000);

let it_: Example;
beforeEach(async () => {
  it_ = await example();
  await preload(it_, 1);
  await settle(it_, 1);
});
afterEach(() => it_.end());

const freeze = () => custodyOf(it_).source.freeze(1, 1, LEASE_MS);
const arrived = (): Promise<string[]> =>
  lines(it_.pair.target, `select amount from fresh.invoice where invoice_no = 800`);

describe.each(['read committed', 'repeatable read', 'serializable'])(
  'a %s transaction opened before the freeze',
  (level) => {
    it('that has written is waited for by name; what it commits late is moved', async () => {
      await asApplication(it_, 'nightly batch', async (client) => {
        await client.query(`begin isolation level ${level}`);
        await client.query(WRITE);
        expect(await freeze()).toEqual({ outcome: 'blocked', blockers: BLOCKER });
        await client.query('commit');
      });
      await switchOver(it_, 1);
      expect(await arrived()).toEqual(['(8.00)']);
      await expectEqual(it_, 1);
    });

    it('that writes during it is refused, and blocks nobody before', async () => {
      await asApplication(it_, 'nightly batch', async (client) => {
        await client.query(`begin isolation level ${level}`);
        await client.query('select count(*) from old.bill');
        expect(await freeze()).toMatchObject({ outcome: 'frozen' });
        expect(await sqlState(client.query(WRITE))).toBe(level === 'read committed' ? 'CU001' : '40001');
      });
      await settle(it_, 1);
      expect(await sealNow(it_, 1)).toEqual({ outcome: 'sealed' });
      expect(await arrived()).toEqual([]);
    });
  },
);

describe('a transaction', () => {
  it('that idles after a write is named by its application', async () => {
    await asApplication(it_, 'nightly batch', async (client) => {
      await client.query('begin');
      await client.query(`update old.customer set name = 'Idle' where id = 'c002'`);
      const { rows } = await it_.pair.source.query(
        `select state from pg_stat_activity where application_name = 'nightly batch'`,
      );
      expect(rows).toEqual([{ state: 'idle in transaction' }]);
      expect(await freeze()).toEqual({ outcome: 'blocked', blockers: BLOCKER });
    });
    await switchOver(it_, 1);
    await expectEqual(it_, 1);
  });

  it('that was prepared is named by its global id, and moved when it commits', async () => {
    await asApplication(it_, 'nightly batch', async (client) => {
      await client.query('begin');
      await client.query(WRITE);
      await client.query(`prepare transaction 'batch-8'`);
    });
    await settle(it_, 1);
    expect(await freeze()).toEqual({ outcome: 'blocked', blockers: ['prepared transaction batch-8'] });
    await it_.pair.source.query(`commit prepared 'batch-8'`);
    await switchOver(it_, 1);
    expect(await arrived()).toEqual(['(8.00)']);
    await expectEqual(it_, 1);
  });

  it('that was prepared in another database of the cluster neither blocks, nor hides or repeats a row', async () => {
    const elsewhere = new Client(await freshDatabase('elsewhere'));
    await elsewhere.connect();
    const gid = `elsewhere-${process.pid}`;
    try {
      await elsewhere.query('create table thing (id int)');
      await elsewhere.query('begin');
      await elsewhere.query('insert into thing values (1)');
      await elsewhere.query(`prepare transaction '${gid}'`);
      await it_.pair.source.query(WRITE);
      expect(await runPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ outcome: 'applied', changes: 1, lagRows: 0 });
      expect(await runPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ changes: 0, lagRows: 0 });
      await it_.pair.source.query(`update old.bill set amount = '8.50' where bill_no = '800'`);
      await switchOver(it_, 1);
      expect(await arrived()).toEqual(['(8.50)']);
      await expectEqual(it_, 1);
    } finally {
      await elsewhere.query(`rollback prepared '${gid}'`);
      await elsewhere.end();
    }
  });

  it('that took a low sequence number and commits after higher ones were applied loses nothing', async () => {
    await asApplication(it_, 'slow clerk', async (slow) => {
      await slow.query('begin');
      await slow.query(
        `insert into old.bill (bill_no, cust, amount) select nextval('old.bill_seq')::text, 'c003', '3.00'`,
      );
      await it_.pair.source.query(
        `insert into old.bill (bill_no, cust, amount) select nextval('old.bill_seq')::text, 'c004', '4.00'`,
      );
      await settle(it_, 1);
      expect(
        await lines(it_.pair.target, 'select invoice_no, amount from fresh.invoice where invoice_no > 120'),
      ).toEqual(['(122,4.00)']);
      await slow.query('commit');
    });
    const late = await it_.pair.source.query<{ late: boolean }>(
      `select (select max(seq) from cutover.change) > min(seq) as late from cutover.change where new_key = '{121}'`,
    );
    expect(late.rows).toEqual([{ late: true }]);
    await switchOver(it_, 1);
    expect(await lines(it_.pair.target, 'select invoice_no, amount from fresh.invoice where invoice_no > 120')).toEqual(
      ['(121,3.00)', '(122,4.00)'],
    );
    await expectEqual(it_, 1);
  });
});
