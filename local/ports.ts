import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand to outgoing connections (Linux from 32768, others from 49152): on one of those a
 * server that was killed might find somebody else's connection when it comes back.
 */
const SERVER_PORTS = { from: 20_000, to: 32_000 };
const TRIES = 100;

/** A process that was killed is gone before the last of its threads let go of its sockets. */
const LETTING_GO_MS = 3_000;
const LOOK_MS = 50;

/** Whether a server can listen on this loopback port, which one that was killed may have had until just now. */
export async function isFreeAgain(port: number): Promise<boolean> {
  for (const deadline = Date.now() + LETTING_GO_MS; Date.now() < deadline;) {
    if (await isFreePort(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return false;
}

/** Whether nobody listens on this loopback port at this moment. */
function isFreePort(port: number): Promise<boolean> {
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
