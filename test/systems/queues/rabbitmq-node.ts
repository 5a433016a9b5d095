import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../local/ports';

/** Debian's package; the wrapper in /usr/sbin changes the user, which a node of our own does not need. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** How often this node publishes its counts; its management plugin samples them as often. */
export const STATISTICS_MS = 1_000;

export const rabbitmqInstalled = (): boolean => existsSync(SERVER);

export interface RabbitmqNode {
  url: string;
  managementUrl: string;
  stop(): Promise<void>;
}

/** Starts a node of its own on loopback, with its own name server, cookie and data in a temporary folder. */
export async function startRabbitmq(): Promise<RabbitmqNode> {
  const home = mkdtempSync(join(tmpdir(), 'cutover-rabbitmq-'));
  const [amqp, management, distribution, names] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  mkdirSync(join(home, 'log'));
  writeFileSync(join(home, 'plugins'), '[rabbitmq_management].\n');
  writeFileSync(
    join(home, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${amqp}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${management}`,
      `collect_statistics_interval = ${STATISTICS_MS}`,
      ...['basic', 'detailed', 'global'].map((policy) => `management.sample_retention_policies.${policy}.minute = 1`),
      'log.console = true',
    ].join('\n'),
  );
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `cutover-test-${process.pid}@localhost`,
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_BASE: home,
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
  };
  const nameServer = spawn('epmd', ['-port', String(names), '-address', '127.0.0.1'], { env, stdio: 'ignore' });
  // A group of its own, so that the virtual machine ends with the script that started it.
  const server = spawn(SERVER, [], { env, cwd: home, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const node: RabbitmqNode = {
    url: `amqp://guest:guest@127.0.0.1:${amqp}`,
    managementUrl: `http://127.0.0.1:${management}`,
    async stop() {
      if (server.pid !== undefined && isAlive(server)) {
        const ended = once(server, 'exit');
        process.kill(-server.pid, 'SIGTERM');
        await ended;
      }
      if (isAlive(nameServer)) nameServer.kill();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (piece) => (said += String(piece)));
  for (const deadline = Date.now() + 60_000; !(await answers(node, amqp));) {
    if (Date.now() > deadline || !isAlive(server)) {
      await node.stop();
      throw new Error(`RabbitMQ did not start:\n${said.slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return node;
}

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

async function answers({ managementUrl }: RabbitmqNode, port: number): Promise<boolean> {
  try {
    const headers = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` };
    return (await fetch(`${managementUrl}/api/health/checks/port-listener/${port}`, { headers })).ok;
  } catch {
    return false; // not yet listening
  }
}
