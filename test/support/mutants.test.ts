import { MUTANTS as NIGHTS } from '../faults/mutants';
import { MUTANTS as RULES } from '../protocol/mutants';
import { breakLine } from './mutants';

const ALL = [...Object.entries(NIGHTS), ...Object.entries(RULES)];

it.each(ALL)('%s still breaks one line of the product', (name, mutant) => {
  expect(breakLine(name, mutant)).toContain(mutant.instead);
});
