import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { parseDocument, type Document } from 'yaml';
import type { StepState } from '../../engine/state';
import type { RunView } from '../../engine/view';
import { projectDir } from '../../local/paths';
import { findTemporalBinary } from '../../local/temporal-binary';
import { openBilling, type BillingStage } from '../e2e/support/billing-stage';
import { Night } from '../e2e/support/night';
import { BILLING_PEOPLE } from '../e2e/support/people';
import { stuckAt } from '../e2e/support/way-back';
import { waitUntil } from '../support/wait-until';
import { Page } from './support/page';
import { Terminal } from './support/terminal';

jest.setTimeout(1_200_000);

const CUSTOMERS = 60;
const WITHIN_MS = 300_000;
const HOUR_MS = 3_600_000;

const page = new Page('operating.md');
/** Lines of the page that nobody has typed yet. */
const untyped = page.headings.flatMap((heading) => page.blocks(heading).flat());

let billing: BillingStage;
let terminal: Terminal;
let digest = '';

/** What makes the copy fail, and later the way back. */
const LONG = 'x'.repeat(500);
const BRIEF = {
  target: 'alter table crm.customer add constraint brief check (length(full_name) < 400)',
  source: 'alter table legacy.customer add constraint brief check (length(name) < 400) not valid',
};

beforeAll(async () => {
  billing = await openBilling('operating', CUSTOMERS);
  const { stage } = billing;
  const binary = findTemporalBinary({ env: process.env });
  if (binary === undefined) throw new Error('no temporal binary, although its server runs');
  const desk = join(stage.dir, 'desk');
  mkdirSync(desk);
  for (const file of ['runbook.yaml', 'plan.yaml', 'conversion.yaml'])
    writeFileSync(join(desk, file), readFileSync(join(billing.documents.folder, file)));
  edit('plan.yaml', (plan) => {
    const people = (plan.toJS() as { people: object[] }).people;
    plan.set('people', plan.createNode([...people, ...BILLING_PEOPLE])); // the page's, and those of the script
    plan.set('waves', plan.createNode([{ id: 'all' }]));
  });
  edit('runbook.yaml', (runbook) => runbook.setIn(['after', 0, 'steps', 0, 'atLeast'], 'PT30M'));
  const { HOME = '/', PATH = '' } = process.env;
  terminal = new Terminal({ ...stage.env, HOME, PATH: `${dirname(binary)}:${PATH}` });
  await terminal.run(
    `cd ${desk}; cutover() { node ${join(projectDir(), 'dist', 'cli', 'main.js')} "$@"; }; export -f cutover`,
  );
});
afterAll(async () => {
  await terminal?.close();
  await billing?.close();
});

function edit(file: string, change: (document: Document) => void): void {
  const path = join(billing.stage.dir, 'desk', file);
  const document = parseDocument(readFileSync(path, 'utf8'));
  change(document);
  writeFileSync(path, document.toString());
}

/** The page's line with instants and digests of this night. */
const placed = (line: string): string =>
  line
    .replace('2026-11-28T22:00:00+01:00', new Date(Date.now() - HOUR_MS).toISOString())
    .replace('2026-11-29T07:00:00+01:00', new Date(Date.now() + 5 * HOUR_MS).toISOString())
    .replace('3f9a1c20', digest.slice(0, 8))
    .replace(/^cutover worker$/, 'cutover worker > worker.log 2>&1 &');

/** Types it until it says what is hoped for. */
async function say(line: string, seen: RegExp, code = 0): Promise<string> {
  return (await terminal.until(line, (heard) => heard.code === code && seen.test(heard.text))).text;
}

/** The next line of the page that begins so. */
function type(start: string, seen: RegExp = /accepted/, code = 0): Promise<string> {
  const at = untyped.findIndex((line) => line.startsWith(start));
  if (at < 0) throw new Error(`the page has no further line that begins with ${start}`);
  return say(placed(untyped.splice(at, 1)[0] ?? ''), seen, code);
}

const at = (view: RunView | null, step: string): StepState | undefined => view?.steps.find(({ id }) => id === step);
const isOpen = (view: RunView | null, gate: string): boolean =>
  view?.gates.some(({ id, status }) => id === gate && status === 'open') ?? false;

it('every line of the operating guide is typed into a billing night in which what it is for has happened', async () => {
  const { stage } = billing;
  const [source, target] = [stage.urlOf('source'), stage.urlOf('target')];
  const night = (leave: string[]): Night => new Night(stage, 'night-1', { leave }, billing.documents);
  const fails = (step: string): Promise<unknown> =>
    night([step]).play(WITHIN_MS, ({ wave }) => at(wave, step)?.status === 'failed');

  await stage.query(source, `update legacy.customer set name = '${LONG}' where customer_id = 'C0000003'`);
  await stage.query(target, BRIEF.target);
  await say('cutover start runbook.yaml --plan plan.yaml --id night-1 --as marit', /^started night-1/);
  await night(['preload']).play(WITHIN_MS, ({ wave }) => /23514/.test(at(wave, 'preload')?.problem ?? ''));
  await type('cutover worker', /^\s*$/);
  await type('cutover doctor', /Temporal/);
  await type('cutover doctor', /Temporal/);
  await stage.query(target, 'alter table crm.customer drop constraint brief');
  await night(['preload']).play(WITHIN_MS, ({ wave }) => at(wave, 'preload')?.status !== 'running');
  await type('cutover retry night-1 preload', /accepted|is running|is done/);

  await night(['go-night']).play(WITHIN_MS, ({ wave }) => isOpen(wave, 'go-night'));
  await type('cutover check runbook.yaml', /all well/);
  await type('cutover pause');
  await type('cutover resume');
  const reschedule = untyped.find((line) => line.startsWith('cutover reschedule')) ?? '';
  const opening = placed(reschedule);
  untyped.splice(untyped.indexOf(reschedule), 1);
  await say(opening, /accepted/);
  await say(opening.replace('--as marit', '--as joost'), /accepted/);
  edit('runbook.yaml', (runbook) => runbook.setIn(['perWave', 2, 'steps', 4, 'text'], 'All is done.'));
  await type('cutover amend night-1 runbook.yaml', /accepted.*changes step done-tonight/);
  await type('cutover amend night-1 --approve', /accepted.*being adopted/);
  await waitUntil(async () => (await night([]).view(null))?.amendment?.status === 'adopted', WITHIN_MS);
  await type('cutover reassign');

  await night(['roll-call']).play(WITHIN_MS, ({ wave }) => at(wave, 'roll-call')?.status === 'waiting-people');
  await type('cutover check-item');
  await say('cutover incident raise night-1 slow --severity low --title "Lookups are slow" --as sanne', /accepted/);
  await type('cutover incident resolve');
  await type('cutover skip');
  await night(['hold-debits']).play(WITHIN_MS, ({ wave }) => at(wave, 'hold-debits')?.status === 'waiting-people');
  await say('cutover task night-1 hold-debits --as femke', /accepted/);

  await night(['freeze']).play(WITHIN_MS, ({ wave }) => at(wave, 'freeze')?.status === 'waiting-go');
  const writer = new Client(source);
  await writer.connect();
  await writer.query(`begin; update legacy.customer set note = 'open' where customer_id = 'C0000004'`);
  await night([]).send(1, 'sayGo', { person: 'ada', step: 'freeze' });
  await fails('freeze');
  await writer.query('rollback');
  await writer.end();
  await stage.query(target, BRIEF.target.replace('400)', '400) not valid'));
  await stage.query(source, `update legacy.customer set name = '${LONG}' where customer_id = 'C0000006'`);
  await type('cutover retry night-1 freeze');
  await fails('convert');
  await type('cutover retry night-1 convert');
  await fails('convert');
  await stage.query(target, 'alter table crm.customer drop constraint brief');
  await type('cutover retry night-1 convert');

  await night(['final']).play(WITHIN_MS, ({ wave }) => {
    digest = wave?.gates.find(({ id }) => id === 'final')?.digest ?? '';
    return digest !== '';
  });
  await type('cutover vote');
  await night(['hypercare']).play(WITHIN_MS, ({ cutover }) => at(cutover, 'hypercare')?.status === 'waiting-people');
  await type('temporal schedule trigger', /./);
  await type('temporal schedule toggle', /^\s*$/);
  await type('cutover report', /report\.html.*the run has not ended/s, 1);

  await stage.query(target, `update crm.customer set full_name = '${LONG}' where customer_no = 'C0000005'`);
  await stage.query(source, BRIEF.source);
  await type('cutover rollback');
  await stuckAt(night([]), /23514/, WITHIN_MS);
  await say('cutover status night-1', /Way back.*waiting-for-person/s);
  await stage.query(source, 'alter table legacy.customer drop constraint brief');
  await type('temporal workflow signal', /succeeded|Signal/);
  await type('cutover watch', /ended: rolled-back/, 1);

  await type('temporal workflow start --type rollback', /Running execution|Started/i);
  await type('temporal workflow describe', /COMPLETED/);
  await terminal.run('kill %1; wait');
  expect(untyped).toEqual([]);
});
