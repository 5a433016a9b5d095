import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { TemporalSettings } from './temporal-settings';

/** What is wrong with the way to a server, and what to do about it. */
export interface Unreachable {
  said: string;
  remedy: string;
}

const PROBE_MS = 3_000;
/** A TLS 1.3 server refuses a client's certificate only after the handshake: it is given this long to say so. */
const AFTERWARDS_MS = 500;
const START =
  'start one (`temporal server start-dev`, or the local stack), or set TEMPORAL_ADDRESS or TEMPORAL_PROFILE';

/**
 * Why no connection came about. gRPC says only that time ran out, so the way is gone once more by hand: TCP, then TLS with
 * the same certificates. `error` is what the connection said.
 */
export async function whyUnreachable(settings: TemporalSettings, error: unknown): Promise<Unreachable> {
  const { address, tls } = settings;
  if (/unauthenticated|unauthorized|permission.?denied|\b(16|7) [A-Z_]+:/i.test(wholeMessage(error)))
    return {
      said: `the Temporal server at ${address} does not let this client in: it asks for other credentials`,
      remedy: settings.connection.apiKey
        ? 'TEMPORAL_API_KEY, or api_key of the profile, is not the key it knows'
        : 'set TEMPORAL_API_KEY, or api_key in the profile; or the client certificate: TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
    };
  const [host, port] = split(address);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return { said: `no Temporal server answers at ${address} (it is no host:port)`, remedy: START };
  const refused = await probe(() => connectTcp({ host, port }), 'connect', 0);
  if (refused !== null) return { said: `no Temporal server answers at ${address} (${refused})`, remedy: START };
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === null || tls === true ? {} : tls;
  const name = serverNameOverride ?? (isIP(host) ? undefined : host);
  const options: ConnectionOptions = {
    host,
    port,
    ALPNProtocols: ['h2'],
    ...(name === undefined ? {} : { servername: name }),
    ...(serverRootCACertificate ? { ca: Buffer.from(serverRootCACertificate) } : {}),
    ...(clientCertPair ? { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) } : {}),
  };
  if (tls === null) {
    const speaksTls =
      (await probe(() => connectTls({ ...options, rejectUnauthorized: false }), 'secureConnect', 0)) === null;
    if (!speaksTls) return { said: `what answers at ${address} is no Temporal server`, remedy: START };
    return {
      said: `the server at ${address} speaks TLS only, and this client does not`,
      remedy:
        'set TEMPORAL_TLS=true, and TEMPORAL_TLS_SERVER_CA_CERT_PATH when its certificate is of your own authority',
    };
  }
  const code = (await probe(() => connectTls(options), 'secureConnect', AFTERWARDS_MS)) ?? 'it closed the connection';
  return { said: `no TLS connection to ${address} (${code})`, remedy: remedyOf(code, clientCertPair !== undefined) };
}

function remedyOf(code: string, certified: boolean): string {
  if (/ALTNAME/.test(code))
    return 'its certificate is for another name: connect by that name, or set TEMPORAL_TLS_SERVER_NAME to it';
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return 'its certificate is out of date: have it renewed, or mend the clock';
  if (/SELF_SIGNED|UNABLE_TO|ISSUER|UNTRUSTED/.test(code))
    return 'its certificate is not of an authority this client trusts: set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of the authority that signed it';
  if (/WRONG_VERSION|PACKET_LENGTH|EPROTO/.test(code) && !/ALERT/.test(code))
    return 'it does not speak TLS: unset TEMPORAL_TLS and TEMPORAL_API_KEY, or set TEMPORAL_TLS=false';
  return certified
    ? 'it does not accept this client certificate: have one issued by the authority the server trusts'
    : 'it may want a client certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';
}

/** Null: the socket came as far as `event` and stayed open for so long; otherwise the code of what went wrong. */
function probe(
  open: () => ReturnType<typeof connectTcp>,
  event: 'connect' | 'secureConnect',
  staysMs: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = open();
    const end = (result: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end('it does not answer'), PROBE_MS);
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.once('close', () => end('it closed the connection'));
    socket.once(event, () => (staysMs === 0 ? end(null) : setTimeout(() => end(null), staysMs)));
  });
}

/** `host:port`, with `[::1]:7233` among them. */
function split(address: string): [host: string, port: number] {
  const at = address.lastIndexOf(':');
  return [address.slice(0, at).replace(/^\[|\]$/g, ''), Number(address.slice(at + 1))];
}

function wholeMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.cause === undefined ? '' : wholeMessage(error.cause)}`;
}
