import { explore } from './explore';
import { RULES, type Rule } from './sql';

jest.setTimeout(300_000);

const NOTHING_BROKEN = { broken: null, stuck: 0 };

it('keeps OWNER, STILL, ONCE and every acknowledged write in each state of a wave beside any others, and an end can be reached', () => {
  const found = explore({ budget: { writes: 2, crashes: 1, sleeps: 1 }, beside: 'anybody' });
  expect(found).toMatchObject(NOTHING_BROKEN);
  expect(found.states).toBeGreaterThan(100_000);
  expect(found.ends).toBeGreaterThan(0);
});

it.each([
  { writes: 1, crashes: 1, sleeps: 0 },
  { writes: 0, crashes: 1, sleeps: 1 },
])('keeps them for two customers in two waves at once: %o', (budget) => {
  const found = explore({ budget, beside: 'wave' });
  expect(found).toMatchObject(NOTHING_BROKEN);
  expect(found.states).toBeGreaterThan(100_000);
});

/** What each rule is there for, and how few steps break it without. */
const CAUGHT: Record<Rule, [RegExp, number]> = {
  'old snapshots pass the guard': [/^STILL/, 4],
  'the seal does not count': [/^CONTENT/, 12],
  'a lapsed lease is renewed': [/^STILL/, 5],
  'the seal does not look at the lease': [/^STILL/, 10],
  'resolved by looking alone': [/^OWNER/, 22],
  'late attempts compare no epoch': [/^ONCE/, 5],
};

it.each(Object.keys(RULES) as Rule[])('finds the shortest way in which it goes wrong when %s', (rule) => {
  const budget = { writes: 1, crashes: 1, sleeps: 1 };
  const { broken } = explore({ budget, beside: 'anybody', broken: new Set([rule]) });
  const [promise, steps] = CAUGHT[rule];
  expect(broken?.promise).toMatch(promise);
  expect(broken?.steps).toHaveLength(steps);
});
