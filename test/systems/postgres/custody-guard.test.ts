import { withTransaction, FENCE_STALE, sqlStateOf } from '../../../systems/postgres/connect';
import { guardTables } from '../../../systems/postgres/schema';
import { guardedDatabase, LEASE_MS, log, onClient, sqlState, type Guarded } from './custody-support';

let db: Guarded;
beforeEach(async () => {
  db = await guardedDatabase('guard');
});
afterEach(() => db.close());

const insert = (id: number, customer: string | null): Promise<unknown> =>
  db.app.query('insert into item values ($1, $2)', [id, customer]);
const unapplied = async (wave: number, position: string | null): Promise<number> =>
  Number((await db.own.query<{ n: string }>('select cutover.unapplied($1, $2) as n', [wave, position])).rows[0]?.n);

describe('capture', () => {
  it('logs old and new key and owner of every write, as text, in its wave', async () => {
    await insert(1, 'a');
    await db.app.query('update item set id = 2');
    await db.app.query('delete from item');
    const row = { wave: 1, tab: 'public.item' };
    expect(await log(db.own)).toEqual([
      { ...row, op: 'I', old_key: null, new_key: ['1'], old_owner: null, new_owner: 'a' },
      { ...row, op: 'U', old_key: ['1'], new_key: ['2'], old_owner: 'a', new_owner: 'a' },
      { ...row, op: 'D', old_key: ['2'], new_key: null, old_owner: 'a', new_owner: null },
    ]);
  });

  it('logs the children that a parent takes along', async () => {
    await insert(1, 'a');
    await db.app.query(`insert into part values (1, 1, 'a'), (1, 2, 'a')`);
    await db.app.query('delete from item');
    const deletes = (await log(db.own)).filter((row) => row.op === 'D').map((row) => [row.tab, row.old_key]);
    expect(deletes).toContainEqual(['public.part', ['1', '1']]);
    expect(deletes).toContainEqual(['public.part', ['1', '2']]);
    expect(deletes).toContainEqual(['public.item', ['1']]);
  });

  it('logs a row that changes its owner once in each wave', async () => {
    await insert(1, 'a');
    await db.app.query(`update item set customer = 'b'`);
    const moved = { tab: 'public.item', op: 'U', old_key: ['1'], new_key: ['1'], old_owner: 'a', new_owner: 'b' };
    const logged = (await log(db.own)).slice(1);
    expect(logged).toHaveLength(2);
    expect(logged).toEqual(
      expect.arrayContaining([
        { wave: 1, ...moved },
        { wave: 2, ...moved },
      ]),
    );
  });

  it('checks a row that changes its owner against both waves', async () => {
    await insert(1, 'a');
    await insert(2, 'b');
    await db.custody.freeze(2, 1, LEASE_MS);
    expect(await sqlState(db.app.query(`update item set customer = 'b' where id = 1`))).toBe('CU001');
    expect(await sqlState(db.app.query(`update item set customer = 'a' where id = 2`))).toBe('CU001');
    expect(await sqlState(db.app.query(`update item set customer = 'x' where id = 1`))).toBe('none');
  });

  it('counts a row without an owner to the last wave', async () => {
    await insert(1, null);
    expect(await log(db.own)).toMatchObject([{ wave: 3, new_owner: null }]);
  });

  it('logs TRUNCATE as the deletion of every row, in each owner’s wave', async () => {
    await insert(1, 'a');
    await insert(2, 'b');
    await db.app.query('truncate item cascade');
    expect((await log(db.own)).slice(2)).toMatchObject([
      { wave: 1, op: 'D', old_key: ['1'], old_owner: 'a' },
      { wave: 2, op: 'D', old_key: ['2'], old_owner: 'b' },
    ]);
  });

  it('refuses TRUNCATE while any wave is frozen, and above READ COMMITTED always', async () => {
    await insert(1, 'a');
    await onClient(db.app, async (client) => {
      await client.query('begin isolation level repeatable read');
      expect(await sqlState(client.query('truncate part'))).toBe('0A000');
    });
    await db.custody.freeze(2, 1, LEASE_MS);
    expect(await sqlState(db.app.query('truncate item cascade'))).toBe('CU001');
    expect((await db.app.query('select from item')).rowCount).toBe(1);
  });

  it('blocks a freeze while a TRUNCATE is not committed', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query('truncate item cascade');
      expect((await db.custody.freeze(2, 1, LEASE_MS)).outcome).toBe('blocked');
    });
  });

  it('counts as unapplied what a position has not seen, prepared transactions included', async () => {
    await insert(1, 'a');
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (2, 'a')`);
      await client.query(`prepare transaction 'open'`);
    });
    await insert(3, 'a');
    const position = (await db.own.query<{ p: string }>('select pg_current_snapshot()::text as p')).rows[0]?.p ?? '';
    expect([await unapplied(1, null), await unapplied(1, position)]).toEqual([2, 0]);
    await db.app.query(`commit prepared 'open'`);
    expect([await unapplied(1, null), await unapplied(1, position)]).toEqual([3, 1]);
  });

  it('writes keys of time types the same whatever the writer’s session says', async () => {
    await db.app.query('create table slot (at timestamptz, day date, customer text, primary key (at, day))');
    await guardTables(db.own, [{ table: 'public.slot', keyColumns: ['at', 'day'], customerColumn: 'customer' }]);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`set local timezone = 'Asia/Tokyo'; set local datestyle = 'German'`);
      await client.query(`insert into slot values ('2026-03-04 05:06:07.123456+00', '2026-03-04', 'a')`);
      await client.query('commit');
    });
    expect(await log(db.own)).toMatchObject([{ new_key: ['2026-03-04 05:06:07.123456+00', '2026-03-04'] }]);
  });

  it('guards writers who know nothing of schema cutover and have no rights on it', async () => {
    const role = `clerk_${process.pid}_${Date.now()}`;
    await db.app.query(`create role ${role}; grant insert, select on item to ${role}`);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`set local role ${role}`);
      await client.query(`set local search_path = ''`);
      await client.query(`insert into public.item values (1, 'a')`);
      await client.query('commit');
    });
    expect(await log(db.own)).toMatchObject([{ wave: 1, new_key: ['1'] }]);
    await db.custody.freeze(1, 1, LEASE_MS);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`set local role ${role}`);
      expect(await sqlState(client.query(`insert into public.item values (2, 'a')`))).toBe('CU001');
      await client.query('rollback');
      await client.query('begin');
      await client.query(`set local role ${role}`);
      expect(await sqlState(client.query(`select cutover.thaw(1, 1, 200)`))).toBe('42501');
    });
  });
});

describe('fences', () => {
  const underFence = (key: string, epoch: number, statement: string): Promise<string> =>
    withTransaction(db.own, {}, async (client) => {
      await client.query('select cutover.take_fence($1, $2)', [key, epoch]);
      await client.query(statement);
    }).then(
      () => 'none',
      (error: unknown) => sqlStateOf(error) ?? 'other',
    );

  it('let our writes into a wave that refuses others, without logging them', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    expect(await underFence('wave/1', 1, `insert into item values (1, 'a')`)).toBe('none');
    expect(await underFence('chunk/1/item/7', 1, `insert into item values (2, 'a')`)).toBe('none');
    expect(await log(db.own)).toEqual([]);
    expect((await db.app.query('select from item')).rowCount).toBe(2);
  });

  it('of another epoch stop the transaction with CU002', async () => {
    await db.custody.raise(1, 5);
    for (const epoch of [1, 6]) {
      expect(await underFence('wave/1', epoch, `insert into item values (1, 'a')`)).toBe(FENCE_STALE);
      expect(await underFence('chunk/1/item/7', epoch, `insert into item values (1, 'a')`)).toBe(FENCE_STALE);
    }
    expect((await db.app.query('select from item')).rowCount).toBe(0);
    const fault = await withTransaction(db.own, {}, (client) =>
      client.query(`select cutover.take_fence('wave/1', 1)`),
    ).catch((error: unknown) => error);
    expect(sqlStateOf(fault)).toBe(FENCE_STALE);
  });

  it('let a writer of many rows vouch for them, for the fence’s wave and those that are sealed here only', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    const vouching = (statement: string, waves: number[]): Promise<string> =>
      underFence('wave/1', 1, `select cutover.vouch(); ${statement}; select cutover.vouch_for('{${waves.join()}}')`);
    expect(await vouching(`insert into item values (1, 'a')`, [1])).toBe('none');
    expect(await log(db.own)).toEqual([]);
    expect(await vouching(`insert into item values (2, 'b')`, [1, 2])).toBe('CU001');
    await db.own.query(`update cutover.wave set state = 'sealed' where wave = 2`);
    expect(await vouching(`insert into item values (2, 'b')`, [2, 1])).toBe('none');
    expect((await db.app.query('select from item')).rowCount).toBe(2);
  });

  it('must be held by whoever vouches, and the next transaction is asked again', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    expect(await sqlState(db.own.query('select cutover.vouch()'))).toBe('CU005');
    await onClient(db.app, async (client) => {
      for (const left of ['1', 'true', '']) {
        await client.query(`select set_config('cutover.vouched', $1, false)`, [left]);
        expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('CU001');
      }
      await client.query('reset cutover.vouched');
    });
  });

  it('do not cover rows of a wave that others may write', async () => {
    expect(await underFence('wave/1', 1, `insert into item values (1, 'b')`)).toBe('CU001');
    await insert(1, 'b');
    expect(await underFence('wave/1', 1, `update item set customer = 'a'`)).toBe('CU001');
    expect(await underFence('wave/1', 1, `truncate item cascade`)).toBe('CU001');
  });

  it('cover rows of other waves while these are sealed here', async () => {
    const target = await guardedDatabase('guard_target', 'target');
    try {
      await withTransaction(target.own, {}, async (client) => {
        await client.query(`select cutover.take_fence('wave/1', 1)`);
        await client.query(`insert into item values (1, 's'), (2, 'b')`);
        await client.query(`update item set customer = 'a'`);
      });
      expect(await log(target.own)).toEqual([]);
      await target.custody.open(2, 1);
      await target.app.query(`insert into item values (3, 'b')`);
      const reach = withTransaction(target.own, {}, async (client) => {
        await client.query(`select cutover.take_fence('wave/1', 1)`);
        await client.query(`delete from item where id = 3`);
      });
      await expect(reach).rejects.toThrow(/does not cover rows of wave 2/);
    } finally {
      await target.close();
    }
  });

  it('mark their own transaction only: a setting left behind or made up opens nothing', async () => {
    await db.custody.freeze(1, 1, LEASE_MS);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      const mark = await client.query<{ mark: string }>(
        `select cutover.take_fence('wave/1', 1), current_setting('cutover.mark') as mark`,
      );
      expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('none');
      const left = (await client.query<{ mark: string }>(`select current_setting('cutover.mark') as mark`)).rows[0]
        ?.mark;
      await client.query('commit');
      expect(mark.rowCount).toBe(1);
      for (const forged of [left, '1', '1/', '1/1', 'x/y', '/']) {
        await client.query(`select set_config('cutover.mark', $1, false)`, [forged]);
        expect(await sqlState(client.query(`insert into item values (2, 'a')`))).toBe('CU001');
      }
      await client.query('begin');
      await client.query('savepoint before');
      await client.query(`select cutover.take_fence('wave/1', 1)`);
      await client.query('rollback to before');
      expect(await sqlState(client.query(`insert into item values (2, 'a')`))).toBe('CU001');
      await client.query('rollback');
      await client.query('reset cutover.mark');
    });
  });

  it('serve one wave in one transaction', async () => {
    expect(await underFence('wave/1', 1, `select cutover.take_fence('wave/2', 1)`)).toBe('CU005');
  });

  it('of chunks do not serialise each other, but a raise waits for them and voids them', async () => {
    await onClient(db.app, async (first) => {
      await onClient(db.app, async (second) => {
        await first.query('begin');
        await second.query('begin');
        await first.query(`select cutover.take_fence('chunk/1/item/1', 1)`);
        await second.query(`select cutover.take_fence('chunk/1/item/2', 1)`);
        await second.query('commit');
        const raise = db.custody.raise(1, 2);
        expect(await Promise.race([raise, db.app.query('select pg_sleep(0.3)').then(() => 'waiting')])).toBe('waiting');
        await first.query('commit');
        expect(await raise).toEqual({ outcome: 'done' });
        await second.query('begin');
        expect(await sqlState(second.query(`select cutover.take_fence('chunk/1/item/2', 1)`))).toBe('CU002');
      });
    });
  });

  it('give back the position the last pass committed', async () => {
    await withTransaction(db.own, {}, async (client) => {
      await client.query(`select cutover.take_fence('wave/1', 1)`);
      await client.query(`update cutover.fence set position = '10:20:' where key = 'wave/1'`);
    });
    const again = await withTransaction(db.own, {}, (client) =>
      client.query<{ at: string }>(`select cutover.take_fence('wave/1', 1) as at`),
    );
    expect(again.rows[0]?.at).toBe('10:20:');
  });
});
