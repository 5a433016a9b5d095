import { once } from 'node:events';
import { from } from 'pg-copy-streams';
import { connect, sqlStateOf } from '../../../systems/postgres/connect';
import { DATA_SESSIONS } from '../../../systems/postgres/custody';
import { membershipDigest } from '../../../systems/postgres/data/census';
import { guardedDatabase, LEASE_MS, onClient, snapshot, sqlState, type Guarded } from './custody-support';

let db: Guarded;
beforeEach(async () => {
  db = await guardedDatabase('custody');
});
afterEach(() => db.close());

const insert = (id: number, customer: string): Promise<unknown> =>
  db.app.query('insert into item values ($1, $2)', [id, customer]);
const freeze = (wave = 1, epoch = 1, leaseMs = LEASE_MS) => db.custody.freeze(wave, epoch, leaseMs);
/** Waits until the lease of wave 1 is over by the server's own clock. */
const lapse = (): Promise<unknown> =>
  db.app.query(
    `select pg_sleep(greatest(0, extract(epoch from lease_until - clock_timestamp()) + 0.01)) from cutover.wave where wave = 1`,
  );

describe('freezing', () => {
  it('refuses writers of the frozen wave with CU001 and nobody else', async () => {
    expect(await freeze()).toMatchObject({ outcome: 'frozen' });
    expect(await sqlState(insert(1, 'a'))).toBe('CU001');
    expect(await sqlState(insert(2, 'b'))).toBe('none');
    expect(await sqlState(insert(3, 's'))).toBe('none');
    expect(await db.custody.wave(1)).toMatchObject({ state: 'frozen', refusesWrites: true, epoch: 1 });
  });

  it('refuses updates, deletes and children of the frozen wave too', async () => {
    await insert(1, 'a');
    await db.app.query(`insert into part values (1, 1, 'a')`);
    await freeze();
    expect(await sqlState(db.app.query('update item set note = $1', ['x']))).toBe('CU001');
    expect(await sqlState(db.app.query('delete from item'))).toBe('CU001');
    expect(await sqlState(db.app.query('delete from part'))).toBe('CU001');
  });

  it('refuses customers nobody has assigned once the last wave is frozen', async () => {
    expect(await sqlState(insert(1, 'newcomer'))).toBe('none');
    await freeze(3);
    expect(await sqlState(insert(2, 'newcomer'))).toBe('CU001');
    expect(await sqlState(insert(3, 'a'))).toBe('none');
  });

  it('names the application that holds the wave and is blocked by it', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      const answer = await freeze();
      expect(answer).toEqual({ outcome: 'blocked', blockers: [expect.stringMatching(/^pid \d+ \(billing\)$/)] });
      expect(await freeze(2)).toMatchObject({ outcome: 'frozen' });
      await client.query('commit');
    });
    expect(await freeze()).toMatchObject({ outcome: 'frozen' });
  });

  it('is blocked by a prepared transaction and names it', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      await client.query(`prepare transaction 'batch-7'`);
    });
    expect(await freeze()).toEqual({ outcome: 'blocked', blockers: ['prepared transaction batch-7'] });
    await db.app.query(`commit prepared 'batch-7'`);
    expect(await freeze()).toMatchObject({ outcome: 'frozen' });
  });

  it('lets writers pass between its attempts while it is blocked', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      let settled = false;
      const attempt = freeze().finally(() => (settled = true));
      let passed = 0;
      while (!settled) {
        await insert(10 + passed, 'a');
        passed += 1;
      }
      expect((await attempt).outcome).toBe('blocked');
      expect(passed).toBeGreaterThan(1);
    });
  });

  it.each(['repeatable read', 'serializable'])(
    'refuses a %s writer whose snapshot is older than the freeze with 40001',
    async (level) => {
      await onClient(db.app, async (client) => {
        await client.query(`begin isolation level ${level}`);
        await client.query('select count(*) from item');
        await freeze();
        expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('40001');
      });
    },
  );

  it('refuses a repeatable-read writer whose snapshot is older than a freeze that is over', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from item');
      await freeze();
      await db.custody.thaw(1, 1);
      expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('40001');
    });
  });

  it('answers a repeated freeze with the lease that is there', async () => {
    const first = await freeze();
    expect(await freeze()).toEqual(first);
  });

  it('guards writers that run with session_replication_role = replica', async () => {
    await freeze();
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query('set local session_replication_role = replica');
      expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('CU001');
    });
  });

  it('never freezes, seals or opens the customers who stay', async () => {
    const position = await snapshot(db.own);
    await expect(freeze(0, 0)).rejects.toThrow(/who stay/);
    await expect(db.custody.seal(0, 0, position)).rejects.toThrow(/who stay/);
    await expect(db.custody.open(0, 0)).rejects.toThrow(/who stay/);
  });

  it('refuses to be called inside a transaction above READ COMMITTED', async () => {
    await onClient(db.own, async (client) => {
      await client.query('begin isolation level repeatable read');
      expect(await sqlState(client.query('select cutover.freeze(1, 1, 1000, 200)'))).toBe('0A000');
    });
  });
});

describe('the lease', () => {
  it('lets writers in by itself when it lapses, and is then not renewed', async () => {
    await freeze(1, 1, 50);
    await lapse();
    expect(await db.custody.wave(1)).toMatchObject({ state: 'frozen', refusesWrites: false });
    expect(await sqlState(insert(1, 'a'))).toBe('none');
    expect(await db.custody.renew(1, 1, LEASE_MS, new Date(Date.now() + LEASE_MS))).toEqual({ outcome: 'lapsed' });
    expect(await sqlState(insert(2, 'a'))).toBe('none');
  });

  it('is taken anew after a lapse only under a new epoch', async () => {
    await freeze(1, 1, 50);
    await lapse();
    expect(await freeze()).toEqual({ outcome: 'stale' });
    await db.custody.raise(1, 2);
    expect(await freeze(1, 2)).toMatchObject({ outcome: 'frozen' });
    expect(await sqlState(insert(1, 'a'))).toBe('CU001');
  });

  it('reads the clock after it got the lock: a renewal that had to wait past the end finds the lease lapsed', async () => {
    await freeze(1, 1, 400);
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock_shared(1668641903, 1)');
      const renewal = db.custody.renew(1, 1, LEASE_MS, new Date(Date.now() + LEASE_MS));
      await lapse();
      await client.query('commit');
      expect(await renewal).toEqual({ outcome: 'lapsed' });
    });
  });

  it('is renewed up to the limit and not past it', async () => {
    await freeze(1, 1, 2_000);
    const limit = new Date(Date.now() + 5_000);
    expect(await db.custody.renew(1, 1, LEASE_MS, limit)).toEqual({ outcome: 'renewed', leaseUntil: limit });
    expect(await db.custody.renew(1, 1, LEASE_MS, limit)).toEqual({ outcome: 'limit' });
  });

  it('is not shortened by a renewal', async () => {
    const frozen = await freeze(1, 1, 30_000);
    const renewed = await db.custody.renew(1, 1, 1_000, new Date(Date.now() + LEASE_MS));
    expect(renewed).toEqual({ outcome: 'renewed', leaseUntil: frozen.outcome === 'frozen' && frozen.leaseUntil });
  });

  it('ends with a thaw, after which there is nothing to renew', async () => {
    await freeze();
    expect(await db.custody.thaw(1, 1)).toEqual({ outcome: 'thawed' });
    expect(await db.custody.thaw(1, 1)).toEqual({ outcome: 'not-frozen' });
    expect(await db.custody.renew(1, 1, LEASE_MS, new Date(Date.now() + LEASE_MS))).toEqual({ outcome: 'not-frozen' });
    expect(await sqlState(insert(1, 'a'))).toBe('none');
  });
});

describe('sealing', () => {
  it('gives the wave up for good when everything was applied', async () => {
    await insert(1, 'a');
    await freeze();
    expect(await db.custody.seal(1, 1, await snapshot(db.own))).toEqual({ outcome: 'sealed' });
    expect(await db.custody.seal(1, 1, await snapshot(db.own))).toEqual({ outcome: 'sealed' });
    expect(await sqlState(insert(2, 'a'))).toBe('CU001');
    expect(await db.custody.thaw(1, 1)).toEqual({ outcome: 'sealed' });
    expect(await freeze()).toEqual({ outcome: 'sealed' });
  });

  it('is refused with the number of rows that were not applied', async () => {
    const before = await snapshot(db.own);
    await insert(1, 'a');
    await insert(2, 'b');
    await insert(3, 'a');
    await freeze();
    expect(await db.custody.seal(1, 1, before)).toEqual({ outcome: 'unapplied', rows: 2 });
    expect(await sqlState(insert(4, 'a'))).toBe('CU001');
  });

  it('counts a row that a prepared transaction committed after the position was taken', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`insert into item values (1, 'a')`);
      await client.query(`prepare transaction 'late'`);
    });
    await insert(2, 'a');
    const position = await snapshot(db.own);
    await db.app.query(`commit prepared 'late'`);
    await freeze();
    expect(await db.custody.seal(1, 1, position)).toEqual({ outcome: 'unapplied', rows: 1 });
  });

  it('is refused under a lapsed lease, an open wave and another epoch', async () => {
    const position = await snapshot(db.own);
    expect(await db.custody.seal(1, 1, position)).toEqual({ outcome: 'not-frozen' });
    await freeze(1, 1, 50);
    await lapse();
    expect(await db.custody.seal(1, 1, position)).toEqual({ outcome: 'lapsed' });
    await db.custody.raise(1, 5);
    expect(await db.custody.seal(1, 1, position)).toEqual({ outcome: 'stale' });
    expect(await db.custody.seal(1, 6, position)).toEqual({ outcome: 'stale' });
  });

  it.each([
    ['a trigger was disabled', 'alter table item disable trigger cutover_guard', /public\.item: trigger cutover_guard/],
    [
      'a trigger is off for replicas',
      'alter table item enable trigger cutover_guard',
      /public\.item: trigger cutover_guard/,
    ],
    [
      'a trigger was off for a while',
      'alter table item disable trigger user; alter table item enable always trigger cutover_guard, enable always trigger cutover_truncate',
      /public\.item: its guard was changed/,
    ],
    ['a trigger was dropped', 'drop trigger cutover_truncate on part', /public\.part: its guard was changed/],
    ['a table was replaced', 'alter table part rename to old_part', /public\.part: the table is gone/],
    [
      'a trigger function was replaced',
      `do $$ declare f text; begin select guard into f from cutover.guarded where tab = 'public.item';
       execute format('create or replace function cutover.%I() returns trigger language plpgsql as ''begin return null; end''', f); end $$`,
      /public\.item: its guard was changed/,
    ],
  ])('is refused when %s', async (_, sabotage, finding) => {
    await freeze();
    await db.app.query(sabotage);
    const answer = await db.custody.seal(1, 1, await snapshot(db.own));
    expect(answer).toMatchObject({ outcome: 'tampered', findings: [expect.stringMatching(finding)] });
  });
});

describe('opening and raising', () => {
  it('opens a sealed wave once, under the epoch of its fence only', async () => {
    const target = await guardedDatabase('custody_target', 'target');
    try {
      const write = () => sqlState(target.app.query(`insert into item values (1, 'a')`));
      expect(await write()).toBe('CU001');
      expect(await target.custody.open(1, 7)).toEqual({ outcome: 'stale' });
      expect(await target.custody.raise(1, 7)).toEqual({ outcome: 'done' });
      expect(await target.custody.open(1, 1)).toEqual({ outcome: 'stale' });
      const members = await membershipDigest(target.own, 1);
      expect(await target.custody.open(1, 7, await membershipDigest(target.own, 2))).toEqual({
        outcome: 'members-differ',
      });
      expect(await write()).toBe('CU001');
      expect(await target.custody.open(1, 7, members)).toEqual({ outcome: 'done' });
      expect(await target.custody.open(1, 7, 'another')).toEqual({ outcome: 'done' });
      expect(await write()).toBe('none');
      expect(await sqlState(target.app.query(`insert into item values (2, 's')`))).toBe('CU001');
    } finally {
      await target.close();
    }
  });

  it('raises to the present epoch as done and never downwards', async () => {
    expect(await db.custody.raise(1, 9)).toEqual({ outcome: 'done' });
    expect(await db.custody.raise(1, 9)).toEqual({ outcome: 'done' });
    expect(await db.custody.raise(1, 8)).toEqual({ outcome: 'stale' });
    expect(await freeze(1, 8)).toEqual({ outcome: 'stale' });
    expect((await db.custody.wave(1)).epoch).toBe(9);
  });

  it('ends the session of an attempt that stands still in the middle of a copy, and nobody else’s', async () => {
    const data = connect(db.url, { applicationName: `${DATA_SESSIONS} source` });
    const stuck = await data.connect();
    stuck.on('error', () => undefined);
    await stuck.query('begin');
    await stuck.query(`select cutover.take_fence('wave/1', 1)`);
    const ended = once(stuck.query(from('copy item from stdin')), 'error');
    expect(await db.custody.raise(1, 2)).toEqual({ outcome: 'done' });
    expect(await ended).toEqual([expect.objectContaining({ code: '57P01' })]);
    stuck.release(true);
    await data.end();
    await onClient(db.app, async (client) => {
      await client.query('begin');
      await client.query(`select from cutover.fence where key = 'wave/1' for update`);
      expect(sqlStateOf(await db.custody.raise(1, 3).catch((error: unknown) => error))).toBe('55P03');
      expect((await client.query('select 1')).rowCount).toBe(1);
    });
    expect(await db.custody.wave(1)).toMatchObject({ epoch: 2 });
  });

  it('says so when no such wave is known', async () => {
    await expect(db.custody.wave(42)).rejects.toThrow('no wave 42');
    await expect(db.custody.raise(42, 1)).rejects.toThrow(/no wave 42/);
  });

  it('does not disturb repeatable-read writers of an open wave', async () => {
    await onClient(db.app, async (client) => {
      await client.query('begin isolation level repeatable read');
      await client.query('select count(*) from item');
      await db.custody.raise(1, 9);
      expect(await sqlState(client.query(`insert into item values (1, 'a')`))).toBe('none');
    });
  });
});
