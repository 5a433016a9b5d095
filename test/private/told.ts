import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import type { Night, NightDocuments } from '../e2e/support/night';
import type { Stage } from '../e2e/support/stage';
import type { Collector } from '../support/collector';
import { waitUntil } from '../support/wait-until';
import { canary, control, files, histories, traces, type Place } from './sweep';

/** In which processes end by themselves, and send their last spans. */
const FLUSH_MS = 30_000;

/** For the environment of a stage: lines at level trace, and spans. */
export const telling = (collector: Collector): Record<string, string> => ({
  CUTOVER_LOG_LEVEL: 'trace',
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
});

/** Output and errors of a command, as on a terminal. Refusals and findings are told like anything else; a wrong use is a mistake here. */
export function cli(stage: Stage, ...args: string[]): Promise<Place> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(projectDir(), 'dist', 'cli', 'main.js'), ...args],
      { env: { ...process.env, ...stage.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const where = `cutover ${args.join(' ')}`;
        if (error && (error.code === 2 || typeof error.code !== 'number')) reject(new Error(`${where}: ${stderr}`));
        else resolve({ where, text: stdout + stderr });
      },
    );
  });
}

/** Starts the gateway of a night; resolves to its URL. */
export async function openGateway(night: Night): Promise<string> {
  const options = { env: { CUTOVER: night.id }, ready: /"ready"/ };
  const { readyLine } = await night.stage.start('gateway', 'gateway/main.js', options);
  return (JSON.parse(readyLine) as { url: string }).url;
}

interface Asked {
  kind: string;
  payload: object;
}

async function post(url: string, body: string): Promise<number> {
  return (await fetch(`${url}/requests`, { method: 'POST', body })).status;
}

let requests = 0;

/**
 * Requests of a customer that are taken or held (`taken`), that the system they are for turns down (`turnedDown`) or the gateway does, and
 * some that are none.
 */
export async function ask(url: string, customer: string, taken: Asked[], turnedDown: Asked[] = []): Promise<void> {
  const request = (more: object): string =>
    JSON.stringify({ idempotencyKey: `r-${(requests += 1)}`, customer, ...taken[0], ...more });
  for (const each of taken) expect([200, 202]).toContain(await post(url, request(each)));
  for (const more of [
    { customer: canary('who') },
    { kind: canary('kind') },
    { payload: canary('text') },
    ...turnedDown,
  ])
    await post(url, request(more));
  await post(url, `{"idempotencyKey": "${canary('broken')}`);
  await fetch(`${url}/customers/${encodeURIComponent(canary('path'))}`);
}

/** Waits until no request is held or under way. */
export const allSettled = (stage: Stage): Promise<void> =>
  waitUntil(async () => {
    const [left] = await stage.query<{ n: number }>(
      stage.urlOf('control'),
      "select count(*)::int as n from control.request where state in ('held', 'forwarding')",
    );
    return left?.n === 0;
  }, 300_000);

export interface Heard {
  night: Night;
  documents: NightDocuments;
  collector: Collector;
  /** A customer of the night. */
  customer: string;
  /** What serves metrics. */
  urls: string[];
}

/**
 * All that is told of a night that is over, by commands, metrics, runs, control, report, logs and traces. Stops the processes of its
 * stage: their last lines and spans count too.
 */
export async function hear({ night, documents, collector, customer, urls }: Heard): Promise<Place[]> {
  const { stage, id } = night;
  const out = join(stage.dir, 'out');
  const file = (name: string): string => join(documents.folder, `${name}.yaml`);
  const places: Place[] = [];
  for (const args of [
    ['status', id],
    ['status', id, '--output', 'json'],
    ['list'],
    ['lookup', id, customer],
    ['doctor'],
    ['durations', id],
    ['check', file('runbook'), '--plan', file('plan'), '--live'],
    ['inspect'],
    ['inspect', '--output', 'json', '--out', join(out, 'draft')],
    ['report', id, '--out', out],
    ['vote', id, 'final', 'go', '--as', 'ben'],
  ])
    places.push(await cli(stage, ...args));
  for (const url of urls) places.push({ where: url, text: await (await fetch(`${url}/metrics`)).text() });
  places.push(...(await histories(stage)), ...(await control(stage)), ...files(out));
  await stage.stopChildren(FLUSH_MS);
  return [...places, ...files(join(stage.dir, 'logs')), traces(collector)];
}

/** That it looked everywhere: nothing is found in what nobody said. */
export function expectHeard(places: readonly Place[], { documents, night, collector }: Heard, words: RegExp[]): void {
  const read = places.map(({ text }) => text).join('\n');
  for (const said of words) expect(read).toMatch(said);
  const wave = `${documents.runbook}/${night.id}/wave-1`;
  const named = places.filter(({ text }) => text !== '').map(({ where }) => where);
  expect(named).toEqual(
    expect.arrayContaining([
      `history of cutover/${wave}`,
      `history of cutover/${wave.replace(/wave-1$/, 'rollback-wave-1')}`,
      `attributes of cutover/${wave}`,
      'control.ledger',
      'traces',
      expect.stringMatching(/report\.json$/),
      expect.stringMatching(/report\.html$/),
      expect.stringMatching(/draft\/conversion\.yaml$/),
      expect.stringMatching(/gateway\.log$/),
    ]),
  );
  // A call after the last worker was killed: what one had not sent yet dies with it.
  expect(collector.named('RunActivity:switchWave')).not.toEqual([]);
  expect(collector.spans.some(({ status, events }) => status.code === 2 && events.length > 0)).toBe(true);
  expect(read).toMatch(/"level":(10|20),/);
}
