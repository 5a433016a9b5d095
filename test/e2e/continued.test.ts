import type { RunView } from '../../engine/view';
import { GUARDIAN_SCHEDULE, waveWorkflowId } from '../../workflows/names';
import { waitUntil } from '../support/wait-until';
import { leftBehind, play, type Scene } from './support/scene';
import { record } from './support/record';
import { Stage } from './support/stage';

const CUSTOMERS = 100;
const WITHIN_MS = 120_000;
/** As if histories of this many events were long: a run of the tiny runbook continues as new several times. */
const LONG_HISTORY = 100;

jest.setTimeout(300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('continued', {
    dynamicConfig: [`limit.historyCount.suggestContinueAsNew=${LONG_HISTORY}`],
  });
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

const idOf = ({ night }: Scene, wave: number | null): string =>
  wave === null ? night.workflowId : waveWorkflowId(night.workflowId, wave);

const runIdOf = async (scene: Scene, wave: number | null): Promise<string> =>
  (await stage.temporal.client.workflow.getHandle(idOf(scene, wave)).describe()).runId;

/** What is under way after a message (its ledger entry) has ended within this, when the run may continue as new. */
const CALM_MS = 400;

/** Says refused things, each a few events of history, until the run has continued as new. */
async function growUntilContinued(scene: Scene, wave: number | null, step: string): Promise<void> {
  const before = await runIdOf(scene, wave);
  const continued = async (): Promise<boolean> => (await runIdOf(scene, wave)) !== before;
  for (let said = 0; said < LONG_HISTORY; said++) {
    expect(await scene.night.send(wave, 'retryStep', { person: 'ada', step })).toMatchObject({ accepted: false });
    if (
      await waitUntil(continued, CALM_MS).then(
        () => true,
        () => false,
      )
    )
      return waitUntil(async () => (await scene.night.view(wave)) !== null);
  }
  throw new Error(`the run has not continued as new after ${LONG_HISTORY} messages`);
}

const gateOf = (view: RunView | null, id: string): RunView['gates'][number] | undefined =>
  view?.gates.find((gate) => gate.id === id);

test('a wave that dies while its cutover has continued as new is brought back: the guardian says so', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['final'] } }, async (scene) => {
    const { night } = scene;
    await night.play(WITHIN_MS, ({ wave }) => gateOf(wave, 'final')?.digest != null);
    await growUntilContinued(scene, null, 'hypercare');
    await stage.temporal.client.workflow.getHandle(idOf(scene, 1)).terminate('the test ends it');
    await stage.temporal.client.schedule.getHandle(GUARDIAN_SCHEDULE).trigger();
    const view = await night.play(WITHIN_MS);
    expect(view?.outcome).toBe('rolled-back');
    expect(await leftBehind(scene)).toEqual([]);
  });
});

test('runs continue as new inside a gate while customers are frozen, and in hypercare: votes, incidents and the freeze are kept', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['final'] } }, async (scene) => {
    const { night } = scene;
    await night.play(WITHIN_MS, ({ wave }) => gateOf(wave, 'final')?.digest != null);
    expect(await night.send(1, 'castVote', { person: 'ben', gate: 'final', decision: 'go' })).toMatchObject({
      accepted: true,
    });
    const frozen = (await night.view(1))?.frozen;
    expect(frozen).not.toBeNull();
    const firstRun = await runIdOf(scene, 1);
    await growUntilContinued(scene, 1, 'freeze');
    const continued = await night.view(1);
    expect(continued?.frozen).toEqual(frozen);
    expect(gateOf(continued, 'final')?.votes).toMatchObject([{ person: 'ben', decision: 'go', voided: null }]);
    await record('continued-wave', stage.temporal.client.workflow.getHandle(idOf(scene, 1), firstRun));

    await night.send(null, 'raiseIncident', { person: 'ada', incident: 'slow', severity: 'high', title: 'Slow' });
    await night.send(1, 'castVote', { person: 'cas', gate: 'final', decision: 'go' });
    await night.play(
      WITHIN_MS,
      ({ cutover }) =>
        cutover?.steps.some((step) => step.id === 'hypercare' && step.status === 'waiting-people') === true,
    );
    await growUntilContinued(scene, null, 'hypercare');
    const cared = await night.view(null);
    expect(cared?.incidents['slow']).toMatchObject({ severity: 'high', resolved: null });
    expect(cared?.steps.find((step) => step.id === 'hypercare')?.status).toBe('waiting-people');

    await night.send(null, 'resolveIncident', { person: 'ada', incident: 'slow' });
    const view = await night.play(WITHIN_MS);
    await scene.writer.stop();
    expect(view?.outcome).toBe('live');
    expect(await scene.writer.audit('target')).toEqual([]);
    await record('continued-cutover', stage.temporal.client.workflow.getHandle(night.workflowId));
  });
});
