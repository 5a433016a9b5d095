import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDir } from '../../local/paths';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { Collector, type ReceivedSpan } from '../support/collector';

jest.setTimeout(240_000);

const NAME = 'Zephyrine Quill';
const TINY = join('test', 'runbooks', 'tiny');
const WORKER = 'workers/main.js';

let stage: Stage;
let collector: Collector;
beforeAll(async () => {
  [stage, collector] = await Promise.all([Stage.open('traces'), Collector.start()]);
});
beforeEach(async () => {
  collector.spans.length = 0;
  await stage.freshDatabases(20);
  await stage.query(stage.urlOf('source'), `update tiny.customer set label = '${NAME}'`);
});
afterEach(() => stage.stopChildren());
afterAll(() => Promise.all([stage.close(), collector.stop()]));

const command = (env: Record<string, string>, ...argv: string[]) =>
  promisify(execFile)(process.execPath, [join(projectDir(), 'dist', 'cli', 'main.js'), ...argv], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...stage.env, ...env },
    cwd: projectDir(),
  });

const startNight = (env: Record<string, string>, id: string) =>
  command(env, 'start', join(TINY, 'runbook.yaml'), '--plan', join(TINY, 'plan.yaml'), '--as', 'ada', '--id', id);

test('one trace goes from the command through the runs to their calls, and holds no value of a row', async () => {
  // Spans that are not taken in time are lost, and a busy machine takes long.
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_TIMEOUT: '30000' };
  await stage.start('traced', WORKER, { env, ready: /"ready":true/ });
  const id = `traced-${Date.now().toString(36)}`;
  await startNight(env, id);
  expect((await new Night(stage, id).play(90_000))?.outcome).toBe('live');
  await waitUntil(() => collector.named('RunWorkflow:cutover').length > 0, 60_000);
  const [started] = collector.named('cutover start');
  const only = (name: string): ReceivedSpan => {
    const found = collector.named(name).filter(({ traceId }) => traceId === started?.traceId);
    expect([name, found.length]).toEqual([name, 1]);
    return found[0] as ReceivedSpan;
  };
  expect(started).toMatchObject({ service: 'cutover' });
  const asked = only('StartWorkflow:cutover');
  expect(asked).toMatchObject({ service: 'cutover', parentSpanId: started?.spanId });
  const run = only('RunWorkflow:cutover');
  expect(run).toMatchObject({ service: 'cutover-worker', parentSpanId: asked.spanId, status: { code: 1 } });
  expect(only('RunActivity:openCutover')).toMatchObject({ service: 'cutover-worker', parentSpanId: run.spanId });
  const wave = only('RunWorkflow:wave');
  expect(wave.parentSpanId).toBe(run.spanId);
  expect(only('RunActivity:freeze').parentSpanId).toBe(wave.spanId);
  expect(JSON.stringify(collector.spans)).not.toContain(NAME);
});

test('a run that was begun with traces goes on at a worker that makes none, and one without at one that does', async () => {
  const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  for (const [before, after] of [
    [traces, {}],
    [{}, traces],
  ]) {
    const first = await stage.start('first', WORKER, { env: before ?? {}, ready: /"ready":true/ });
    const id = `turned-${Date.now().toString(36)}`;
    await startNight(before ?? {}, id);
    const night = new Night(stage, id);
    await night.play(90_000, ({ wave }) => wave?.gates.some(({ status }) => status === 'open') ?? false);
    await first.stop();
    const second = await stage.start('second', WORKER, { env: after ?? {}, ready: /"ready":true/ });
    const view = await night.play(120_000);
    expect(view?.outcome).toBe('live');
    await second.stop();
    await stage.freshDatabases(20);
  }
  expect(readFileSync(join(stage.dir, 'logs', 'second.log'), 'utf8')).not.toMatch(/nondeterminism|unregistered/i);
});

test('a collector that is not there stops neither the command nor the worker', async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  await stage.start('unheard', WORKER, { env, ready: /"ready":true/ });
  const { stdout } = await command(env, 'list');
  expect(stdout).not.toBe('');
});
