import { KEPT_SEEDS } from './kept-seeds';
import { MUTANTS, type Mutant } from './mutants';
import { simulate } from './simulate';

const SEEDS = 200;
const MUTANT_SEEDS = 60;
/**
 * The first seed of those played: the rarer the weather a mutant needs, the nearer to a seed that has it. The mutants not
 * named here are played by hand (`npm run simulate -- --mutant NAME`).
 */
const CAUGHT: readonly [Mutant, number][] = [
  ['no-fence', 10],
  ['undo-order-reversed', 20],
  ['starter-may-vote', 25],
  ['effect-before-undo-row', 36],
  ['lease-ignored-in-seal', 125],
];

jest.setTimeout(300_000);

it(`keeps every promise over ${SEEDS} simulated cutovers with faults, people and writers from seeds`, async () => {
  const endings = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { broken, ending, writes } = await simulate(seed);
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
    expect({ seed, broken }).toEqual({ seed, broken: [] });
    expect(writes).toBeGreaterThan(0);
  }
  expect(endings.get('live')).toBeGreaterThan(SEEDS / 10);
  expect(endings.get('rolled-back')).toBeGreaterThan(SEEDS / 10);
});

it.each(KEPT_SEEDS)('keeps every promise in seed $seed, where once $was', async ({ seed }) => {
  expect((await simulate(seed)).broken).toEqual([]);
});

it('plays the same seed the same way twice', async () => {
  const first = await simulate(7, { trace: true });
  const second = await simulate(7, { trace: true });
  expect(second.trace).toEqual(first.trace);
  expect(first.trace.length).toBeGreaterThan(50);
});

it.each(CAUGHT)('notices the mutant %s', async (mutant, from) => {
  const seen = new Set<string>();
  for (let seed = from; seed < from + MUTANT_SEEDS && seen.size === 0; seed++) {
    for (const { promise } of (await simulate(seed, { mutant })).broken) {
      if (MUTANTS[mutant].breaks.includes(promise)) seen.add(promise);
    }
  }
  expect([...seen]).not.toEqual([]);
});
