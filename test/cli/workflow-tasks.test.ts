import { lookAtRuns } from '../../cli/doctor/look-at-runs';
import { lookAtTemporal } from '../../cli/doctor/look-at-temporal';
import { findCutover } from '../../cli/find-cutover';
import { areServed, keptRuns } from '../../cli/kept-runs';
import { readStatus } from '../../cli/run-status';
import { whyFailed } from '../../cli/workflow-tasks';
import { registerCutover } from '../../systems/control/cutovers';
import { installControl } from '../../systems/control/schema';
import { keepLastView } from '../../systems/control/views';
import { cutoverWorkflowId, QUEUES, WORKFLOWS } from '../../workflows/names';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';

jest.setTimeout(120_000);

const RUN = cutoverWorkflowId('tiny', 'night-1');
/** COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION of Temporal's API. */
const FAIL_WORKFLOW = 5;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('workflow-tasks');
  await stage.temporal.client.workflow.start(WORKFLOWS.cutover, { workflowId: RUN, taskQueue: QUEUES.main, args: [] });
});
afterAll(() => stage.close());

const said = async (): Promise<string[]> =>
  (await lookAtTemporal(stage.temporal, Date.now()))
    .filter(({ what }) => what === `run ${RUN}`)
    .map(({ said }) => said);

test('doctor names a run whose task nobody takes up, and one whose task fails for whoever does', async () => {
  await waitUntil(async () => (await said()).some((text) => text.startsWith('no worker takes up its task')), 60_000);
  const { connection, namespace } = stage.temporal;
  const { workflowService } = connection;
  for (let attempt = 1; attempt <= 3; attempt += 1)
    await connection.withDeadline(Date.now() + 30_000, async () => {
      const task = await workflowService.pollWorkflowTaskQueue({
        namespace,
        taskQueue: { name: QUEUES.main },
        identity: 'test',
      });
      await workflowService.respondWorkflowTaskFailed({ namespace, taskToken: task.taskToken });
    });
  await waitUntil(async () => (await said()).some((text) => text.endsWith('it stands still')), 60_000);
});

test('runs are served while somebody polls for them, none of their tasks waits or fails, and Temporal knows them all', async () => {
  const well = { chain: 'first', isRunning: true, hasDied: false, trouble: null } as const;
  const served = (...looks: Parameters<typeof areServed>[1]) => areServed(stage.temporal, looks);
  expect(await served(well, { ...well, isRunning: false })).toBe(true); // the test before has polled
  expect(await served(well, { ...well, trouble: 'waits' })).toBe(false);
  expect(await served({ ...well, trouble: 'fails' })).toBe(false);
  expect(await served(well, null)).toBe(false);
});

test('a wave that is live need not be known to Temporal any more, its cutover must be', async () => {
  await stage.freshDatabases(1);
  await installControl(stage.control);
  const wave = { wave: 1, status: 'live' };
  const own = { status: 'waiting-for-person', outcome: null, startedAt: 0, waves: [wave] };
  const keep = (no: number | null, body: object): Promise<void> =>
    keepLastView(stage.control, { cutover: 'night-1', wave: no, kind: 'run', body: JSON.stringify(body) });
  await keep(null, own);
  await keep(1, { ...wave, outcome: null });
  const looksOf = async (workflowId: string) =>
    (await keptRuns({ cutover: 'night-1', workflowId }, stage.temporal, stage.control))?.looks;
  expect(await looksOf(RUN)).toEqual([expect.objectContaining({ isRunning: true })]);
  expect(await looksOf(`${RUN}-forgotten`)).toEqual([null]);
});

test('a run that failed tells what it failed of, one that was terminated nothing', async () => {
  const { connection, namespace, client } = stage.temporal;
  const [failing, ended] = ['failing', 'ended'].map((id) => cutoverWorkflowId('tiny', id)) as [string, string];
  for (const workflowId of [failing, ended])
    await client.workflow.start(WORKFLOWS.cutover, { workflowId, taskQueue: workflowId, args: [] });
  await client.workflow.getHandle(ended).terminate('the test ends it');
  const { taskToken } = await connection.withDeadline(Date.now() + 30_000, () =>
    connection.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: failing }, identity: 'test' }),
  );
  const within = { message: 'what a database said', applicationFailureInfo: { type: 'Error' } };
  const message = 'no plan 12 in control\nat a place';
  const cause = { message, applicationFailureInfo: { type: 'SystemFault' }, cause: within };
  const failure = { message: 'Activity task failed', activityFailureInfo: { activityType: { name: 'open' } }, cause };
  const failWorkflowExecutionCommandAttributes = { failure };
  await connection.workflowService.respondWorkflowTaskCompleted({
    ...{ namespace, taskToken, identity: 'test' },
    commands: [{ commandType: FAIL_WORKFLOW, failWorkflowExecutionCommandAttributes }],
  });
  expect(await whyFailed(stage.temporal, failing)).toBe('no plan 12 in control');
  expect(await whyFailed(stage.temporal, ended)).toBeNull();
  const row = { cutover: 'failing', workflowId: failing, runbook: 'tiny', runbookHash: 'r', planHash: 'p' };
  await registerCutover(stage.control, { ...row, startedBy: 'ada' });
  const [found] = await lookAtRuns(stage.control, stage.temporal);
  expect(found?.said).toBe(
    'its run has ended (FAILED) without an outcome: nobody carries it on; it failed: no plan 12 in control',
  );
  const body = JSON.stringify({ wave: null, status: 'running', outcome: null, startedAt: 0, waves: [], gates: [] });
  await keepLastView(stage.control, { cutover: 'failing', wave: null, kind: 'run', body });
  const read = await readStatus(await findCutover('failing', stage.control, null), stage.temporal, stage.control);
  expect(read).toMatchObject({ source: 'dead', failure: 'no plan 12 in control' });
});

test('runs that have ended need nobody; one that is open does', async () => {
  const other = await Stage.open('nobody-polls');
  try {
    const look = { chain: 'first', isRunning: false, hasDied: false, trouble: null } as const;
    expect(await areServed(other.temporal, [look])).toBe(true);
    expect(await areServed(other.temporal, [look, { ...look, isRunning: true }])).toBe(false);
  } finally {
    await other.close();
  }
});
