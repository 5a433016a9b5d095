import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { connect, sqlStateOf, toSystemFault, withTransaction } from '../../../systems/postgres/connect';
import { keepingAwake } from '../../../systems/postgres/data/transaction';
import type { SystemFault } from '../../../systems/ports';
import { freshDatabase } from '../../support/databases';
import { waitUntil } from '../../support/wait-until';
import { freePort } from '../../../local/ports';

let url: string;
let pool: Pool;
beforeAll(async () => {
  url = await freshDatabase('connect');
  pool = connect(url, { applicationName: 'connect-test' });
  await pool.query('create table person (id int primary key, email text unique)');
});
afterAll(() => pool.end());
afterEach(() => pool.query('truncate person'));

const faultOf = (run: Promise<unknown>): Promise<SystemFault> =>
  run.then(
    () => Promise.reject(new Error('expected a fault')),
    (error: unknown) => toSystemFault(error),
  );
const everything = (fault: SystemFault): string =>
  JSON.stringify([fault.message, fault.stack, fault.cause, String(fault.cause), (fault.cause as Error).stack]);

describe('a connection', () => {
  it('writes times and numbers as the same text everywhere', async () => {
    const row = await pool.query(
      `select '2026-07-01 12:00+02'::timestamptz::text as t, '1 day 2 hours'::interval::text as i, 0.1::float8::text as f`,
    );
    expect(row.rows[0]).toEqual({ t: '2026-07-01 10:00:00+00', i: '1 day 02:00:00', f: '0.1' });
  });

  it('that changes custody has every timeout below the lease', async () => {
    const own = connect(url, { applicationName: 'own', leaseMs: 3_000 });
    const row = await own.query<Record<string, string>>(
      `select name, setting::int as ms from pg_settings where name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout')`,
    );
    await own.end();
    expect(row.rows).toHaveLength(3);
    for (const { ms } of row.rows) {
      expect(Number(ms)).toBeGreaterThan(0);
      expect(Number(ms)).toBeLessThan(1_500);
    }
  });

  it('keeps its settings when its URL has options, which come before them', async () => {
    const optioned = connect(`${url}?options=${encodeURIComponent('-c search_path=old -c row_security=on')}`, {
      applicationName: 'optioned',
    });
    const { rows } = await optioned.query(
      `select current_setting('search_path') as path, current_setting('row_security') as rows, current_setting('TimeZone') as zone`,
    );
    await optioned.end();
    expect(rows).toEqual([{ path: 'old', rows: 'off', zone: 'UTC' }]);
  });

  it('passes on the words of PostgreSQL about names, and not those of the system’s own functions', async () => {
    await pool.query(`create function speak(name text) returns text language plpgsql as $$ begin
        if name = 'Nobody' then execute 'select ' || name || '_of_street'; end if;
        raise exception 'customer % has no contract', name using errcode = '55000'; end $$;
      create function cutover_like() returns void language plpgsql as $$ begin
        raise exception 'cutover: wave 1 does not accept writes here' using errcode = 'CU001'; end $$`);
    expect((await faultOf(pool.query(`select speak('Anna')`))).message).toBe('PostgreSQL error 55000');
    expect((await faultOf(pool.query(`select speak('Nobody')`))).message).toBe('PostgreSQL error 42703');
    expect((await faultOf(pool.query('select cutover_like()'))).message).toContain('wave 1 does not accept writes');
    expect((await faultOf(pool.query('select missing from person'))).message).toContain('column "missing" does not');
    const full = (where: string): string =>
      toSystemFault(Object.assign(new Error('could not extend file'), { code: '53100', severity: 'ERROR', where }))
        .message;
    expect(full('COPY person, line 7')).toContain('could not extend file');
    expect(full('PL/pgSQL function speak(text) line 3 at RAISE\nCOPY person, line 7')).toBe('PostgreSQL error 53100');
  });

  it('that is written stays while the other side is read for longer than it may stand idle', async () => {
    const written = (body: (client: PoolClient) => Promise<unknown>): Promise<unknown> =>
      withTransaction(pool, {}, async (client) => {
        await client.query(`set local idle_in_transaction_session_timeout = '400ms'`);
        await body(client);
        return (await client.query('select 1 as one')).rows;
      });
    const read = (): Promise<unknown> => pool.query('select pg_sleep(1.2)');
    expect(await written((client) => keepingAwake(client, read, 100))).toEqual([{ one: 1 }]);
    expect(await faultOf(written(read))).toMatchObject({ retryable: true });
  });

  it('that is lost in the packet that says it is ready is a fault of whoever wanted it, and ends nobody', async () => {
    const fields = ['SFATAL', 'C57P01', 'Mthe server went away', ''].map((field) => `${field}\0`).join('');
    const message = (type: string, body: Buffer): Buffer =>
      Buffer.concat([Buffer.from(type), Buffer.from(Uint32Array.of(body.length + 4).buffer).swap32(), body]);
    const dying = createServer((socket) =>
      socket.once(
        'data',
        () =>
        socket.end(Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I')), message('E', Buffer.from(fields))])), // prettier-ignore
      ),
    ).listen(0, '127.0.0.1');
    await once(dying, 'listening');
    const { port } = dying.address() as AddressInfo;
    const lost = connect(`postgres://me@127.0.0.1:${port}/db`, { applicationName: 'lost' });
    const fault = await faultOf(withTransaction(lost, {}, () => Promise.resolve()));
    expect(fault.retryable).toBe(true);
    await lost.end();
    dying.close();
  });

  it('is probed from both ends, so that a way that is cut without a word is noticed', async () => {
    const probed = await pool.query<{ idle: string; port: number }>(
      `select current_setting('tcp_keepalives_idle') as idle, inet_client_port() as port`,
    );
    const [{ idle, port } = { idle: '', port: 0 }] = probed.rows;
    expect(idle).toBe('10');
    if (process.platform !== 'linux') return;
    const local = new RegExp(`^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} .*$`, 'm');
    // timer 02 is keepalive; it goes off in so many hundredths of a second. What was just sent may have its timer first.
    const timer = (): number => {
      const line = local.exec(readFileSync('/proc/net/tcp', 'utf8'))?.[0] ?? '';
      return parseInt(/\b02:([0-9A-F]{8})\b/.exec(line)?.[1] ?? '0', 16);
    };
    await waitUntil(() => timer() > 0, 30_000);
    expect(timer()).toBeLessThanOrEqual(1_000);
  });

  it('that dies while idle or checked out does not end the process, and the pool goes on', async () => {
    const kill = (pid: number): Promise<unknown> => pool.query('select pg_terminate_backend($1)', [pid]);
    const other = connect(url, { applicationName: 'victim', max: 1 });
    const pidOf = async (): Promise<number> =>
      (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    await kill(await pidOf());
    expect(await pidOf().catch(pidOf)).toBeGreaterThan(0);
    const fault = await faultOf(
      withTransaction(other, {}, async (client) => {
        const own = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        await kill(own.rows[0]?.pid ?? 0);
        await client.query('select 1');
      }),
    );
    expect(fault.retryable).toBe(true);
    expect(await pidOf()).toBeGreaterThan(0);
    await other.end();
  });
});

describe('a transaction', () => {
  it('is rolled back and its error passed on when the body throws', async () => {
    const mine = new Error('mine');
    const run = withTransaction(pool, {}, async (client) => {
      await client.query(`insert into person values (1, 'x')`);
      throw mine;
    });
    await expect(run).rejects.toBe(mine);
    expect((await pool.query('select from person')).rowCount).toBe(0);
  });

  it('is read only when asked to be, at the isolation asked for', async () => {
    const level = await withTransaction(pool, { isolation: 'repeatable read', readOnly: true }, async (client) => {
      const found = await client.query<{ transaction_isolation: string }>('show transaction_isolation');
      return found.rows[0]?.transaction_isolation;
    });
    expect(level).toBe('repeatable read');
    const fault = await faultOf(
      withTransaction(pool, { readOnly: true }, (client) => client.query('delete from person')),
    );
    expect([fault.retryable, sqlStateOf(fault)]).toEqual([false, '25006']);
  });
});

describe('a fault', () => {
  it('never carries values of rows', async () => {
    await pool.query(`insert into person values (1, 'kim@example.org')`);
    const faults = [
      await faultOf(pool.query(`insert into person values (2, 'kim@example.org')`)),
      await faultOf(pool.query(`select 'kim@example.org'::text::int`)),
      await faultOf(pool.query(`insert into person values ($1, 'x')`, ['kim@example.org'])),
      await faultOf(pool.query(`do $$ begin raise exception 'kim@example.org is no good'; end $$`)),
    ];
    for (const fault of faults) {
      expect(everything(fault)).not.toContain('kim@');
      expect(fault.retryable).toBe(false);
    }
    expect(faults[0]?.message).toContain('public.person.person_email_key');
  });

  it.each([
    ['40001', true],
    ['40P01', true],
    ['55P03', true],
    ['57P01', true],
    ['53300', true],
    ['42P01', false],
    ['42501', false],
    ['23505', false],
    ['CU001', false],
    ['CU002', false],
  ])('of SQLSTATE %s is retryable: %s', async (state, retryable) => {
    const raised = pool.query(`do $$ begin raise exception 'because' using errcode = '${state}'; end $$`);
    const fault = await faultOf(raised);
    expect([sqlStateOf(fault), fault.retryable]).toEqual([state, retryable]);
  });

  it('of a server that is not there is retryable', async () => {
    const nowhere = connect(`postgres://postgres@127.0.0.1:${await freePort()}/x`, { applicationName: 'nobody' });
    const fault = await faultOf(withTransaction(nowhere, {}, (client) => client.query('select 1')));
    await nowhere.end();
    expect(fault.retryable).toBe(true);
    expect(fault.message).toMatch(/cannot be reached/);
  });
});
