import { GUARDIAN_SCHEDULE, waveWorkflowId } from '../../workflows/names';
import { waitUntil } from '../support/wait-until';
import { Night } from './support/night';
import { everyKind } from './support/every-kind';
import { leftBehind, play, type Scene } from './support/scene';
import { Stage } from './support/stage';

const CUSTOMERS = 100;
const LEASE_MS = 15_000;
/** From the last renewal's end to the next look of the writer, on a busy machine. */
const MARGIN_MS = 3_000;
const WITHIN_MS = 90_000;

jest.setTimeout(300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('terminated');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

/** Plays until customers are frozen and gate `final` waits for votes. */
const untilFrozen = ({ night }: Scene): Promise<unknown> =>
  night.play(
    WITHIN_MS,
    ({ wave }) => wave?.frozen != null && wave.gates.some((gate) => gate.id === 'final' && gate.status === 'open'),
  );

const terminate = (workflowId: string): Promise<unknown> =>
  stage.temporal.client.workflow.getHandle(workflowId).terminate('the test ends it');

async function sourceAccepts(): Promise<boolean> {
  try {
    await stage.query(
      stage.env['SOURCE_URL'] ?? '',
      "insert into tiny.note (customer, body) values ('t1', 'by the test')",
    );
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'CU001' });
    return false;
  }
}

/** Asks the guardian to look, as its schedule does by itself every 30 seconds, until nothing is left to undo. */
async function guardianEnds(): Promise<void> {
  const schedule = stage.temporal.client.schedule.getHandle(GUARDIAN_SCHEDULE);
  await waitUntil(async () => {
    await schedule.trigger();
    const [left] = await stage.query<{ undo: number }>(
      stage.env['CONTROL_URL'] ?? '',
      'select count(*)::int as undo from control.undo where done_at is null',
    );
    return left?.undo === 0;
  }, WITHIN_MS);
}

test('a run terminated while customers are frozen: they write again within the lease, the guardian ends the wave, a new run goes live', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['final'] } }, async (scene) => {
    await untilFrozen(scene);
    expect(await sourceAccepts()).toBe(false);
    const terminatedAt = Date.now();
    await terminate(scene.night.workflowId);
    await waitUntil(sourceAccepts, LEASE_MS + MARGIN_MS);
    expect(Date.now() - terminatedAt).toBeLessThanOrEqual(LEASE_MS + MARGIN_MS);
    await guardianEnds();
    expect(await leftBehind(scene)).toEqual([]);

    const again = new Night(stage, scene.night.id);
    scene.writer.start();
    await again.start(everyKind);
    expect((await again.play(WITHIN_MS))?.outcome).toBe('live');
    await scene.writer.stop();
    expect(await scene.writer.audit('target')).toEqual([]);
    const [jobs] = await stage.query(
      stage.env['SOURCE_URL'] ?? '',
      "select to_regclass('tiny.stopped') is not null as stopped",
    );
    expect(jobs).toEqual({ stopped: true });
  });
});

test('a run terminated while its wave waits for votes: the guardian stops the wave and brings it back', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['go-night'] } }, async (scene) => {
    await scene.night.play(
      WITHIN_MS,
      ({ wave }) => wave?.gates.some((gate) => gate.id === 'go-night' && gate.status === 'open') === true,
    );
    await terminate(scene.night.workflowId);
    await guardianEnds();
    expect((await scene.night.view(1))?.status).toBe('stopped');
    expect(await leftBehind(scene)).toEqual([]);
  });
});

test('a wave terminated while customers are frozen: its cutover brings it back', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['final'] } }, async (scene) => {
    await untilFrozen(scene);
    await terminate(waveWorkflowId(scene.night.workflowId, 1));
    const view = await scene.night.play(WITHIN_MS);
    expect(view?.outcome).toBe('rolled-back');
    expect(view?.rollback?.reason).toContain('the run of wave 1 ended from outside');
    expect(await leftBehind(scene)).toEqual([]);
  });
});
