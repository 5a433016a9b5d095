import type { Pool } from 'pg';
import { connect } from '../../../systems/postgres/connect';
import { performSqlAction } from '../../../systems/postgres/action';
import { freshDatabase } from '../../support/databases';
import { waitUntil } from '../../support/wait-until';

let pool: Pool;
beforeAll(async () => {
  pool = connect(await freshDatabase('action'), { applicationName: 'test-action' });
  await pool.query('create table job (id int primary key, runs int not null default 0)');
  await pool.query('insert into job values (1)');
});
afterAll(() => pool.end());

const runs = async (): Promise<number> => (await pool.query<{ runs: number }>('select runs from job')).rows[0]!.runs;
const run = 'update job set runs = runs + 1';

test('an SQL action happens once per key, however many try at the same time, from the first use on', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => performSqlAction(pool, { sql: run, key: 'a' })));
  expect(all.map((each) => each.outcome).sort()).toEqual([...Array<string>(7).fill('already'), 'done']);
  expect(await runs()).toBe(1);
  expect(await performSqlAction(pool, { sql: run, key: 'b', check: 'select runs = 2 from job' })).toEqual({
    outcome: 'done',
    checked: true,
  });
});

test('an action that fails leaves nothing behind and can be tried again under its key', async () => {
  const before = await runs();
  await expect(performSqlAction(pool, { sql: `${run}; insert into job values (1)`, key: 'c' })).rejects.toMatchObject({
    name: 'SystemFault',
    retryable: false,
  });
  expect(await runs()).toBe(before);
  expect(await performSqlAction(pool, { sql: run, key: 'c' })).toEqual({ outcome: 'done', checked: false });
});

test('a check that is not true is a fault worth another try; asked again, the action is not repeated', async () => {
  const before = await runs();
  const action = { sql: run, key: 'd', check: 'select exists (select from job where id = 2)' };
  await expect(performSqlAction(pool, action)).rejects.toMatchObject({
    message: 'it took no effect yet: its check is not true',
    retryable: true,
  });
  await pool.query('insert into job values (2)');
  expect(await performSqlAction(pool, action)).toEqual({ outcome: 'already', checked: true });
  expect(await runs()).toBe(before + 1);
});

test('a check that writes is refused, and `none` does nothing', async () => {
  await expect(
    performSqlAction(pool, { sql: 'none', key: 'e', check: 'delete from job returning true' }),
  ).rejects.toThrow('25006');
  expect(await performSqlAction(pool, { sql: 'none', key: 'e' })).toEqual({ outcome: 'done', checked: false });
});

test('what never took effect is not undone, and an undo waits for an attempt that is under way', async () => {
  const before = await runs();
  expect(await performSqlAction(pool, { sql: run, key: 'f/undo', voids: 'f/do' })).toMatchObject({ outcome: 'done' });
  expect(await performSqlAction(pool, { sql: run, key: 'f/do' })).toMatchObject({ outcome: 'already' });
  expect(await runs()).toBe(before);

  const late = await pool.connect();
  try {
    await late.query(`begin; insert into cutover.action_effect (key) values ('g/do'); ${run}`);
    const undone = performSqlAction(pool, { sql: 'update job set runs = runs - 1', key: 'g/undo', voids: 'g/do' });
    await waitUntil(async () => {
      const { rows } = await pool.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into cutover.action_effect%'`,
      );
      return rows[0]!.waiting === 1;
    });
    await late.query('commit');
    await undone;
  } finally {
    late.release();
  }
  expect(await runs()).toBe(before);
});
