import { once } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import QueryStream from 'pg-query-stream';
import { connect, withTransaction } from '../../../../systems/postgres/connect';
import { pipeRows } from '../../../../systems/postgres/data/copy';
import { freshDatabase } from '../../../support/databases';

/** More than the buffers of two sockets hold. */
const ROWS = 500_000;
const SELECT = `select n, repeat('x', 40) from generate_series(1, ${ROWS}) n`;
const INTO = 'kept (id, body)';

let pool: Pool;
beforeEach(async () => {
  pool = connect(await freshDatabase('copy'), { applicationName: 'copy test' });
  await pool.query('create table kept (id int primary key, body text)');
});
afterEach(() => pool.end());

/** As every copy runs: the side that is read within the transaction of the side that is written. */
const copying = (body: (from: PoolClient, to: PoolClient) => Promise<unknown>): Promise<unknown> =>
  withTransaction(pool, {}, (to) => withTransaction(pool, { isolation: 'repeatable read' }, (from) => body(from, to)));

const pidOf = async (client: PoolClient): Promise<number> =>
  (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;

test('rows pass as they are', async () => {
  await copying((from, to) => pipeRows(from, SELECT, to, INTO));
  expect((await pool.query('select count(*)::int as rows from kept')).rows).toEqual([{ rows: ROWS }]);
});

test('the side that is written refuses a row while many are on their way: both sessions end', async () => {
  await pool.query("insert into kept values (1, 'in the way')");
  await expect(copying((from, to) => pipeRows(from, SELECT, to, INTO))).rejects.toThrow('23505');
  await expect(copying((from, to) => pipeRows(from, SELECT, to, 'nowhere (id, body)'))).rejects.toThrow('42P01');
});

test('a copy that fails leaves no session that waits behind rows nobody reads', async () => {
  await pool.query("insert into kept values (1, 'in the way')");
  await copying(async (from, to) => {
    await expect(pipeRows(from, SELECT, to, INTO)).rejects.toThrow('kept_pkey');
    await expect(from.query('select 1')).rejects.toThrow('not queryable');
    throw new Error('as it was');
  }).catch((error: unknown) => expect(String(error)).toContain('as it was'));
});

test('the side that is read fails after many rows: both sessions end', async () => {
  const failing = SELECT.replace('select n', `select n + 0 / (${ROWS} - n)`);
  await expect(copying((from, to) => pipeRows(from, failing, to, INTO))).rejects.toThrow('22012');
});

test('a cursor that is left unread holds no transaction that fails', async () => {
  const left = withTransaction(pool, {}, async (client) => {
    const rows = client.query(new QueryStream(SELECT, [], { batchSize: 10 }));
    await once(rows, 'readable');
    throw new Error('something else is wrong');
  });
  await expect(left).rejects.toThrow('something else is wrong');
});

test.each(['before it begins', 'while rows are on their way'])(
  'either side is lost %s: both sessions end',
  async (when) => {
    for (const lost of ['from', 'to'] as const) {
      const copied = copying(async (from, to) => {
        const victim = { from, to }[lost];
        const pid = await pidOf(victim);
        const gone = once(victim, 'error').catch(() => undefined);
        const kill = (): Promise<unknown> => pool.query('select pg_terminate_backend($1)', [pid]);
        if (when === 'before it begins') {
          await kill();
          await gone;
          return pipeRows(from, SELECT, to, INTO);
        }
        const copy = pipeRows(from, `${SELECT} where pg_sleep(0.001) is not null`, to, INTO);
        copy.catch(() => undefined);
        await kill();
        return copy;
      });
      await expect(copied).rejects.toThrow(/cannot be reached|57P01/);
    }
    expect((await pool.query('select count(*)::int as rows from kept')).rows).toEqual([{ rows: 0 }]);
  },
);
