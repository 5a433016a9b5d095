import { sqlStateOf, withTransaction } from '../../../systems/postgres/connect';
import {
  assignMembers,
  beginDivision,
  guardTables,
  install,
  seedWaves,
  triggersIntact,
  unguardTables,
} from '../../../systems/postgres/schema';
import { SCHEMA_VERSION } from '../../../systems/postgres/sql/tables';
import { guardedDatabase, LEASE_MS, log, onClient, sqlState, type Guarded } from './custody-support';

let db: Guarded;
beforeEach(async () => {
  db = await guardedDatabase('members');
});
afterEach(() => db.close());

const insert = (id: number, customer: string): Promise<unknown> =>
  db.app.query('insert into item values ($1, $2)', [id, customer]);
const waveOf = async (customer: string): Promise<number | undefined> =>
  (await db.own.query<{ wave: number }>('select cutover.wave_of($1) as wave', [customer])).rows[0]?.wave;

describe('a membership change', () => {
  it('logs every key of the customer for the old and the new wave', async () => {
    await insert(1, 'a');
    await db.app.query(`insert into part values (1, 1, 'a')`);
    await insert(2, 'b');
    expect(await db.custody.moveMembers(['a'], 2)).toEqual({ moved: 1 });
    expect(await waveOf('a')).toBe(2);
    const moved = (await log(db.own))
      .filter((row) => row.op === 'M')
      .map((row) => [row.wave, row.tab, row.new_key, row.new_owner]);
    expect(moved).toHaveLength(4);
    for (const wave of [1, 2]) {
      expect(moved).toContainEqual([wave, 'public.item', ['1'], 'a']);
      expect(moved).toContainEqual([wave, 'public.part', ['1', '1'], 'a']);
    }
  });

  it('finds rows by the type of their column, and by its text for who is no value of it', async () => {
    await db.app.query(`create table phone (no int primary key, holder int);
      create domain short as varchar check (length(value) < 2); create table fax ("100%" int primary key, holder short);
      create table pager (no int primary key, holder char(6)); insert into pager values (5, 'long'), (6, 'l');
      insert into fax values (1, 'l')`);
    for (const [table, key] of [
      ['phone', 'no'],
      ['fax', '100%'],
      ['pager', 'no'],
    ] as const)
      await guardTables(db.own, [{ table: `public.${table}`, keyColumns: [key], customerColumn: 'holder' }]);
    await db.own.query(`insert into cutover.member values ('7', 1)`);
    await db.app.query('insert into phone values (1, 7), (2, 8)');
    const logged = async (): Promise<unknown[]> =>
      (await log(db.own))
        .filter(({ op, tab }) => op === 'M' && tab === 'public.phone')
        .map(({ wave, new_key }) => [wave, new_key]);
    await db.custody.moveMembers(['7'], 2);
    expect(await logged()).toEqual([
      [1, ['1']],
      [2, ['1']],
    ]);
    await db.own.query(`insert into cutover.member values ('long', 1)`);
    await db.custody.moveMembers(['long'], 2);
    expect((await log(db.own)).filter(({ tab }) => tab === 'public.pager').map(({ new_key }) => new_key)).toEqual([
      ['5'],
      ['5'],
    ]);
    await db.custody.moveMembers(['7', 'a'], 3);
    expect(await logged()).toEqual([
      [1, ['1']],
      [2, ['1']],
      [2, ['1']],
      [3, ['1']],
    ]);
  });

  it('finds rows by the index of their column while writers wait', async () => {
    await db.app.query('create table phone (no int primary key, holder int); create index on phone (holder)');
    await guardTables(db.own, [{ table: 'public.phone', keyColumns: ['no'], customerColumn: 'holder' }]);
    await onClient(db.own, async (client) => {
      await client.query('begin; set local enable_seqscan = off');
      await client.query(`select cutover.move_members('{7}', 2, null, 1000)`);
      const scans = `select seq_scan, idx_scan from pg_stat_xact_user_tables where relname = 'phone'`;
      expect((await client.query(scans)).rows).toEqual([{ seq_scan: '0', idx_scan: '1' }]);
    });
  });

  it('logs for the new wave what the old one has not brought over yet: rows that are gone, rows that went to others', async () => {
    await insert(1, 'a');
    await insert(2, 'a');
    await db.app.query('delete from item where id = 1');
    await db.app.query(`update item set customer = 'b' where id = 2`);
    await db.custody.moveMembers(['a'], 3);
    const moved = (await log(db.own)).filter((row) => row.op === 'M' && row.wave === 3);
    expect(moved.map(({ old_key, new_key, old_owner }) => [old_key?.[0], new_key?.[0], old_owner])).toEqual(
      expect.arrayContaining([
        ['1', undefined, 'a'],
        ['2', '2', 'a'],
      ]),
    );
  });

  it('logs nothing in the system that does not own the waves', async () => {
    const target = await guardedDatabase('members_target', 'target');
    try {
      await withTransaction(target.own, {}, async (client) => {
        await client.query(`select cutover.take_fence('wave/1', 1)`);
        await client.query(`insert into item values (1, 'a')`);
      });
      expect(await target.custody.moveMembers(['a'], 2)).toEqual({ moved: 1 });
      expect(await log(target.own)).toEqual([]);
    } finally {
      await target.close();
    }
  });

  it('moves only those who are elsewhere, from several waves at once', async () => {
    expect(await db.custody.moveMembers(['a', 'b', 'newcomer', 'a'], 2)).toEqual({ moved: 2 });
    expect(await Promise.all(['a', 'b', 'newcomer'].map(waveOf))).toEqual([2, 2, 2]);
    expect(await db.custody.moveMembers(['a', 'b'], 2)).toEqual({ moved: 0 });
  });

  it('waits for a write of the customer and logs what it wrote', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      const move = db.custody.moveMembers(['a'], 2);
      expect(await Promise.race([move, db.app.query('select pg_sleep(0.4)').then(() => 'waiting')])).toBe('waiting');
      await client.query('commit');
      expect(await move).toEqual({ moved: 1 });
    });
    expect((await log(db.own)).filter((row) => row.op === 'M')).toHaveLength(2);
  });

  it('that happens while a writer waits for the lock sends that writer to the new wave', async () => {
    await db.custody.freeze(2, 1, LEASE_MS);
    await onClient(db.own, async (mover) => {
      await mover.query('begin');
      await mover.query(`select cutover.move_members('{a}', 2, null, 1000)`);
      const write = sqlState(insert(1, 'a'));
      expect(await Promise.race([write, db.app.query('select pg_sleep(0.2)').then(() => 'waiting')])).toBe('waiting');
      await mover.query('commit');
      expect(await write).toBe('CU001');
    });
    await db.custody.thaw(2, 1);
    await insert(1, 'a');
    expect(await log(db.own)).toMatchObject([{ wave: 2, op: 'I' }]);
  });

  it.each(['repeatable read', 'serializable'])(
    'refuses a %s writer whose snapshot is older with 40001',
    async (level) => {
      await onClient(db.app, async (client) => {
        await client.query(`begin isolation level ${level}`);
        await client.query('select count(*) from item');
        await db.custody.moveMembers(['a'], 2);
        expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('40001');
      });
    },
  );

  it('waits for an apply pass that holds the fence of either wave', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`select cutover.take_fence('wave/2', 1)`);
      const move = db.custody.moveMembers(['a'], 2);
      expect(await Promise.race([move, db.app.query('select pg_sleep(0.3)').then(() => 'waiting')])).toBe('waiting');
      await client.query('commit');
      expect(await move).toEqual({ moved: 1 });
    });
  });

  it('makes the seal of a frozen wave that lost a customer wait for its rows', async () => {
    await insert(1, 'a');
    await db.custody.freeze(1, 1, LEASE_MS);
    const position = (await db.own.query<{ p: string }>('select pg_current_snapshot()::text as p')).rows[0]?.p ?? '';
    expect(await db.custody.moveMembers(['a'], 0)).toEqual({ moved: 1 });
    expect(await sqlState(db.app.query('update item set note = $1', ['served by the source']))).toBe('none');
    expect(await db.custody.seal(1, 1, position)).toEqual({ outcome: 'unapplied', rows: 1 });
  });

  it('under fences is void once one of the waves was raised', async () => {
    await db.custody.raise(2, 4);
    const stale = db.custody.moveMembers(['a'], 2, { 1: 1, 2: 1 });
    await expect(stale.catch((error: unknown) => Promise.reject(new Error(sqlStateOf(error))))).rejects.toThrow(
      'CU002',
    );
    await expect(db.custody.moveMembers(['a'], 2, { 2: 4 })).rejects.toThrow(/another epoch/);
    expect(await db.custody.moveMembers(['a'], 2, { 1: 1, 2: 4 })).toEqual({ moved: 1 });
    expect(await db.custody.moveMembers(['a'], 0, { 2: 4 })).toEqual({ moved: 1 });
  });

  it('never takes a customer across a seal or into a wave that is not there', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    const position = (await db.own.query<{ p: string }>('select pg_current_snapshot()::text as p')).rows[0]?.p ?? '';
    await db.custody.seal(1, 1, position);
    await expect(db.custody.moveMembers(['a'], 2)).rejects.toThrow(/another system owns it/);
    await expect(db.custody.moveMembers(['b'], 1)).rejects.toThrow(/another system owns it/);
    await expect(db.custody.moveMembers(['b'], 9)).rejects.toThrow(/does not exist/);
    expect(await Promise.all(['a', 'b'].map(waveOf))).toEqual([1, 2]);
  });
});

describe('installing', () => {
  it('twice changes nothing and keeps the guards', async () => {
    await insert(1, 'a');
    await db.custody.freeze(1, 1, LEASE_MS);
    await install(db.own, 'source');
    await seedWaves(db.own, 'source', [{ wave: 1, name: 'w1' }]);
    await guardTables(db.own, [{ table: 'public.item', keyColumns: ['id'], customerColumn: 'customer' }]);
    expect(await triggersIntact(db.own)).toEqual([]);
    expect((await db.custody.wave(1)).state).toBe('frozen');
    expect(await log(db.own)).toHaveLength(1);
  });

  it('over another version or for another side is refused with what to do', async () => {
    await expect(install(db.own, 'target')).rejects.toThrow(/installed here for the source/);
    await db.own.query('update cutover.meta set version = 0');
    await expect(install(db.own, 'source')).rejects.toThrow(`has version 0, this program needs ${SCHEMA_VERSION}`);
  });

  it('repairs a guard that was switched off', async () => {
    await db.app.query('alter table item disable trigger all');
    expect(await triggersIntact(db.own)).toHaveLength(2);
    await guardTables(db.own, [{ table: 'public.item', keyColumns: ['id'], customerColumn: 'customer' }]);
    expect(await triggersIntact(db.own)).toEqual([]);
  });

  it('refuses what it cannot guard', async () => {
    await db.app.query('create table parted (id int, customer text) partition by list (customer)');
    const guard = (table: string, key: string) =>
      guardTables(db.own, [{ table, keyColumns: [key], customerColumn: 'customer' }]);
    await expect(guard('public.parted', 'id')).rejects.toThrow(/not an ordinary table/);
    await expect(guard('public.nothing', 'id')).rejects.toThrow(/does not exist/);
    await expect(guard('public.item', 'number')).rejects.toThrow(/no column number/);
  });

  it('guards the effects of requests like any other table', async () => {
    await db.app.query(`insert into cutover.effect (key, customer) values ('k1', 'a')`);
    expect(await log(db.own)).toMatchObject([{ tab: 'cutover.effect', wave: 1, new_key: ['k1'] }]);
    await db.custody.freeze(1, 1, LEASE_MS);
    expect(await sqlState(db.app.query(`insert into cutover.effect (key, customer) values ('k2', 'a')`))).toBe('CU001');
  });

  it('is undone by unguardTables, which leaves the data and lets every writer in', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    await unguardTables(db.own);
    await insert(1, 'a');
    expect(await log(db.own)).toEqual([]);
    expect(await triggersIntact(db.own)).toEqual(['no table is guarded']);
  });

  it('waits for a long writer in short attempts, so that other writers pass meanwhile', async () => {
    await unguardTables(db.own);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      let guarded = false;
      const guarding = guardTables(db.own, [
        { table: 'public.item', keyColumns: ['id'], customerColumn: 'customer' },
      ]).then(() => (guarded = true));
      for (let id = 2; id < 5; id++) await insert(id, 'a');
      expect(guarded).toBe(false);
      await client.query('commit');
      await guarding;
    });
    await insert(9, 'a');
    expect(await log(db.own)).toMatchObject([{ new_key: ['9'] }]);
  });
});

describe('the population', () => {
  it('is assigned before anything moves; who has a wave keeps it, unless a cutover divides anew', async () => {
    expect(await assignMembers(db.own, 2, ['a', 'c', 'd'])).toBe(2);
    expect(await Promise.all(['a', 'c', 'd', 'e'].map(waveOf))).toEqual([1, 2, 2, 3]);
    await beginDivision(db.own, 'night-2');
    expect(await assignMembers(db.own, 2, ['a', 'c', 'd'], 'night-2')).toBe(1);
    expect(await waveOf('a')).toBe(2);
    await db.own.query(`update cutover.fence set position = '10:10:' where key = 'wave/1'`);
    await expect(assignMembers(db.own, 2, ['e'])).rejects.toThrow(/before anything moves/);
  });

  it('of a wave added later is taken from the last one under its lock', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'newcomer')`);
      const seeding = seedWaves(db.own, 'source', [{ wave: 4, name: 'w4' }]);
      expect(await Promise.race([seeding, db.app.query('select pg_sleep(0.3)').then(() => 'waiting')])).toBe('waiting');
      await client.query('commit');
      await seeding;
    });
    expect(await waveOf('newcomer')).toBe(4);
  });
});
