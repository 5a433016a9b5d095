import { waveWorkflowId } from '../../workflows/names';
import { loadConfig } from '../../workers/config';
import { stockTemporal, type Said } from '../doors/support/stock-temporal';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';

jest.setTimeout(300_000);

const DEPLOYMENT = 'cutover-test';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('versioning');
  await stage.freshDatabases(50);
});
afterAll(() => stage.close());

async function startBuild(build: string): Promise<void> {
  const env = { CUTOVER_DEPLOYMENT_NAME: DEPLOYMENT, CUTOVER_BUILD_ID: build, BREAK_DIR: stage.dir };
  const entry = 'test/e2e/support/breaking-worker.js';
  await stage.start(`worker-${build}`, entry, { env, ready: /"ready":true/ });
  const args = ['worker', 'deployment', 'set-current-version', '--deployment-name', DEPLOYMENT, '--build-id', build];
  let said: Said = { code: -1, text: '' };
  // The server must have heard of the build's pollers first.
  await waitUntil(async () => {
    said = await stockTemporal(stage.env['TEMPORAL_ADDRESS'] ?? '', [...args, '--yes']);
    return said.code === 0;
  }, 60_000).catch((error: unknown) => {
    throw new Error(`${build} does not become current: ${said.text}`, { cause: error });
  });
}

/** The builds that did workflow tasks of a run. */
async function buildsOf(workflowId: string): Promise<string[]> {
  const { events } = await stage.temporal.client.workflow.getHandle(workflowId).fetchHistory();
  const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: done }) =>
    done ? [done.deploymentVersion?.buildId ?? 'unversioned'] : [],
  );
  return [...new Set(builds)];
}

test('a run that began on one build ends on it while another is current, and new runs go to that one', async () => {
  await startBuild('one');
  const early = new Night(stage, `early-${Date.now().toString(36)}`, { leave: ['go-night'] });
  await early.start();
  await early.play(90_000, ({ wave }) => wave?.gates.some(({ status }) => status === 'open') === true);
  await startBuild('two');
  expect((await new Night(stage, early.id).play(120_000))?.outcome).toBe('live');
  expect(await buildsOf(early.workflowId)).toEqual(['one']);
  expect(await buildsOf(waveWorkflowId(early.workflowId, 1))).toEqual(['one']);

  await stage.freshDatabases(10);
  const late = new Night(stage, `late-${Date.now().toString(36)}`);
  await late.start();
  await waitUntil(async () => (await buildsOf(late.workflowId)).length > 0, 60_000);
  expect(await buildsOf(late.workflowId)).toEqual(['two']);
});

test('a build without the name of its deployment is refused', () => {
  const env = { CONTROL_URL: 'postgres://a@b/c', CUTOVER_BUILD_ID: '1' };
  expect(() => loadConfig(env)).toThrow(/CUTOVER_DEPLOYMENT_NAME and CUTOVER_BUILD_ID go together/);
});
