import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { blocksOf } from '../support/pages';
import { GUARDIAN_SCHEDULE, QUEUES, WORKFLOWS } from '../../workflows/names';
import { verbOf, words } from './support/cutover-line';
import { Page } from './support/page';

const page = new Page('operating.md');
const LINES = page.headings.flatMap((heading) =>
  page
    .blocks(heading)
    .flat()
    .map((line) => ({ heading, line })),
);
const QUOTED = blocksOf('operating.md')
  .filter(({ info }) => info === 'text')
  .flatMap(({ heading, text }) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => ({ heading, line })),
  );

const FOLDERS = ['activities', 'cli', 'domain', 'engine', 'gateway', 'systems', 'workers', 'workflows'];
const productText = FOLDERS.flatMap((folder) =>
  readdirSync(join(projectDir(), folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(projectDir(), folder, file), 'utf8')),
)
  .join('\n')
  .replaceAll('\\`', '`');

it.each(LINES.filter(({ line }) => line.startsWith('cutover ')))(
  '$heading: `$line` is a line of the command',
  async ({ line }) => {
    expect(await verbOf(line)).not.toBe('');
  },
);

it('has no line but those of the two commands', () => {
  expect(LINES.length).toBeGreaterThan(0);
  expect(LINES.filter(({ line }) => !/^(cutover|temporal) /.test(line))).toEqual([]);
});

it.each(QUOTED)('$heading: the product says “$line”', ({ line }) => {
  // Where the product puts two texts together there is punctuation between them.
  const said = line
    .split('…')
    .map((part) => part.replace(/^[:;,\s]+|[:;,\s]+$/g, ''))
    .filter((part) => part !== '');
  expect(said.length).toBeGreaterThan(0);
  expect(said.filter((part) => !productText.includes(part))).toEqual([]);
});

it('names workflows, queues, schedules and runs there are to the stock command', () => {
  const known: Readonly<Record<string, readonly string[]>> = {
    '--type': Object.values(WORKFLOWS),
    '--task-queue': Object.values(QUEUES),
    '--schedule-id': [GUARDIAN_SCHEDULE],
    '--name': ['retryRollback'],
  };
  const stock = LINES.filter(({ line }) => line.startsWith('temporal ')).map(({ line }) => words(line));
  const options = stock.flatMap((said) =>
    said.flatMap((word, at) => (known[word] ? [[word, said[at + 1] ?? '']] : [])),
  );
  expect(options.length).toBeGreaterThan(0);
  expect(options.filter(([option = '', value = '']) => !known[option]?.includes(value))).toEqual([]);
  for (const said of stock.filter((each) => each.includes('--input')))
    expect(() => void JSON.parse(said[said.indexOf('--input') + 1] ?? '')).not.toThrow();
});
