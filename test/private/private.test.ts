import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { projectDir } from '../../local/paths';
import { Night } from '../e2e/support/night';
import { everyKind } from '../e2e/support/every-kind';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { canary, control, files, findings, histories, type Place } from './sweep';

const CUSTOMERS = 40;
const WITHIN_MS = 150_000;

jest.setTimeout(480_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('private');
});
afterAll(() => stage.close());

/**
 * Canaries in every text column of both systems: in rows that move, in one that cannot be mapped, in open work that is left over, and
 * in two rows that want one unique value of the target.
 */
async function plant(): Promise<void> {
  await stage.query(
    stage.urlOf('source'),
    `update tiny.customer set label = '${canary('')}' || id;
     update tiny.customer set label = '${canary('t2')}' where id = 't3';
     update tiny.customer set vip = '${canary('vip')}' where id = 't1';
     update tiny.note set body = '${canary('')}' || id;
     update tiny.note set body = 'urgent ${canary('')}', done = false where customer = 't4'`,
  );
  await stage.query(stage.urlOf('target'), 'create unique index on shop.client (title)');
}

interface Answer {
  status: number;
  text: string;
}

async function post(url: string, body: string): Promise<Answer> {
  const answer = await fetch(`${url}/requests`, { method: 'POST', body });
  return { status: answer.status, text: await answer.text() };
}

const request = (n: number, customer: string, more: object = {}): string =>
  JSON.stringify({ idempotencyKey: `r-${n}`, customer, kind: 'note', payload: { text: canary(n) }, ...more });

/** Requests that are taken, held or refused, by the gateway or by the system they are for, and some that are none. */
async function ask(url: string, round: number): Promise<void> {
  const taken = await post(url, request(round * 10, 't5'));
  expect([200, 202]).toContain(taken.status);
  await post(url, request(round * 10 + 1, canary('customer')));
  await post(url, request(round * 10 + 2, 't5', { kind: canary('kind') }));
  await post(url, request(round * 10 + 3, 't5', { payload: canary('payload') }));
  await post(url, `{"idempotencyKey": "${canary('broken')}`);
  await fetch(`${url}/customers/${encodeURIComponent(canary('path'))}`);
}

/** Output and errors of a command, as on a terminal. */
function cli(...args: string[]): Promise<Place> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(projectDir(), 'dist', 'cli', 'main.js'), ...args],
      { env: { ...process.env, ...stage.env }, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ where: `cutover ${args.join(' ')}`, text: stdout + stderr }),
    );
  });
}

const metrics = async (url: string): Promise<Place> => ({
  where: url,
  text: await (await fetch(`${url}/metrics`)).text(),
});

test('names, addresses and numbers of customers stay in the systems: through a failure, requests, a quarantine and a rollback', async () => {
  await stage.freshDatabases(CUSTOMERS);
  await plant();
  const breakDir = join(stage.dir, 'break');
  mkdirSync(breakDir, { recursive: true });
  await stage.startWorkers({ BREAK_AT: 'convert:during', BREAK_DIR: breakDir });
  const port = await freePort();
  await stage.start('worker-metrics', 'workers/main.js', {
    env: { CUTOVER_METRICS_PORT: String(port) },
    ready: /"ready":true/,
  });
  const night = new Night(stage, 'private', { rollbackAt: 'hypercare', leave: ['preload'] });
  await night.start((runbook) => {
    everyKind(runbook);
    runbook.setIn(['after', 0, 'steps', 0, 'atLeast'], 'PT10M');
  });
  const gateway = await stage.start('gateway', 'gateway/main.js', { env: { CUTOVER: 'private' }, ready: /"ready"/ });
  const { url } = JSON.parse(gateway.readyLine) as { url: string };
  const places: Place[] = [];

  // Two customers want one unique value: the preload fails, says so, and goes on when the data expert has mended it.
  await night.play(WITHIN_MS, ({ wave }) => wave?.steps.find(({ id }) => id === 'preload')?.status === 'failed');
  const preload = (await night.view(1))?.steps.find(({ id }) => id === 'preload');
  expect(preload?.problem).toContain('unique value of another customer');
  await ask(url, 1);
  places.push(await cli('status', 'private'));
  await stage.query(stage.urlOf('source'), `update tiny.customer set label = '${canary('t3')}' where id = 't3'`);
  await night.send(1, 'retryStep', { person: 'ada', step: 'preload' });

  await night.play(WITHIN_MS, ({ wave }) => wave?.frozen !== null && wave?.frozen !== undefined);
  await ask(url, 2);
  const view = await night.play(WITHIN_MS);
  expect(view?.outcome).toBe('rolled-back');
  await ask(url, 3);
  await waitUntil(async () => {
    const [left] = await stage.query<{ n: number }>(
      stage.urlOf('control'),
      "select count(*)::int as n from control.request where state in ('held', 'forwarding')",
    );
    return left?.n === 0;
  }, WITHIN_MS);

  const out = join(stage.dir, 'out');
  for (const args of [
    ['status', 'private'],
    ['status', 'private', '--output', 'json'],
    ['list'],
    ['lookup', 'private', 't5'],
    ['doctor'],
    ['report', 'private', '--out', out],
    ['vote', 'private', 'final', 'go', '--as', 'ben'],
  ])
    places.push(await cli(...args));
  places.push(await metrics(`http://127.0.0.1:${port}`), await metrics(url));
  places.push(...(await histories(stage)), ...(await control(stage)), ...files(out), ...files(join(stage.dir, 'logs')));

  expect(findings(places)).toEqual([]);
  // It looked everywhere: the failure, the quarantine and the leftovers are in what was read.
  const read = places.map(({ text }) => text).join('\n');
  expect(read).toContain('a unique value of another customer');
  expect(read).toMatch(/quarantine/);
  expect(read).toMatch(/leftovers/);
  expect(places.some(({ where }) => where.endsWith('report.json'))).toBe(true);
  expect(places.filter(({ where }) => where.startsWith('history of')).length).toBeGreaterThanOrEqual(4);
});

test('the sweep finds a canary in a log, in a history and in the ledger', async () => {
  appendFileSync(join(stage.dir, 'logs', 'leak.log'), JSON.stringify({ msg: canary('log') }));
  expect(findings(files(join(stage.dir, 'logs')))).toHaveLength(1);
  await stage.temporal.client.workflow.start('nobody', {
    workflowId: 'leak',
    taskQueue: 'nobody',
    args: [{ name: canary('history') }],
  });
  await waitUntil(async () => findings(await histories(stage)).length === 1);
  await stage.query(
    stage.urlOf('control'),
    `insert into control.ledger (cutover, n, at, actor, action, subject, detail, hash)
     values ('leak', 1, 1, 'system', 'leak', 'run', '{"note": "${canary('ledger')}"}', '')`,
  );
  expect(findings(await control(stage))).toEqual([expect.stringContaining('control.ledger')]);
});
