import { createServer } from 'node:net';

export { freePort } from './postgres';

/** Whether nobody listens on this loopback port at this moment. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
