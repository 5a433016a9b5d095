import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { catalogue } from '../faults/catalogue';
import { MUTANTS as BROKEN_LINES } from '../faults/mutants';
import { PROMISES } from '../faults/promises';
import { MUTANTS as BROKEN_RULES } from '../simulate/mutants';

const TEXT = readFileSync(join(projectDir(), 'docs', 'promises.md'), 'utf8');
const SECTIONS = Object.fromEntries(
  TEXT.split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);
const IDS = Object.keys(SECTIONS);
const ANY_SEED = 1;
const NIGHTS = catalogue(ANY_SEED).map(({ name }) => name);
const FOLDER = /^(activities|domain|engine|local|systems|test|workers|workflows)\//;

const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, inside]) => inside!);

/** What a promise's section says under a label, in quotes. Throws when it has no such label. */
function under(id: string, label: string, of?: 'faults' | 'simulator'): string[] {
  const item = SECTIONS[id]?.split(/^- /m).find((candidate) => candidate.startsWith(`**${label}**`));
  if (item === undefined) throw new Error(`${id} does not say its ${label}`);
  const [faults = '', simulator = ''] = item.split(/\bsimulator\b/);
  return quoted(of === undefined ? item : of === 'faults' ? faults : simulator);
}

const judging = (id: string): string[] =>
  readdirSync(join(projectDir(), 'test', 'simulate', 'promises'))
    .filter((file) =>
      readFileSync(join(projectDir(), 'test', 'simulate', 'promises', file), 'utf8').includes(`'${id}'`),
    )
    .map((file) => `test/simulate/promises/${file}`);

it('has a section for every promise', () => {
  expect([...IDS].sort()).toEqual([...PROMISES, 'HOURS'].sort());
});

it.each(IDS)('%s names files that are there, of the product and of the tests', (id) => {
  const kept = under(id, 'Kept by').filter((path) => FOLDER.test(path));
  const tried = under(id, 'Tests').filter((path) => FOLDER.test(path));
  expect(kept.length).toBeGreaterThan(0);
  expect(tried.filter((path) => path.endsWith('.test.ts')).length).toBeGreaterThan(0);
  const named = quoted(SECTIONS[id] ?? '').filter((path) => FOLDER.test(path));
  expect(named.filter((path) => !existsSync(join(projectDir(), path)))).toEqual([]);
});

it.each(IDS)('%s names exactly what judges it in the simulator', (id) => {
  expect(under(id, 'Simulator').sort()).toEqual(judging(id).sort());
});

it.each(IDS)('%s names nights there are', (id) => {
  const named = under(id, 'Nights').filter((name) => !FOLDER.test(name));
  const plays = (name: string): boolean => {
    const pattern = new RegExp(`^${name.replaceAll('*', '.*')}$`);
    return NIGHTS.some((night) => pattern.test(night));
  };
  expect(named.filter((name) => !plays(name))).toEqual([]);
});

it.each(IDS)('%s names exactly the mutants that break it', (id) => {
  const lines = Object.entries(BROKEN_LINES).filter(([, { promise }]) => promise === id);
  expect(under(id, 'Mutants', 'faults').sort()).toEqual(lines.map(([name]) => name).sort());
  const rules = Object.entries(BROKEN_RULES).filter(([, { breaks }]) => breaks.includes(id));
  expect(under(id, 'Mutants', 'simulator').sort()).toEqual(rules.map(([name]) => name).sort());
});
