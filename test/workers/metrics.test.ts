import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectDir } from '../../local/paths';
import { freePort } from '../../local/ports';
import { accept } from '../../systems/control/requests';
import { connect } from '../../systems/postgres/connect';
import { heldFile } from '../e2e/support/break-files';
import { Night } from '../e2e/support/night';
import type { Script } from '../e2e/support/people';
import { Stage } from '../e2e/support/stage';
import { isPending, waitUntil } from '../support/wait-until';
import { prometheusInstalled, startPrometheus, type Rule } from './support/prometheus';
import { scrape, valueOf, type Sample } from './support/scrape';

jest.setTimeout(240_000);

const DOCS = join(projectDir(), 'docs');
const RULES = join(DOCS, 'grafana', 'alerts.yaml');
const METRIC = /\b(?:cutover|temporal)_[a-z_]+[a-z]\b/g;
const CUSTOMERS = 40;
const ROWS = CUSTOMERS * 4; // three notes each

let stage: Stage;
let night: Night;
let url: string;
let gatewayUrl: string;
const script: Script = { leave: ['go-night', 'final'] };

beforeAll(async () => {
  stage = await Stage.open('metrics');
  await stage.freshDatabases(CUSTOMERS);
  const port = await freePort();
  url = `http://127.0.0.1:${port}/metrics`;
  writeFileSync(heldFile(stage.dir, 'follow'), '');
  await stage.start('worker', 'test/e2e/support/breaking-worker.js', {
    env: { CUTOVER_METRICS_PORT: String(port), BREAK_DIR: stage.dir },
    ready: /"ready":true/,
  });
  night = new Night(stage, `metrics-${Date.now().toString(36)}`, script);
  await night.start((runbook) => runbook.setIn(['limits', 'lease'], 'PT1M')); // it is frozen for as long as is looked
});
afterAll(() => stage.close());

/** Waits until the worker shows it; the scrape it was seen in. */
async function shown(holds: (value: (name: string, labels?: Record<string, string>) => number | undefined) => boolean) {
  let samples: Sample[] = [];
  await waitUntil(async () => {
    samples = await scrape(url);
    return holds((name, labels = {}) => valueOf(samples, name, { cutover: night.id, wave: '1', ...labels }));
  }, 60_000);
  return samples;
}

const openGate =
  (id: string) =>
  ({ wave }: { wave: Awaited<ReturnType<Night['view']>> }) =>
    wave?.gates.some((gate) => gate.id === id && gate.status === 'open') ?? false;

test('before the night: the phase, the open gate, the rows copied, and what the target does not have yet', async () => {
  await night.play(90_000, openGate('go-night'));
  await stage.query(
    stage.urlOf('source'),
    `insert into tiny.note (customer, body) select 't1', 'n' from generate_series(1, 7)`,
  );
  const samples = await shown(
    (value) => value('cutover_lag_rows') === 7 && value('cutover_phase', { phase: 'copy' }) === 1,
  );
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    valueOf(samples, name, { cutover: night.id, wave: '1', ...labels });
  expect(value('cutover_open_gates')).toBe(1);
  expect(value('cutover_rows_moved_total', { how: 'preload' })).toBe(ROWS);
  expect(value('cutover_frozen_seconds')).toBe(0);
  expect(value('cutover_held_requests')).toBe(0);
  expect(value('cutover_status', { status: 'waiting-for-person' })).toBe(1);
  expect(valueOf(samples, 'cutover_open_gates', { cutover: night.id, wave: '' })).toBe(0);
  expect(samples.some(({ name }) => name === 'temporal_workflow_task_execution_latency_count')).toBe(true);
  expect(samples.filter(({ name, labels }) => name.startsWith('cutover_') && 'customer' in labels)).toEqual([]);
});

test('while frozen: for how long, what is held, and no lag; the phase that was left is 0', async () => {
  rmSync(heldFile(stage.dir, 'follow'));
  script.leave = ['final'];
  await night.play(90_000, openGate('final'));
  const control = connect(stage.urlOf('control'), { applicationName: 'cutover test', max: 1 });
  const request = { cutover: night.id, key: 'k1', customer: 't1', kind: 'note', body: '{"payload":{"text":"later"}}' };
  expect((await accept(control, request)).outcome).toBe('held');
  await control.end();
  const samples = await shown(
    (value) => value('cutover_held_requests') === 1 && value('cutover_phase', { phase: 'night' }) === 1,
  );
  const value = (name: string, labels: Record<string, string> = {}): number =>
    valueOf(samples, name, { cutover: night.id, wave: '1', ...labels }) ?? NaN;
  expect(value('cutover_phase', { phase: 'copy' })).toBe(0);
  expect(value('cutover_frozen_seconds')).toBeGreaterThan(0);
  expect(value('cutover_lag_rows')).toBe(0);
  expect(value('cutover_rows_moved_total', { how: 'delta' })).toBeGreaterThanOrEqual(7);
  const [readAt] = samples.filter(({ name }) => name === 'cutover_metrics_read_timestamp_seconds');
  expect(Math.abs((readAt?.value ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
});

/** What the panels of the dashboard ask. */
function dashboardQueries(): string[] {
  const { panels } = JSON.parse(readFileSync(join(DOCS, 'grafana', 'cutover.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

test('the dashboard, the rules and the page name what is exported', async () => {
  const gateway = await stage.start('gateway', 'gateway/main.js', {
    env: { CUTOVER: night.id },
    ready: /"ready":true/,
  });
  gatewayUrl = (JSON.parse(gateway.readyLine) as { url: string }).url;
  await stage.temporal.client.workflow.start('cutover', {
    workflowId: `cutover/tiny/${night.id}-broken`,
    taskQueue: 'cutover',
    args: [{ runbook: '0'.repeat(64), plan: '0'.repeat(64), startedBy: 'ada' }],
  });
  const failed = (samples: Sample[]): boolean =>
    samples.some(({ name }) => name === 'temporal_activity_execution_failed');
  await waitUntil(async () => failed(await scrape(url)));
  const exported = new Set(
    [...(await scrape(url)), ...(await scrape(`${gatewayUrl}/metrics`))].map(({ name }) => name),
  );
  const rules = parse(readFileSync(RULES, 'utf8')) as { groups: { rules: { expr: string }[] }[] };
  const asked = [
    ...dashboardQueries(),
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
  ].flatMap((expr) => [...new Set(expr.match(METRIC) ?? [])]);
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter((name) => !exported.has(name))).toEqual([]);
  const page = readFileSync(join(DOCS, 'observability.md'), 'utf8');
  const table = [...page.matchAll(/^\| `(cutover_\w+)` /gm)].map(([, name]) => name);
  expect([...table].sort()).toEqual([...exported].filter((name) => name.startsWith('cutover_')).sort());
});

if (!prometheusInstalled())
  process.stdout.write(
    'Skipped: rules and dashboard in a real Prometheus. Debian’s package prometheus is not installed.\n',
  );
(prometheusInstalled() ? test : test.skip)(
  'a real Prometheus evaluates each rule and answers each panel of the dashboard',
  async () => {
    const prometheus = await startPrometheus([url, gatewayUrl], RULES);
    try {
      const ofNight = (expr: string): string => expr.replaceAll('$cutover', night.id);
      const unanswered = async (): Promise<string[]> => {
        const queries = dashboardQueries();
        const answers = await Promise.all(queries.map((expr) => prometheus.query(ofNight(expr))));
        return queries.filter((_, at) => answers[at]?.length === 0);
      };
      let silent: string[] = [];
      await waitUntil(async () => (silent = await unanswered()).length === 0, 60_000).catch((error: unknown) => {
        if (!isPending(error)) throw error;
      });
      expect(silent).toEqual([]);
      expect(await prometheus.labelValues('cutover')).toContain(night.id);
      // The gate that the night leaves open; nothing else is wrong.
      const expected = ['CutoverGateWaits'];
      let rules: Rule[] = [];
      const raised = (): string[] => rules.filter(({ state }) => state !== 'inactive').map(({ name }) => name);
      await waitUntil(async () => {
        rules = await prometheus.rules();
        return rules.every(({ health }) => health !== 'unknown') && raised().join() === expected.join();
      }, 60_000).catch((error: unknown) => {
        if (!isPending(error)) throw error;
      });
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
      expect(raised()).toEqual(expected);
    } finally {
      await prometheus.stop();
    }
  },
);

test('when it is over nothing of it is left but zeros and what was counted', async () => {
  script.leave = [];
  const view = await night.play(90_000);
  expect(view?.outcome).toBe('live');
  let own: Sample[] = [];
  const left = (): Sample[] => own.filter(({ name, value }) => value !== 0 && name !== 'cutover_rows_moved_total');
  await waitUntil(async () => {
    own = (await scrape(url)).filter(
      ({ name, labels }) => name.startsWith('cutover_') && labels['cutover'] === night.id,
    );
    return own.length > 0 && left().length === 0;
  }, 60_000).catch((error: unknown) => {
    if (!isPending(error)) throw error; // what is left says more than that the time is over
  });
  expect(own.map(({ name }) => name)).toContain('cutover_held_requests');
  expect(left()).toEqual([]);
});
