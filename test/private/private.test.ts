import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { Night, TINY } from '../e2e/support/night';
import { everyKind } from '../e2e/support/every-kind';
import { Stage } from '../e2e/support/stage';
import { Collector } from '../support/collector';
import { waitUntil } from '../support/wait-until';
import { canary, control, files, findings, histories, traces, type Place } from './sweep';
import { allSettled, ask, cli, expectHeard, hear, openGateway, telling, type Heard } from './told';

const CUSTOMERS = 40;
const WITHIN_MS = 150_000;

jest.setTimeout(480_000);

let stage: Stage;
let collector: Collector;
beforeAll(async () => {
  collector = await Collector.start();
  stage = await Stage.open('private', { env: telling(collector) });
});
afterAll(() => Promise.all([stage.close(), collector.stop()]));

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

const NOTE = { kind: 'note', payload: { text: canary('asked') } };

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
  const url = await openGateway(night);
  const places: Place[] = [];

  // Two customers want one unique value: the preload fails, says so, and goes on when the data expert has mended it.
  await night.play(WITHIN_MS, ({ wave }) => wave?.steps.find(({ id }) => id === 'preload')?.status === 'failed');
  const preload = (await night.view(1))?.steps.find(({ id }) => id === 'preload');
  expect(preload?.problem).toContain('unique value of another customer');
  await ask(url, 't5', [NOTE]);
  places.push(await cli(stage, 'status', 'private'));
  await stage.query(stage.urlOf('source'), `update tiny.customer set label = '${canary('t3')}' where id = 't3'`);
  await night.send(1, 'retryStep', { person: 'ada', step: 'preload' });

  await night.play(WITHIN_MS, ({ wave }) => wave?.frozen !== null && wave?.frozen !== undefined);
  await ask(url, 't5', [NOTE]);
  const view = await night.play(WITHIN_MS);
  expect(view?.outcome).toBe('rolled-back');
  await ask(url, 't5', [NOTE]);
  await allSettled(stage);

  const heard: Heard = { night, documents: TINY, collector, customer: 't5', urls: [`http://127.0.0.1:${port}`, url] };
  places.push(...(await hear(heard)));
  expect(findings(places)).toEqual([]);
  // The failure, the quarantine and the leftovers are in what was read.
  expectHeard(places, heard, [/a unique value of another customer/, /quarantine/, /leftovers/]);
});

test('the sweep finds a canary in a log, in a history, in the ledger and in a span', async () => {
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
  const span = {
    name: 'leak',
    status: {},
    events: [],
    attributes: [{ key: 'exception.message', value: canary('span') }],
  };
  await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans: [span] }] }] }),
  });
  expect(findings([traces(collector)])).toEqual([expect.stringMatching(/^traces: .*exception\.message/)]);
});
