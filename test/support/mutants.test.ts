import { MUTANTS as NIGHTS } from '../faults/mutants';
import { MUTANTS as RULES } from '../protocol/mutants';
import { breakLine, runMutant } from './mutants';

const ALL = [...Object.entries(NIGHTS), ...Object.entries(RULES)];

it.each(ALL)('%s still breaks one line of the product', (name, mutant) => {
  expect(breakLine(name, mutant)).toContain(mutant.instead);
});

/** Sees the mutant below; found among the first 30. */
const SEED = '21';

it('a broken copy of the simulator plays with what is broken in it', async () => {
  const name = 'hours-no-time-to-back-out';
  const { program, ...mutant } = NIGHTS[name]!;
  expect(await runMutant(name, mutant, program, ['--seeds', '1', '--from', SEED])).toBe(1);
}, 120_000);
