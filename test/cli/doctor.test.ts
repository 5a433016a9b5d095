import type { Diagnosis } from '../../cli/doctor/finding';
import { runCli } from '../../cli/run-cli';
import { freePort } from '../../local/ports';
import { stockTemporal } from '../doors/support/stock-temporal';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { fakeCli, type HeardCli } from './support/fake-cli';

jest.setTimeout(240_000);

const READY = { ready: /"ready":true/ };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('doctor', { apart: true });
  await stage.freshDatabases(5);
});
afterEach(() => stage.stopChildren());
afterAll(() => stage.close());

/** What doctor finds about `what`, each as `verdict said → remedy`. */
async function found(what: string, env: Record<string, string> = {}, aheadMs = 0): Promise<string[]> {
  const own = { now: () => Date.now() + aheadMs };
  const cli: HeardCli = Object.assign(fakeCli({ ...stage.env, ...env }), own);
  await runCli(['doctor', '--output', 'json'], cli);
  const { findings } = JSON.parse(cli.stdout) as { findings: Diagnosis[] };
  return findings
    .filter((each) => each.what.startsWith(what))
    .map(({ verdict, said, remedy }) => `${verdict} ${said}${remedy === null ? '' : ` → ${remedy}`}`);
}

const one = (text: RegExp): string[] => [expect.stringMatching(text) as string];

test('it says that clocks are apart, and what goes by which', async () => {
  expect((await found('source')).filter((line) => line.includes('clock'))).toEqual([]);
  const behind = (await found('source', {}, 60_000)).filter((line) => line.includes('clock'));
  expect(behind).toEqual(one(/^warn its clock is \S.* behind this machine's: a freeze ends by that one.* → .*NTP/));
});

test('it says what a role may that is more than needed, as check --live does', async () => {
  expect(await found('target')).toEqual(expect.arrayContaining(one(/^warn the role is a superuser → /)));
});

test('it registers a search attribute that is missing, and says which', async () => {
  await found('search attributes');
  expect(await found('search attributes')).toEqual(['ok registered']);
  const remove = ['operator', 'search-attribute', 'remove', '--name', 'CutoverGate', '--yes'];
  expect(await stockTemporal(stage.env['TEMPORAL_ADDRESS'] ?? '', remove)).toMatchObject({ code: 0 });
  expect(await found('search attributes')).toEqual(['ok registered now: CutoverGate']);
});

test('it says that no build is current for workers with versions, and how to name one', async () => {
  const env = { CUTOVER_DEPLOYMENT_NAME: 'doctor-test', CUTOVER_BUILD_ID: 'one' };
  const worker = await stage.start('versioned', 'workers/main.js', { env, ...READY });
  await waitUntil(async () => (await found('builds')).length > 0);
  expect(await found('builds')).toEqual(
    one(
      /^bad no build of doctor-test is current: a new run would hang.* → temporal .*set-current-version.* --build-id one$/,
    ),
  );
  await worker.stop();
});

test('it says whether the gateway and the metrics can be reached, where the environment names them', async () => {
  expect([...(await found('gateway')), ...(await found('metrics'))]).toEqual([]);
  const port = await freePort();
  const env = { CUTOVER: 'nobody', PORT: String(await freePort()) };
  const at = { CUTOVER_GATEWAY_URL: `http://127.0.0.1:${env.PORT}`, CUTOVER_METRICS_PORT: String(port) };
  expect(await found('gateway', at)).toEqual(
    one(/^bad does not answer: requests are neither taken nor held.* → start it/),
  );
  expect(await found('metrics', at)).toEqual(one(/^warn http:.*does not answer: dashboards and alerts are blind/));
  await stage.start('gateway', 'gateway/main.js', { env, ...READY });
  await stage.start('worker', 'workers/main.js', { env: { CUTOVER_METRICS_PORT: String(port) }, ...READY });
  expect(await found('gateway', at)).toEqual(one(/^warn answers, but does not serve yet: .*not registered/));
  expect(await found('metrics', at)).toEqual(one(/^ok served at http/));
});

test('it names a database that was stopped, and what that stops', async () => {
  stage.killDatabase('target');
  await waitUntil(async () => (await found('target')).some((line) => line.includes('does not answer')));
  expect(await found('target')).toEqual(
    one(/^bad does not answer: .+; each step that needs it stands still and is tried again → start the database/),
  );
  expect((await found('source'))[0]).toMatch(/^ok PostgreSQL/);
  await stage.restartDatabase('target');
  expect((await found('target'))[0]).toMatch(/^ok PostgreSQL/);
});
