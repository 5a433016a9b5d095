import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { STEP_KINDS } from '../../domain/step-kinds';
import { projectDir } from '../../local/paths';
import { phaseSchema, type StepKind } from '../../runbooks/schema/step';

const DIR = join(projectDir(), 'docs', 'steps');
const KINDS = Object.keys(STEP_KINDS) as StepKind[];
/** What every step may say; `docs/steps/README.md` has it once. */
const EVERY = ['kind', 'id', 'title', 'owner', 'needs', 'go', 'planned'];

const page = (name: string): string => readFileSync(join(DIR, `${name}.md`), 'utf8');
const fieldsNamed = (text: string): string[] => [...text.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!).sort();
const fieldsOf = (kind: StepKind): string[] => {
  const option = phaseSchema.shape.steps.element.options.find(({ shape }) => shape.kind.value === kind);
  return Object.keys(option!.shape);
};

it('every step kind has a page, and no page is left of one that went', () => {
  expect(readdirSync(DIR).sort()).toEqual([...KINDS.map((kind) => `${kind}.md`), 'README.md'].sort());
});

it('what every step may say is said once', () => {
  expect(fieldsNamed(page('README'))).toEqual([...EVERY].sort());
});

it.each(KINDS)('the page of %s names its fields, and its example is one', (kind) => {
  expect(fieldsNamed(page(kind))).toEqual(
    fieldsOf(kind)
      .filter((name) => !EVERY.includes(name))
      .sort(),
  );
  const example = /```yaml\n([\s\S]*?)```/.exec(page(kind))?.[1] ?? '';
  const { steps } = phaseSchema.parse({ phase: 'night', owner: 'lead', steps: parse(example) });
  expect(steps.map((step) => step.kind)).toEqual([kind]);
});

it.each(KINDS)('the table says of %s what the engine goes by', (kind) => {
  const { disruptive, required, undo } = STEP_KINDS[kind];
  const row = page('README')
    .split('\n')
    .find((line) => line.startsWith(`| [${kind}](${kind}.md)`));
  const cells = row?.split('|').slice(3, 6);
  expect(cells?.map((cell) => cell.trim() === 'yes')).toEqual([disruptive, required, undo !== null]);
});
