import type { Pool, PoolClient } from 'pg';
import { sqlStateOf } from '../../../../systems/postgres/connect';
import { keepBaseline, readIntegrity } from '../../../../systems/postgres/data/baseline';
import { guardedTables } from '../../../../systems/postgres/data/compile';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { guardTables } from '../../../../systems/postgres/schema';
import { sqlState } from '../custody-support';
import { example, lines, type Example } from '../data/example';
import { expectEqual, preload, settle } from '../data/steps';
import { asApplication, custodyOf, LEASE_MS, sealNow } from './moving';

jest.setTimeout(240_000);

let it_: Example;
beforeEach(async () => {
  it_ = await example();
  await keepBaseline(it_.pair, it_.compiled);
  await preload(it_, 1);
  await settle(it_, 1);
});
afterEach(() => it_.end());

const INTACT = { guards: [], shapes: [] };
const OFF = 'alter table old.bill disable trigger cutover_guard';
const ON = 'alter table old.bill enable always trigger cutover_guard';
const WAS_OFF = 'source old.bill: its guard was changed, removed, or off for a while';

const guards = async (): Promise<string[]> => (await readIntegrity(it_.pair)).guards;
const verify = (scope: 'live' | 'frozen') => verifyWave(it_.pair, it_.compiled, 1, 1, { scope });
const freeze = () => custodyOf(it_).source.freeze(1, 1, LEASE_MS);

async function inReplicaRole(pool: Pool, body: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('set session_replication_role = replica');
    await body(client);
  } finally {
    await client.query('reset session_replication_role');
    client.release();
  }
}

describe('a table owner at the source', () => {
  it('who turns the guard off, writes, and turns it on again is named while open and after; what was written is found', async () => {
    expect(await verify('live')).toMatchObject({ mismatches: 0 });
    expect(await readIntegrity(it_.pair)).toEqual(INTACT);
    await asApplication(it_, 'hotfix', async (client) => {
      await client.query('begin');
      await client.query(OFF);
      await client.query(`update old.bill set amount = '99.99' where bill_no = '9'`);
      await client.query(ON);
      // It holds no wave's lock, so the freeze does not see it; the seal must.
      expect(await freeze()).toMatchObject({ outcome: 'frozen' });
      const named = /^source old\.bill: pid \d+ \(hotfix\) is changing the table$/;
      expect(await guards()).toEqual([expect.stringMatching(named)]);
      const refused: unknown = await sealNow(it_, 1).catch((error: unknown) => error);
      expect(sqlStateOf(refused)).toBe('55P03');
      expect(String(refused)).toMatch(/old\.bill: pid \d+ \(hotfix\) is changing the table/);
      await client.query('commit');
    });
    expect(await guards()).toEqual([WAS_OFF]);
    await settle(it_, 1);
    expect(await verify('frozen')).toMatchObject({
      mismatches: 1,
      findings: [{ entity: 'invoice', columns: ['amount'] }],
    });
    expect(await sealNow(it_, 1)).toMatchObject({ outcome: 'tampered', findings: [WAS_OFF.replace('source ', '')] });

    await guardTables(it_.pair.source, guardedTables(it_.compiled, 'source'));
    expect(await readIntegrity(it_.pair)).toEqual(INTACT);
    await settle(it_, 1);
    expect(await verify('frozen')).toMatchObject({ mismatches: 0 });
    await expectEqual(it_, 1);
    expect(await sealNow(it_, 1)).toEqual({ outcome: 'sealed' });
  });

  it('who dropped the guard, or prepared a transaction that turns it off, is named', async () => {
    await asApplication(it_, 'hotfix', async (client) => {
      await client.query('begin');
      await client.query(OFF);
      await client.query(`prepare transaction 'unguarded'`);
    });
    expect(await guards()).toEqual(['source old.bill: prepared transaction unguarded is changing the table']);
    await it_.pair.source.query(`rollback prepared 'unguarded'`);
    expect(await guards()).toEqual([]);
    await it_.pair.source.query('drop trigger cutover_guard on old.feature');
    expect(await guards()).toEqual([WAS_OFF.replace('bill', 'feature')]);
  });

  it('who writes as a replica is logged, and refused during the freeze', async () => {
    await inReplicaRole(it_.pair.source, async (client) => {
      await client.query(`update old.bill set amount = '77.00' where bill_no = '9'`);
      await settle(it_, 1);
      await expectEqual(it_, 1);
      expect(await freeze()).toMatchObject({ outcome: 'frozen' });
      expect(await sqlState(client.query(`update old.bill set amount = '78.00' where bill_no = '9'`))).toBe('CU001');
    });
    expect(await guards()).toEqual([]);
  });
});

describe('tables that change after the copy began', () => {
  it('are named with what changed, on both sides, and every row is compared again', async () => {
    expect(await verify('live')).toMatchObject({ mismatches: 0 });
    // A change of type rewrites values and asks no trigger.
    await it_.pair.source.query(`
      alter table old.bill add column iban text not null default '';
      alter table old.bill alter column mailed type timestamptz(0);
      alter table old.feature drop column memo;
      create table old.dispute (id int primary key, bill_no text references old.bill);
      create table old.bill_2025 () inherits (old.bill);
      create function old.shout() returns trigger language plpgsql as 'begin return new; end';
      create trigger shout before update on old.customer for each row execute function old.shout();
      create rule quiet as on delete to old.tariff do instead nothing;
      alter table old.bill_line enable row level security`);
    await it_.pair.target.query(`
      create function fresh.shout() returns trigger language plpgsql as 'begin new.full_name := upper(new.full_name); return new; end';
      create trigger shout before insert or update on fresh.person for each row execute function fresh.shout();
      alter table fresh.invoice alter column channel set not null`);
    expect(await readIntegrity(it_.pair)).toEqual({
      guards: [],
      shapes: [
        'source old.bill: column iban was added (text not null)',
        'source old.bill: column mailed was timestamp with time zone, is timestamp(0) with time zone',
        'source old.bill: inheriting table old.bill_2025 was added',
        'source old.bill: referring table old.dispute was added',
        'source old.bill_line: row security was changed',
        'source old.customer: trigger shout was added',
        'source old.feature: column memo was dropped',
        'source old.tariff: rule quiet was added',
        'target fresh.invoice: column channel was text, is text not null',
        'target fresh.person: trigger shout was added',
      ],
    });
    expect(await freeze()).toMatchObject({ outcome: 'frozen' });
    expect(await verify('frozen')).toMatchObject({
      mismatches: 60,
      findings: expect.arrayContaining([expect.objectContaining({ columns: ['mailed'] })]),
    });
    await keepBaseline(it_.pair, it_.compiled);
    expect((await readIntegrity(it_.pair)).shapes).toHaveLength(10);
    await it_.pair.target.query('update cutover.fence set position = null');
    await keepBaseline(it_.pair, it_.compiled);
    expect(await readIntegrity(it_.pair)).toEqual(INTACT);
  });

  it('and hide rows from us by a policy refuse us instead', async () => {
    const role = `mover_${process.pid}_${Date.now()}`;
    await it_.pair.source
      .query(`create role ${role}; grant usage on schema old to ${role}; grant select on all tables in schema old to ${role};
      alter table old.bill enable row level security; create policy mine on old.bill using (cust < 'c010')`);
    await asApplication(it_, 'mover', async (client) => {
      await client.query('begin');
      await client.query(`set local role ${role}`);
      expect(await sqlState(client.query('select count(*) from old.bill'))).toBe('42501');
    });
  });
});

describe('a rogue writer at the target', () => {
  it('is refused whoever the customer is, as a replica too', async () => {
    const { target } = it_.pair;
    const wrongs = [
      `update fresh.invoice set amount = 1 where invoice_no = 9`,
      `delete from fresh.invoice_line`,
      `insert into fresh.person values ('newcomer', 'N', null, 0, 0, false, 'home', true)`,
      `insert into cutover.effect (key, customer) values ('k', 'c001')`,
      'truncate fresh.invoice_line',
    ];
    for (const sql of wrongs) expect([sql, await sqlState(target.query(sql))]).toEqual([sql, 'CU001']);
    await inReplicaRole(target, async (client) => {
      for (const sql of wrongs) expect([sql, await sqlState(client.query(sql))]).toEqual([sql, 'CU001']);
    });
    expect(await lines(target, 'select * from cutover.change')).toEqual([]);
    expect(await readIntegrity(it_.pair)).toEqual(INTACT);
  });

  it('who turns the guard off is named, and the row is found in spite of an earlier proof', async () => {
    expect(await verify('live')).toMatchObject({ mismatches: 0 });
    await it_.pair.target
      .query(`alter table fresh.invoice disable trigger cutover_guard; update fresh.invoice set amount = 1 where invoice_no = 9;
      alter table fresh.invoice enable always trigger cutover_guard`);
    expect(await guards()).toEqual(['target fresh.invoice: its guard was changed, removed, or off for a while']);
    expect(await freeze()).toMatchObject({ outcome: 'frozen' });
    expect(await verify('frozen')).toMatchObject({
      mismatches: 1,
      findings: [{ entity: 'invoice', columns: ['amount'] }],
    });
  });
});
