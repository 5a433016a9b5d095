/** A TLS terminator in front of a Temporal server, as a load balancer or Temporal Cloud is one. */
import { once } from 'node:events';
import { connect, createSecureServer, type Http2SecureServer, type IncomingHttpHeaders } from 'node:http2';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  key: string;
  cert: string;
}

/** An authority of this name, good for signing. */
export async function authority(name: string): Promise<Certificate> {
  const extensions = [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ] as const;
  const made = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    extensions: [...extensions],
  });
  return { key: made.private, cert: made.cert };
}

/** A certificate for `localhost` (a server's or a client's), signed by `ca`. */
export async function signedBy(ca: Certificate, name: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

export interface FrontOptions {
  /** Where the plain server listens, host:port. */
  to: string;
  server: Certificate;
  /** Demands client certificates of this authority. */
  clientCa?: string;
  /** Demands this API key. */
  apiKey?: string;
}

export interface Front {
  /** host:port; the name is the one in the certificate. */
  address: string;
  /** Calls that came through so far. */
  calls(): number;
  close(): Promise<void>;
}

const UNAUTHENTICATED = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' };
const END_STREAM = 1;

/** HTTP/2 over TLS on this side, HTTP/2 in the clear on the other. */
export async function tlsFront({ to, server, clientCa, apiKey }: FrontOptions): Promise<Front> {
  const behind = connect(`http://${to}`);
  behind.on('error', () => undefined);
  let calls = 0;
  const front = createSecureServer({
    ...server,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  const sessions = new Set<{ destroy(): void }>();
  front.on('session', (session) => void sessions.add(session));
  front.on('sessionError', () => undefined);
  front.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) {
      stream.respond({ ...UNAUTHENTICATED, 'grpc-message': 'Request unauthorized.' }, { endStream: true });
      return;
    }
    calls += 1;
    const onward = behind.request(headers);
    let trailers: IncomingHttpHeaders = {};
    onward.on('error', () => stream.destroyed || stream.close());
    onward.on('response', (answer, flags) => {
      if (stream.destroyed) return;
      if ((flags & END_STREAM) !== 0) return stream.respond(answer, { endStream: true });
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      onward.pipe(stream);
    });
    onward.on('trailers', (last) => (trailers = last));
    stream.on('close', () => onward.destroyed || onward.close());
    stream.pipe(onward);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    address: `localhost:${(front.address() as AddressInfo).port}`,
    calls: () => calls,
    close: () => closeAll(front, sessions, () => behind.destroy()),
  };
}

async function closeAll(front: Http2SecureServer, sessions: Set<{ destroy(): void }>, last: () => void): Promise<void> {
  const closed = once(front, 'close');
  front.close();
  for (const session of sessions) session.destroy();
  last();
  await closed;
}

/** Writes the texts into files of a new folder; name → path. */
export function files<N extends string>(texts: Record<N, string>): Record<N, string> {
  const dir = mkdtempSync(join(tmpdir(), 'cutover-tls-'));
  const entries = Object.entries<string>(texts).map(([name, text]) => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return [name, join(dir, name)];
  });
  return Object.fromEntries(entries) as Record<N, string>;
}
