import { connect, type Channel, type ChannelModel } from 'amqplib';
import { drainUntil } from '../../../systems/queues/drain';
import type { QueueReading } from '../../../systems/queues/port';
import { rabbitmqQueue } from '../../../systems/queues/rabbitmq';
import { rabbitmqInstalled, startRabbitmq, STATISTICS_MS, type RabbitmqNode } from './rabbitmq-node';

if (!rabbitmqInstalled()) {
  process.stderr.write(
    'RabbitMQ tests are skipped: rabbitmq-server is not installed (apt-get install rabbitmq-server)\n',
  );
}
const whereInstalled = rabbitmqInstalled() ? describe : describe.skip;

whereInstalled('a RabbitMQ queue', () => {
  let node: RabbitmqNode;
  let connection: ChannelModel;
  let channel: Channel;
  beforeAll(async () => {
    node = await startRabbitmq();
    connection = await connect(node.url);
    channel = await connection.createChannel();
  }, 90_000);
  afterAll(async () => {
    await connection?.close();
    await node?.stop();
  });

  const port = (queue: string, customer?: string) =>
    rabbitmqQueue({
      url: node.url,
      managementUrl: node.managementUrl,
      queue,
      statisticsMs: STATISTICS_MS,
      ...(customer && { customer }),
      membersOf: (wave, customers) => Promise.resolve(customers.filter((each) => each.startsWith(String(wave)))),
    });
  const send = (queue: string, body: unknown) => channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)));

  /** Counts are published now and then. */
  async function comesTo(queue: string, expected: QueueReading): Promise<void> {
    for (const deadline = Date.now() + 15_000; ;) {
      const seen = await port(queue)
        .read(1)
        .catch(() => null);
      if (JSON.stringify(seen) === JSON.stringify(expected)) return;
      if (Date.now() > deadline) throw new Error(`${queue} stays at ${JSON.stringify(seen)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test('counts what waits, what was taken and not acknowledged, and what became a dead letter', async () => {
    await channel.assertExchange('dead', 'fanout');
    await channel.assertQueue('orders.dead');
    await channel.bindQueue('orders.dead', 'dead', '');
    await channel.assertQueue('orders', { arguments: { 'x-dead-letter-exchange': 'dead' } });
    for (const customer of ['1001', '1001', '1002', '2001', undefined]) send('orders', { customer });
    await comesTo('orders', { ready: 5, unacked: 0, deadLetters: 0 });
    const [first, second] = [await channel.get('orders'), await channel.get('orders')];
    await comesTo('orders', { ready: 3, unacked: 2, deadLetters: 0 });
    if (!first || !second) throw new Error('no message');
    channel.nack(first, false, false);
    channel.ack(second);
    await comesTo('orders', { ready: 3, unacked: 0, deadLetters: 1 });
  });

  test('names the customers of what is left, dead letters included, and gives every message back', async () => {
    expect(await port('orders', 'customer').leftovers(1)).toEqual({
      count: 4,
      customers: ['1001', '1002'],
      withoutCustomer: 1,
    });
    expect((await port('orders', 'customer').leftovers(2)).customers).toEqual(['2001']);
    expect(await port('orders').leftovers(1)).toEqual({ count: 4, customers: [], withoutCustomer: 4 });
    await comesTo('orders', { ready: 3, unacked: 0, deadLetters: 1 });
  });

  test('a dead letter exchange set by a policy is found as well', async () => {
    const put = await fetch(`${node.managementUrl}/api/policies/%2F/letters`, {
      method: 'PUT',
      headers: { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` },
      body: JSON.stringify({ pattern: '^letters$', definition: { 'dead-letter-exchange': 'dead' } }),
    });
    expect(put.ok).toBe(true);
    await channel.assertQueue('letters');
    await comesTo('letters', { ready: 0, unacked: 0, deadLetters: 1 });
  });

  test('dead letters that go straight to a queue by its name are found too', async () => {
    await channel.assertQueue('bills.dead');
    await channel.assertQueue('bills', {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'bills.dead' },
    });
    send('bills', {});
    const message = await waitForMessage('bills');
    channel.nack(message, false, false);
    await comesTo('bills', { ready: 0, unacked: 0, deadLetters: 1 });
  });

  async function waitForMessage(queue: string) {
    for (;;) {
      const message = await channel.get(queue);
      if (message) return message;
    }
  }

  test('is drained only after the consumer acknowledged the last message it took', async () => {
    await channel.assertQueue('mails');
    for (let i = 0; i < 5; i += 1) send('mails', { i });
    await comesTo('mails', { ready: 5, unacked: 0, deadLetters: 0 });
    const taken: Parameters<Channel['ack']>[0][] = [];
    await channel.consume('mails', (message) => message && taken.push(message));
    await comesTo('mails', { ready: 0, unacked: 5, deadLetters: 0 });
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const input = { wave: 1, deadline: Date.now() + 20_000, everyMs: 250 };
    let looks = 0;
    const state = await drainUntil(
      { mails: port('mails') },
      { ...input, onLook: () => (looks++ === 2 ? taken.forEach((each) => channel.ack(each)) : undefined) },
      { now: () => Date.now(), sleep },
    );
    expect(state.drained).toBe(true);
    expect(looks).toBeGreaterThanOrEqual(5);
  });

  test('a queue that does not exist and a broker that does not answer are faults, never zero', async () => {
    await expect(port('nothing').read(1)).rejects.toMatchObject({
      message: 'RabbitMQ has no queue nothing in vhost /',
      retryable: false,
    });
    const away = rabbitmqQueue({ url: node.url, managementUrl: 'http://127.0.0.1:1', queue: 'orders' });
    await expect(away.read(1)).rejects.toMatchObject({ name: 'SystemFault', retryable: true });
  });
});
