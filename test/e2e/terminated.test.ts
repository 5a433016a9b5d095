import { rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Client } from 'pg';
import { lookAtRuns } from '../../cli/doctor/look-at-runs';
import { connect } from '../../systems/postgres/connect';
import { GUARDIAN_SCHEDULE, QUEUES, rollbackWorkflowId, waveWorkflowId, WORKFLOWS } from '../../workflows/names';
import { waitUntil } from '../support/wait-until';
import { heldFile } from './support/break-files';
import { everyKind, STEPS_OF_EVERY_KIND } from './support/every-kind';
import { Night } from './support/night';
import { leftBehind, play, type Scene } from './support/scene';
import { Stage } from './support/stage';

/** All steps in `npm run terminated`; in every run one that copied a part, one that is frozen, and one that lives in the target. */
const EVERYTHING = process.env['CUTOVER_TERMINATED'] === 'all';
const SHORT = ['preload', 'verify', 'release'];
/** The target has the wave by then: a switch that is under way is carried to its end. */
const IN_TARGET = ['switch', 'release', 'hypercare'];
const CUSTOMERS = 100;
const CHUNK_ROWS = 20;
const LEASE_MS = 15_000;
/** From the last renewal's end to the next look of the writer, on a busy machine. */
const MARGIN_MS = 3_000;
const WITHIN_MS = 120_000;

jest.setTimeout(600_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('terminated');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

const smallChunks = (runbook: Parameters<typeof everyKind>[0]): void =>
  runbook.setIn(['perWave', 0, 'steps', 0, 'chunkRows'], CHUNK_ROWS);

const terminate = (workflowId: string): Promise<unknown> =>
  stage.temporal.client.workflow.getHandle(workflowId).terminate('the test ends it');

async function accepts(side: 'source' | 'target'): Promise<boolean> {
  const sql =
    side === 'source'
      ? "insert into tiny.note (customer, body) values ('t1', 'by the test')"
      : "insert into shop.memo (client_code, words) values ('t1', 'by the test')";
  try {
    await stage.query(stage.urlOf(side), sql);
    return true;
  } catch (error) {
    // Before it opened, the target's sequence may also give a number that a copied row has.
    expect((error as { code?: string }).code).toMatch(/CU001|23503|23505/);
    return false;
  }
}

/** Asks the guardian to look, as its schedule does by itself every 30 seconds, until `holds`. */
async function guardianUntil(holds: () => Promise<boolean>): Promise<void> {
  const schedule = stage.temporal.client.schedule.getHandle(GUARDIAN_SCHEDULE);
  await waitUntil(async () => {
    await schedule.trigger();
    return holds();
  }, WITHIN_MS);
}

/** Nothing is left to undo but copies that wait for the next run, and no run is open. */
async function guardianEnds({ night }: Scene): Promise<void> {
  const runs = [waveWorkflowId(night.workflowId, 1), rollbackWorkflowId(night.workflowId, 1)];
  await guardianUntil(async () => {
    const [left] = await stage.query<{ undo: number }>(
      stage.urlOf('control'),
      'select count(*)::int as undo from control.undo where done_at is null and not kept',
    );
    return left?.undo === 0 && !(await Promise.all(runs.map(isOpen))).includes(true);
  });
}

async function isOpen(workflowId: string): Promise<boolean> {
  const run = stage.temporal.client.workflow.getHandle(workflowId);
  return run.describe().then(
    ({ status }) => status.name === 'RUNNING',
    () => false,
  );
}

interface ChunkRow {
  chunk: string;
  epoch: string;
  done_at: Date;
}

/** Chunks that are done; the epoch is of the claim under which they were copied, and differs whenever one is copied again. */
const chunksDone = (): Promise<ChunkRow[]> =>
  stage.query<ChunkRow>(
    stage.urlOf('control'),
    `select entity || '/' || no as chunk, epoch, done_at from control.chunk where state = 'done' order by 1`,
  );

/** What the ledger says was done about the copy, and for whom it is. */
const ledger = async (): Promise<string[]> =>
  (
    await stage.query<{ said: string }>(
      stage.urlOf('control'),
      `select action || ' ' || subject as said from control.ledger
       where action ~ 'copy' or action = 'left to a person' order by n`,
    )
  ).map(({ said }) => said);

async function doctor(): Promise<string> {
  const control = connect(stage.urlOf('control'), { applicationName: 'doctor', max: 1 });
  try {
    return JSON.stringify(await lookAtRuns(control, stage.temporal));
  } finally {
    await control.end();
  }
}

/** Plays until step `id` is under way: its effect is kept waiting, or people do not do it. */
async function playUntil(
  { night, breakDir }: Scene,
  step: (typeof STEPS_OF_EVERY_KIND)[number],
): Promise<() => Promise<void>> {
  const held = heldFile(breakDir, step.activity ?? step.id);
  writeFileSync(held, '');
  await night.play(WITHIN_MS, ({ cutover, wave }) => {
    const view = (step.wave === null ? cutover : wave)?.steps.find(({ id }) => id === step.id);
    return view !== undefined && ['running', 'waiting-people', 'done'].includes(view.status);
  });
  return () => rm(held);
}

/** The first half of the preload: notes cannot be written at the target. What is returned ends the workers in the middle of it, and starts others. */
async function playHalfOfPreload({ night, breakDir }: Scene): Promise<() => Promise<void>> {
  const held = heldFile(breakDir, 'preloadStream');
  writeFileSync(held, '');
  const count = async (where: string): Promise<number> =>
    (
      await stage
        .query<{ n: number }>(stage.urlOf('control'), `select count(*)::int as n from control.chunk where ${where}`)
        .catch(() => [{ n: 0 }])
    )[0]!.n;
  const isPlanned = async (): Promise<boolean> => (await count('true')) > 0;
  void night.play(WITHIN_MS, ({ wave }) => wave !== null).catch(() => undefined);
  await waitUntil(isPlanned, WITHIN_MS);
  const blocker = new Client(stage.urlOf('target'));
  await blocker.connect();
  await blocker.query('begin; lock table shop.memo in exclusive mode');
  rmSync(held);
  await waitUntil(async () => (await count(`entity = 'client' and state <> 'done'`)) === 0, WITHIN_MS);
  expect(await count(`entity = 'memo' and state = 'done'`)).toBe(0);
  return async () => {
    await terminate(waveWorkflowId(night.workflowId, 1));
    await stage.stopChildren();
    await blocker.end();
    await stage.startWorkers({ BREAK_AT: '', BREAK_DIR: breakDir });
  };
}

/** The same cutover once more, with the same documents and id. */
async function startAgain({ night, writer }: Scene): Promise<void> {
  const again = new Night(stage, night.id);
  writer.start();
  await again.start((runbook) => {
    everyKind(runbook);
    smallChunks(runbook);
  });
  expect((await again.play(WITHIN_MS))?.outcome).toBe('live');
  await writer.stop();
  expect(await writer.audit('target')).toEqual([]);
  const [jobs] = await stage.query(stage.urlOf('source'), "select to_regclass('tiny.stopped') is not null as stopped");
  expect(jobs).toEqual({ stopped: true });
}

const chosen = STEPS_OF_EVERY_KIND.filter(({ id }) => EVERYTHING || SHORT.includes(id));

test.each(chosen.filter(({ id }) => !IN_TARGET.includes(id)))(
  'a run terminated at step $id: customers write again within the lease, the guardian ends the wave and keeps what is proven, a new run goes on from it',
  async (step) => {
    const options = { customers: CUSTOMERS, script: { leave: step.activity ? [] : [step.id] }, change: smallChunks };
    await play(stage, options, async (scene) => {
      const release = await (step.id === 'preload' ? playHalfOfPreload(scene) : playUntil(scene, step));
      await terminate(scene.night.workflowId);
      await Promise.all([waitUntil(() => accepts('source'), LEASE_MS + MARGIN_MS), release()]);
      await guardianEnds(scene);
      expect(await leftBehind(scene, { copyKept: true })).toEqual([]);

      const copied = await chunksDone();
      const early = ['task', 'checklist'].includes(step.id);
      if (!early) expect(copied.length).toBeGreaterThan(0);
      expect(await ledger()).toEqual(early ? [] : ['copy kept preload']);
      if (!early) expect(await doctor()).toContain('its copy is kept for a new run of this cutover');
      await startAgain(scene);
      // `toEqual` on what was done: the same claims, at the same instants.
      const names = new Set(copied.map(({ chunk }) => chunk));
      const after = await chunksDone();
      expect(after.filter(({ chunk }) => names.has(chunk))).toEqual(copied);
      if (step.id === 'preload') expect(after.length).toBeGreaterThan(copied.length);
      expect(await ledger()).toEqual(early ? [] : ['copy kept preload', 'earlier copy used preload']);
    });
  },
);

test.each(chosen.filter(({ id }) => IN_TARGET.includes(id)))(
  'a run terminated at step $id, after the switch: customers work on in the target, a person is named by ledger and doctor, and brings them back',
  async (step) => {
    const options = { customers: CUSTOMERS, script: { leave: step.activity ? [] : [step.id] }, change: smallChunks };
    await play(stage, options, async (scene) => {
      const { workflowId, id } = scene.night;
      const release = await playUntil(scene, step);
      await terminate(workflowId);
      await release();
      await scene.night.play(WITHIN_MS, ({ wave }) => wave?.status === 'live' || wave?.status === 'stopped');
      await guardianUntil(async () => (await ledger()).includes('left to a person wave-1'));
      expect(await ledger()).toEqual(['left to a person wave-1']);
      expect(await doctor()).toContain('the guardian leaves it to a person');
      expect(await accepts('target')).toBe(true);

      await stage.temporal.client.workflow.execute(WORKFLOWS.rollback, {
        workflowId: rollbackWorkflowId(workflowId, 1),
        taskQueue: QUEUES.main,
        args: [{ cutover: id, wave: 1, cutoverWorkflowId: workflowId }],
      });
      await guardianEnds(scene);
      expect(await leftBehind(scene)).toEqual([]);
      await startAgain(scene);
    });
  },
);

test('a copy whose position is lost is purged and copied again, and the ledger says so', async () => {
  const catchUp = STEPS_OF_EVERY_KIND.find(({ id }) => id === 'catchUp')!;
  await play(stage, { customers: CUSTOMERS, change: smallChunks }, async (scene) => {
    const release = await playUntil(scene, catchUp);
    await terminate(scene.night.workflowId);
    await release();
    await guardianEnds(scene);
    const copied = await chunksDone();
    await stage.query(stage.urlOf('target'), `update cutover.fence set position = null where key = 'wave/1'`);
    await startAgain(scene);
    expect(await ledger()).toEqual(['copy kept preload', 'earlier copy purged preload']);
    const again = await chunksDone();
    expect(again.filter(({ epoch }) => copied.some((chunk) => chunk.epoch === epoch))).toEqual([]);
  });
});

test('a wave terminated while customers are frozen: its cutover brings it back', async () => {
  await play(stage, { customers: CUSTOMERS, script: { leave: ['final'] } }, async (scene) => {
    await scene.night.play(
      WITHIN_MS,
      ({ wave }) => wave?.frozen != null && wave.gates.some((gate) => gate.id === 'final' && gate.status === 'open'),
    );
    await terminate(waveWorkflowId(scene.night.workflowId, 1));
    const view = await scene.night.play(WITHIN_MS);
    expect(view?.outcome).toBe('rolled-back');
    expect(view?.rollback?.reason).toContain('the run of wave 1 ended from outside');
    expect(await leftBehind(scene)).toEqual([]);
  });
});
