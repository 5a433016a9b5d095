import { inTransaction } from '../../../systems/control/transaction';
import { controlDatabase } from './control-database';

test('a connection lost in the middle of a transaction fails that transaction, and not the process', async () => {
  const pool = await controlDatabase('lost');
  try {
    const lost = inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
      await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await ended;
      await client.query('select 1');
    });
    await expect(lost).rejects.toThrow(/not queryable/);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});
