import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../local/ports';
import { waitUntil } from '../../support/wait-until';

/** Debian's package. */
const SERVER = '/usr/bin/prometheus';

export const prometheusInstalled = (): boolean => existsSync(SERVER);

export interface Rule {
  name: string;
  health: string;
  state: string;
  lastError?: string;
}

export interface Prometheus {
  /** The series that a query answers now. Throws what the server says of a query it does not understand. */
  query(expr: string): Promise<unknown[]>;
  labelValues(label: string): Promise<string[]>;
  rules(): Promise<Rule[]>;
  stop(): Promise<void>;
}

/** Starts a server on loopback that reads `urls` and evaluates the rules of a file every second, with its data in a temporary folder. */
export async function startPrometheus(urls: readonly string[], rules: string): Promise<Prometheus> {
  const dir = mkdtempSync(join(tmpdir(), 'cutover-prometheus-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const config = {
    global: { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'cutover', static_configs: [{ targets: urls.map((each) => new URL(each).host) }] }],
  };
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  const server = spawn(
    SERVER,
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  server.stderr.on('data', (piece) => (said += String(piece)));
  const ended = once(server, 'exit');
  ended.catch(() => undefined); // one that cannot be started is told below
  const isAlive = (): boolean => server.pid !== undefined && server.exitCode === null && server.signalCode === null;
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string };
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const prometheus: Prometheus = {
    query: async (expr) => (await ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(expr)}`)).result,
    labelValues: (label) => ask(`label/${label}/values`),
    rules: async () => (await ask<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(({ rules: each }) => each),
    async stop() {
      if (isAlive()) {
        server.kill();
        await ended;
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
  const isReady = async (): Promise<boolean> => {
    if (!isAlive()) throw new Error('it has ended');
    return fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await waitUntil(isReady, 30_000).catch(async (cause: unknown) => {
    await prometheus.stop();
    throw new Error(`Prometheus did not start:\n${said.slice(-2_000)}`, { cause });
  });
  return prometheus;
}
