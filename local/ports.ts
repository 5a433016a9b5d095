import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand to outgoing connections (Linux from 32768, others from 49152): on one of those a
 * server that was killed might find somebody else's connection when it comes back.
 */
const SERVER_PORTS = { from: 20_000, to: 32_000 };
const TRIES = 100;

/** Whether nobody listens on this loopback port at this moment. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A loopback port nobody listens on at this moment, for a server that may have to come back on it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(SERVER_PORTS.from, SERVER_PORTS.to);
    if (await isFreePort(port)) return port;
  }
  throw new Error(`No free port between ${SERVER_PORTS.from} and ${SERVER_PORTS.to} on 127.0.0.1`);
}
