import { join } from 'node:path';
import { stackDir } from '../../local/paths';
import { readStack, removeStack } from '../../local/stack';
import { findTemporalBinary } from '../../local/temporal-binary';
import { Page, type Block } from './support/page';
import type { Heard } from './support/shell';
import { Terminal } from './support/terminal';

jest.setTimeout(600_000);

const STACK = `tour-${process.pid}`;
const CUSTOMERS = 200;
const BLOCKS = new Page('../README.md').blocks('A tour of ten minutes');

/** What the page says one sees, of each kind of line in the order of the page. A line is typed again until it is seen. */
const SEEN: readonly [line: RegExp, text: RegExp, code?: number][] = [
  [/^cutover\(\) \{|^export /, /^\s*$/],
  [/^kill /, /^(?!.*no such job)/s], // a slow shell tells at once of the jobs it has ended
  [/^cutover worker .* &$/, /^\s*$/],
  [/local\/main\.js up /, /SOURCE_URL=.*TARGET_URL=.*CONTROL_URL=.*TEMPORAL_ADDRESS=/s],
  [/^cutover check .*--live$/, /the role is a superuser.*\nall well\n/s],
  [/^cutover plan /, /\nCritical path: /],
  [/^cutover doctor$/, /all well/],
  [/^cutover start /, /^started \S+ as cutover\/tour\//],
  [/^cutover status \S+$/, /gate go-night: votes of sponsor \(ingrid\)/],
  [/^cutover (vote|task|go) /, /accepted/],
  [
    /^cutover status \S+ --brief$/,
    /have been frozen for .* back out by .* gate final: votes of sponsor \(ingrid\), ops \(joost\)/,
  ],
  [/^cutover lookup /, /lives in the target|is being moved/],
  [/^cutover rollback /, /^accepted/],
  [/^cutover watch tour-\d+-1$/, /ended: rolled-back\n/, 1],
  [/^cutover watch tour-\d+-2$/, /ended: live\n/],
  [/^cutover report /, /report\.html/],
  [/local\/main\.js reset/, /is gone/],
];

/** The page's lines in a stack and a folder of the test's own. */
const placed = (command: string): string =>
  command
    .replace(/(local\/main\.js \w+)/, `$1 --name ${STACK}`)
    .replace('--customers 1000', `--customers ${CUSTOMERS}`)
    .replaceAll(/\btour-([12])\b/g, `tour-${process.pid}-$1`)
    .replace(/(worker-\d\.log)/, join(stackDir(STACK), '$1'))
    .replace(/^(cutover report .*)$/, `$1 --out ${join(stackDir(STACK), 'out')}`);

const found = findTemporalBinary({ env: { ...process.env, TEMPORAL_ADDRESS: '' } });
if (found === undefined) throw new Error('the tour needs a Temporal binary: npm run demo builds one');

let terminal: Terminal;
beforeAll(() => {
  const { HOME = '/', PATH = '' } = process.env;
  terminal = new Terminal({ HOME, PATH });
});
afterAll(async () => {
  await terminal.close();
  await removeStack(STACK);
});

async function type(command: string): Promise<Heard> {
  const line = placed(command);
  const [, text, code = 0] = SEEN.find(([kind]) => kind.test(line)) ?? [];
  if (text === undefined) throw new Error(`nobody knows what is seen after ${command}`);
  return terminal.until(line, (heard) => heard.code === code && text.test(heard.text));
}

async function play(blocks: readonly Block[]): Promise<string> {
  let last = '';
  for (const block of blocks) for (const command of block) last = (await type(command)).text;
  return last;
}

const blockWith = (line: RegExp): number => {
  const at = BLOCKS.findIndex((block) => block.some((command) => line.test(command)));
  if (at < 0) throw new Error(`the tour has no line ${String(line)}`);
  return at;
};

it('the tour of the README shows what it says, there and back, and to the end', async () => {
  const [install, ...first] = BLOCKS[0] ?? [];
  expect(install).toBe('npm ci && npm run build'); // done before any test starts
  const [start, back, stay, end] = [/^cutover start/, /^cutover rollback/, /tour-2/, /^kill/].map(blockWith);
  expect(await play([first, ...BLOCKS.slice(1, back)])).toContain('lives in the target');
  await play(BLOCKS.slice(back, stay));

  const again = BLOCKS.slice(start, back).map((block) => block.map((line) => line.replaceAll('tour-1', 'tour-2')));
  expect(await play(again)).toContain('lives in the target');
  await play(BLOCKS.slice(stay, end));

  await play(BLOCKS.slice(end));
  expect(readStack(STACK)).toBeUndefined();
  expect((await terminal.run('wait; jobs')).text.trim()).toBe('');
});
