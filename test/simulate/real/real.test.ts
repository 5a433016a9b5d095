import { Stage } from '../../e2e/support/stage';
import { disagreements, simulated } from './agree';
import { differences } from './outcome';

/** A wave that goes live without one who cannot be mapped, and one that goes back after a worker died at the switch. */
const SEEDS = [4, 7];

jest.setTimeout(600_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('real-seeds');
});
afterAll(() => stage.close());

test.each(SEEDS)('the night of seed %d ends on real servers as in the simulator', async (seed) => {
  expect(await disagreements(stage, seed)).toEqual({ ending: expect.any(String), differ: [] });
});

test('nights that end otherwise are told apart, and where', async () => {
  const [live, back] = [await simulated(4), await simulated(7)];
  expect([live.ending, back.ending]).toEqual(['live', 'rolled-back']);
  expect(differences(live, live)).toEqual([]);
  const found = differences(live, back).join('\n');
  for (const where of ['ending: ', 'steps: ', 'told: ', 'owners: ']) expect(found).toContain(where);
});
