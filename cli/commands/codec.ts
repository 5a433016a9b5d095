import { once } from 'node:events';
import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import { printLine, type Cli } from '../cli';
import { examples } from '../command';
import { usage } from '../exit';
import { KEYS_VARIABLE, KeysError, readKeys, type PayloadKey } from '../../workers/codec/keys';
import { payloadCodec } from '../../workers/codec/payload-codec';
import { codecApp } from '../../workers/codec/server';

interface CodecOptions {
  host: string;
  port: string;
  origin: string[];
}

const DEFAULT_PORT = '8081';
const DEFAULT_ORIGIN = 'http://localhost:8233';

export function registerCodec(program: Command, cli: Cli): void {
  const command = program
    .command('codec')
    .summary('let the stock tools read encrypted payloads')
    .description(
      `Serves Temporal's remote codec until Ctrl-C, with the keys of ${KEYS_VARIABLE}. Whoever reaches it can decrypt:\n` +
        'keep it on this machine, or put a proxy with a login before it.',
    )
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'port; 0 takes a free one', DEFAULT_PORT)
    .option('--origin <url...>', 'where the Temporal UI is opened', [DEFAULT_ORIGIN])
    .action((options: CodecOptions) => serveCodec(cli, options));
  examples(command, ['cutover codec', 'cutover codec --port 8081 --origin https://temporal.example.com']);
}

async function serveCodec(cli: Cli, { host, port, origin }: CodecOptions): Promise<void> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw usage(`--port ${JSON.stringify(port)} is no port`, 'a number from 0 to 65535');
  const keys = keysOf(cli);
  const server = serve({ fetch: codecApp(payloadCodec(keys), origin).fetch, hostname: host, port: Number(port) });
  await Promise.race([
    once(server, 'listening'),
    once(server, 'error').then(([error]) => {
      throw usage(
        `cannot listen on ${host}:${port}: ${String((error as NodeJS.ErrnoException).code)}`,
        'choose another --port',
      );
    }),
  ]);
  const { port: taken } = server.address() as AddressInfo;
  printLine(cli, `codec endpoint: http://${host}:${taken}`);
  printLine(cli, `keys: ${keys.map(({ id }) => id).join(', ')}; ${keys[0]?.id} encrypts`);
  if (!cli.stop.aborted) await once(cli.stop, 'abort');
  server.close();
  if ('closeAllConnections' in server) server.closeAllConnections();
}

function keysOf(cli: Cli): PayloadKey[] {
  try {
    const keys = readKeys(cli.env.all[KEYS_VARIABLE]);
    if (keys.length > 0) return keys;
  } catch (error) {
    throw error instanceof KeysError ? usage(error.message, error.remedy) : error;
  }
  throw usage(`${KEYS_VARIABLE} is not set`, 'set it to the file with the keys the workers use');
}
