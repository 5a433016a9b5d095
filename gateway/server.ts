import { serve, type ServerType } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { installControl } from '../systems/control/schema';
import { connect } from '../systems/postgres/connect';
import { gatewayApp } from './app';
import type { GatewayConfig } from './config';
import { RunbookReader } from './documents';
import { forwarder } from './forward';
import { retryLoop } from './retry-loop';

export interface RunningGateway {
  url: string;
  /** Stops accepting, waits for requests in work, closes the pools. */
  stop(): Promise<void>;
}

const RETRY_INTERVAL_MS = 200;
const CONNECTIONS = 16;

/** Starts the gateway of one cutover. `onError` gets what clients only see as a 503. */
export async function startGateway(config: GatewayConfig, onError: (error: unknown) => void): Promise<RunningGateway> {
  const pool = (url: string): ReturnType<typeof connect> =>
    connect(url, { applicationName: 'cutover-gateway', max: CONNECTIONS });
  const systems = { control: pool(config.controlUrl), source: pool(config.sourceUrl), target: pool(config.targetUrl) };
  await installControl(systems.control);
  const { cutover } = config;
  const runbook = new RunbookReader(systems.control, cutover);
  const sender = forwarder(systems, cutover, config.forwardTimeoutMs);
  const app = gatewayApp({ systems, cutover, runbook, forwarder: sender, onError });
  const graceMs = 2 * config.forwardTimeoutMs + 1_000;
  const loop = retryLoop(systems, cutover, { runbook, forwarder: sender, graceMs, onError });
  const { server, port } = await listen(app.fetch, config);
  loop.start(RETRY_INTERVAL_MS);
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      });
      await loop.stop();
      await Promise.all(Object.values(systems).map((each) => each.end()));
    },
  };
}

function listen(
  fetch: Parameters<typeof serve>[0]['fetch'],
  { host, port }: GatewayConfig,
): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address: AddressInfo) =>
      resolve({ server, port: address.port }),
    );
    server.once('error', reject);
  });
}
