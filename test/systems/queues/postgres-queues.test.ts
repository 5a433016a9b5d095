import PgBoss from 'pg-boss';
import type { Pool } from 'pg';
import { connect } from '../../../systems/postgres/connect';
import { assignMembers, install, seedWaves } from '../../../systems/postgres/schema';
import { pgbossQueue } from '../../../systems/queues/pgboss';
import { sqlStock } from '../../../systems/queues/sql-stock';
import { freshDatabase } from '../../support/databases';

let source: Pool;
let url: string;
beforeAll(async () => {
  url = await freshDatabase('queues');
  source = connect(url, { applicationName: 'test-queues' });
  await install(source, 'source');
  await seedWaves(source, 'source', [
    { wave: 1, name: 'pilot' },
    { wave: 2, name: 'rest' },
  ]);
  await assignMembers(source, 1, ['1001', '1002']);
  await assignMembers(source, 2, ['2001']);
});
afterAll(() => source.end());

test('a work stock counts the open rows of the wave’s customers and names who is left', async () => {
  await source.query(`create schema legacy; create table legacy."order" (order_id int primary key, customer_id text, state text);
    insert into legacy."order" values (1, '1001', 'new'), (2, '1001', 'busy'), (3, '1002', 'done'), (4, '2001', 'new'), (5, 'newcomer', 'new')`);
  const stock = sqlStock(source, {
    from: 'legacy.order',
    key: 'order_id',
    customer: 'customer_id',
    open: `state <> 'done'`,
  });
  expect(await stock.read(1)).toEqual({ ready: 2, unacked: 0, deadLetters: 0 });
  expect(await stock.leftovers(1)).toEqual({ count: 2, customers: ['1001'], withoutCustomer: 0 });
  expect(await stock.leftovers(2)).toEqual({ count: 2, customers: ['2001', 'newcomer'], withoutCustomer: 0 });
  await source.query(`update legacy."order" set state = 'done'`);
  expect((await stock.read(1)).ready).toBe(0);
});

test('a stock whose table or predicate is wrong is a fault that does not come back as empty', async () => {
  const wrong = sqlStock(source, { from: 'legacy.nothing', key: 'id', customer: 'c', open: 'true' });
  await expect(wrong.read(1)).rejects.toMatchObject({ name: 'SystemFault', retryable: false });
  const writing = sqlStock(source, {
    from: 'cutover.member',
    key: 'customer',
    customer: 'customer',
    open: `nextval('writes') > 0`,
  });
  await source.query('create sequence writes');
  await expect(writing.read(1)).rejects.toThrow('25006');
});

test('a pg-boss queue counts waiting, taken and failed messages of the wave', async () => {
  const boss = new PgBoss(url);
  boss.on('error', () => undefined);
  await boss.start();
  try {
    await boss.createQueue('provisioning');
    const send = (customer: string | undefined) =>
      boss.send('provisioning', { ...(customer && { customer }), order: 1 }, { retryLimit: 0 });
    const queue = pgbossQueue(source, { queue: 'provisioning', customer: 'customer' });
    const whole = pgbossQueue(source, { queue: 'provisioning' });
    for (const customer of ['1001', '1001', '1002', '2001', 'newcomer']) await send(customer);
    expect(await queue.read(1)).toEqual({ ready: 3, unacked: 0, deadLetters: 0 });
    expect(await queue.read(2)).toEqual({ ready: 2, unacked: 0, deadLetters: 0 });
    expect(await whole.read(1)).toEqual({ ready: 5, unacked: 0, deadLetters: 0 });

    const taken = await boss.fetch('provisioning', { batchSize: 2 });
    expect(await queue.read(1)).toEqual({ ready: 1, unacked: 2, deadLetters: 0 });
    await boss.fail('provisioning', taken[0]!.id);
    await boss.complete('provisioning', taken[1]!.id);
    expect(await queue.read(1)).toEqual({ ready: 1, unacked: 0, deadLetters: 1 });
    expect(await queue.leftovers(1)).toEqual({ count: 2, customers: ['1001', '1002'], withoutCustomer: 0 });

    await send(undefined);
    expect([(await queue.read(1)).ready, (await queue.read(2)).ready]).toEqual([2, 3]);
    expect(await queue.leftovers(2)).toEqual({ count: 3, customers: ['2001', 'newcomer'], withoutCustomer: 1 });
    expect(await whole.leftovers(2)).toMatchObject({ count: 5, customers: [], withoutCustomer: 5 });
  } finally {
    await boss.stop({ graceful: false });
  }
});
