import { rmSync, writeFileSync } from 'node:fs';
import { STEPS_OF_EVERY_KIND } from './support/every-kind';
import { heldFile } from './support/break-files';
import { leftBehind, play } from './support/scene';
import { Stage } from './support/stage';
import { waitUntil } from '../support/wait-until';

/** All of them in `npm run rollbacks`; one before the freeze, one frozen and one after the switch in every run. */
const EVERYTHING = process.env['CUTOVER_ROLLBACKS'] === 'all';
const SHORT = ['preload', 'convert', 'release'];
const CUSTOMERS = 100;

jest.setTimeout(180_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('rollbacks');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

/** A rollback that is asked for while `step` is under way: its effect is kept waiting until the run has heard it. */
test.each(STEPS_OF_EVERY_KIND.filter(({ id }) => EVERYTHING || SHORT.includes(id)))(
  'a rollback asked for during step $id brings every write and every customer back',
  async ({ id, wave, activity }) => {
    await play(stage, { customers: CUSTOMERS, script: { leave: activity ? [] : [id] } }, async (scene) => {
      const { night } = scene;
      const held = heldFile(scene.breakDir, activity ?? id);
      writeFileSync(held, '');
      await night.play(90_000, ({ cutover, wave: waveView }) => {
        const step = (wave === null ? cutover : waveView)?.steps.find((candidate) => candidate.id === id);
        return step !== undefined && ['running', 'waiting-people', 'done'].includes(step.status);
      });
      const { accepted } = await night.send(wave, 'requestRollback', { person: 'ada', reason: 'the test asks for it' });
      expect(accepted).toBe(true);
      await waitUntil(async () => (await night.view(wave))?.rollback !== null);
      rmSync(held);
      const view = await night.play(90_000);
      expect(view?.outcome).toBe('rolled-back');
      expect(await leftBehind(scene)).toEqual([]);
      expect(scene.writer.counts().acknowledged).toBeGreaterThan(20);
    });
  },
);
