import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/**
 * A stand-in for a PostgreSQL 13, which no machine of ours has: the real server behind a wire that gives another
 * `server_version_num`, of as many bytes. Everything else is the server's own.
 */
export async function oldServer(url: string, versionNum: number): Promise<{ url: string; close(): Promise<void> }> {
  const real = new URL(url);
  const said = String(versionNum);
  const { hostname, port } = real;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.pipe(upstream);
    upstream.on('data', (bytes) => client.write(withVersion(bytes, said)));
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) socket.on('error', () => (client.destroy(), upstream.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  real.hostname = '127.0.0.1';
  real.port = String((server.address() as AddressInfo).port);
  return {
    url: real.toString(),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Replaces the one value of six digits in an answer whose column is called `version`. */
function withVersion(bytes: Buffer, said: string): Buffer {
  const text = bytes.toString('latin1');
  if (!text.includes('version\0')) return bytes;
  return Buffer.from(text.replace(/(?<=\0\0\0\x06)1\d{5}/, said), 'latin1');
}
