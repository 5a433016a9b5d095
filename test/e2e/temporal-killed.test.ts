import { leftBehind, play } from './support/scene';
import { Stage } from './support/stage';

const CUSTOMERS = 100;
const WITHIN_MS = 120_000;

jest.setTimeout(300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('temporal-killed');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

test('the Temporal server killed while customers are frozen, and started again at once: the run goes on', async () => {
  await play(stage, { customers: CUSTOMERS }, async (scene) => {
    await scene.night.play(WITHIN_MS, ({ wave }) => wave !== null && wave.frozen !== null);
    stage.killTemporal();
    await stage.restartTemporal();
    const view = await scene.night.play(WITHIN_MS);
    await scene.writer.stop();
    expect(['live', 'rolled-back']).toContain(view?.outcome);
    expect(view?.outcome === 'live' ? await scene.writer.audit('target') : await leftBehind(scene)).toEqual([]);
  });
});
