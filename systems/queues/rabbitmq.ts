import { connect as connectBroker } from 'amqplib';
import { z } from 'zod';
import { SystemFault } from '../ports';
import type { Leftovers, QueuePort } from './port';

export interface RabbitmqQueue {
  /** AMQP URL; its credentials are used for the management API too. */
  url: string;
  /** Base of the management API; default: the AMQP host at port 15672. */
  managementUrl?: string;
  queue: string;
  /** The field of a JSON message that names its customer. */
  customer?: string;
  /** Tells which of these customers belong to the wave. Needed with `customer`, for leftovers. */
  membersOf?: (wave: number, customers: string[]) => Promise<string[]>;
  timeoutMs?: number;
  /** How often the broker publishes and samples its counts (`collect_statistics_interval`); default 5000, as RabbitMQ. */
  statisticsMs?: number;
}

const queueInfo = z.object({
  messages_ready: z.number().optional(),
  messages_unacknowledged: z.number().optional(),
  arguments: z.record(z.string(), z.unknown()).default({}),
  // An empty policy is written as an empty list.
  effective_policy_definition: z.union([z.record(z.string(), z.unknown()), z.array(z.never())]).nullish(),
});
const bindings = z.array(z.object({ destination: z.string(), destination_type: z.string(), routing_key: z.string() }));

const TIMEOUT_MS = 5_000;
const STATISTICS_MS = 5_000;

/**
 * Reads a RabbitMQ queue through the management API, which knows unacknowledged messages (AMQP's own count leaves them
 * out). A broker cannot tell whose messages they are without taking them, so `read` counts the whole queue. Dead letters
 * are those in the queues its dead letter exchange leads to, set by an argument or a policy.
 */
export function rabbitmqQueue(options: RabbitmqQueue): QueuePort {
  const { timeoutMs = TIMEOUT_MS } = options;
  const amqp = new URL(options.url);
  const vhost = decodeURIComponent(amqp.pathname.slice(1)) || '/';
  const base = options.managementUrl ?? `http://${amqp.hostname}:15672`;

  const api = async (path: string): Promise<unknown> => {
    const user = `${decodeURIComponent(amqp.username) || 'guest'}:${decodeURIComponent(amqp.password) || 'guest'}`;
    let response: Response;
    try {
      response = await fetch(`${base.replace(/\/$/, '')}/api/${path}`, {
        headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      throw new SystemFault('the RabbitMQ management API does not answer; is its plugin enabled?', true, { cause });
    }
    if (response.ok) return response.json();
    await response.body?.cancel();
    if (response.status === 404)
      throw new SystemFault(`RabbitMQ has no queue ${options.queue} in vhost ${vhost}`, false);
    throw new SystemFault(`the RabbitMQ management API answered ${response.status}`, response.status >= 500);
  };

  /** Statistics of a new queue appear a moment after it; until then its numbers are not known, which is not zero. */
  const info = async (
    queue: string,
  ): Promise<{ ready: number; unacked: number; settings: Record<string, unknown> }> => {
    const found = queueInfo.parse(
      await api(`queues/${encodeURIComponent(vhost)}/${encodeURIComponent(queue)}?disable_stats=false`),
    );
    if (found.messages_ready === undefined || found.messages_unacknowledged === undefined) {
      throw new SystemFault(`RabbitMQ has no counts of queue ${queue} yet`, true);
    }
    const policy = Object.entries(found.effective_policy_definition ?? {}).map(([name, value]) => [`x-${name}`, value]);
    const settings = { ...Object.fromEntries(policy), ...found.arguments };
    return { ready: found.messages_ready, unacked: found.messages_unacknowledged, settings };
  };

  const deadLetterQueues = async (own: Record<string, unknown>): Promise<string[]> => {
    const exchange = own['x-dead-letter-exchange'];
    if (typeof exchange !== 'string') return [];
    const key = own['x-dead-letter-routing-key'];
    const routingKey = typeof key === 'string' ? key : options.queue;
    if (exchange === '') return [routingKey];
    const found = bindings.parse(
      await api(`exchanges/${encodeURIComponent(vhost)}/${encodeURIComponent(exchange)}/bindings/source`),
    );
    const queues = found.filter((each) => each.destination_type === 'queue').map((each) => each.destination);
    return [...new Set(queues)].filter((queue) => queue !== options.queue);
  };

  const read = async (): Promise<{ ready: number; unacked: number; deadLetters: number; dead: string[] }> => {
    const own = await info(options.queue);
    const dead = await deadLetterQueues(own.settings);
    const counts = await Promise.all(dead.map(info));
    const deadLetters = counts.reduce((sum, each) => sum + each.ready + each.unacked, 0);
    return { ready: own.ready, unacked: own.unacked, deadLetters, dead };
  };

  return {
    // A queue publishes its counts and the management plugin samples them, each once in this time.
    staleMs: 2 * (options.statisticsMs ?? STATISTICS_MS) + 500,
    async read() {
      const { ready, unacked, deadLetters } = await read();
      return { ready, unacked, deadLetters };
    },
    async leftovers(wave) {
      const { ready, unacked, deadLetters, dead } = await read();
      const found = options.customer === undefined ? [] : await peek(options, [options.queue, ...dead], timeoutMs);
      return mine(options, wave, found, ready + unacked + deadLetters);
    },
  };
}

async function mine(options: RabbitmqQueue, wave: number, found: (string | null)[], count: number): Promise<Leftovers> {
  const named = [...new Set(found.filter((customer) => customer !== null))].sort();
  const customers = options.membersOf ? await options.membersOf(wave, named) : named;
  return { count, customers, withoutCustomer: count - found.filter((customer) => customer !== null).length };
}

/** Customers of the ready messages, read without acknowledging: closing the channel gives every message back. */
async function peek({ url, customer }: RabbitmqQueue, queues: string[], timeoutMs: number): Promise<(string | null)[]> {
  const connection = await connectBroker(url, { timeout: timeoutMs }).catch((cause: unknown) => {
    throw new SystemFault('RabbitMQ does not answer', true, { cause });
  });
  connection.on('error', () => undefined); // every call below fails with the same error
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined); // the same
    const found: (string | null)[] = [];
    for (const queue of queues) {
      for (let message = await channel.get(queue); message; message = await channel.get(queue)) {
        found.push(customerOf(message.content.toString('utf8'), customer));
      }
    }
    return found;
  } catch (cause) {
    throw new SystemFault('RabbitMQ broke off while its messages were looked at', true, { cause });
  } finally {
    await connection.close().catch(() => undefined); // it may be gone already, which gives the messages back too
  }
}

/** Null when the message is no JSON object or does not name its customer. */
function customerOf(text: string, field: string | undefined): string | null {
  try {
    const value: unknown = field === undefined ? null : (JSON.parse(text) as Record<string, unknown> | null)?.[field];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
  } catch {
    return null;
  }
}
