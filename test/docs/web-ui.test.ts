import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { hasBrowser, WebUi } from './support/web-ui';

jest.setTimeout(600_000);

const CUSTOMERS = 50;
const NIGHT = 'cutover/tiny/ui-night';
const WAVE = `${NIGHT}/wave-1`;
const WITHIN_MS = 120_000;
const TINY = join(projectDir(), 'test', 'runbooks', 'tiny');

const found = hasBrowser();
if (!found)
  process.stdout.write('Skipped: the night in the Temporal Web UI. Debian’s package chromium is not installed.\n');
const withBrowser = found ? describe : describe.skip;

/** The tiny runbook where the workers look for documents; its hypercare ends at once. */
function writeTiny(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const runbook = readFileSync(join(TINY, 'runbook.yaml'), 'utf8').replace('atLeast: PT10M', 'atLeast: PT0S');
  writeFileSync(join(folder, 'runbook.yaml'), runbook);
  for (const file of ['conversion.yaml', 'plan.yaml']) copyFileSync(join(TINY, file), join(folder, file));
}

withBrowser('a night in the Temporal Web UI, driven by a browser alone', () => {
  let stage: Stage;
  let ui: WebUi;

  beforeAll(async () => {
    stage = await Stage.open('web-ui');
    await stage.freshDatabases(CUSTOMERS);
    writeTiny(join(stage.dir, 'documents', 'tiny'));
    stage.env['CUTOVER_DOCUMENTS'] = join(stage.dir, 'documents');
    await stage.startWorkers({ BREAK_DIR: stage.dir });
    ui = await WebUi.launch(stage.uiUrl ?? '', 'web-ui');
  });
  afterAll(async () => {
    await ui?.close();
    await stage?.close();
  });

  /** Opens the run, and again until its current details show it. */
  async function seen(workflowId: string, what: RegExp): Promise<string> {
    let details = '';
    await waitUntil(async () => {
      await ui.look(workflowId).catch(() => undefined); // the run is not there yet
      details = await ui.details().catch(() => '');
      return what.test(details);
    }, WITHIN_MS).catch((cause: unknown) => {
      throw new Error(`${workflowId} does not show ${String(what)}:\n${details}`, { cause });
    });
    return details;
  }

  /** A row of the step table: mark, phase, step, status. */
  const row = (mark: string, step: string, status: string): RegExp =>
    new RegExp(`${mark}\\s+\\S+\\s+${step}\\s+${status}\\b`);

  it('starts the run, and shows who is waited for and every step', async () => {
    const input = { runbook: 'tiny/runbook.yaml', plan: 'tiny/plan.yaml', startedBy: 'ada' };
    await ui.start(NIGHT, 'cutover', input);
    const details = await seen(WAVE, /gate go-night: votes of owner \(ben\)/);
    await ui.picture('gate-go-night');
    expect(details).toMatch(row('✔', 'preload', 'done'));
    expect(details).toMatch(row('·', 'switch', 'pending'));
    expect(details).toMatch(/go-night\s+open/);
  });

  it('takes goes and votes, by Update and by Signal, up to the switch', async () => {
    await ui.update('castVote', { person: 'ben', gate: 'go-night', decision: 'go' });
    await seen(WAVE, /intake: go by lead \(ada\)/);
    await ui.update('sayGo', { person: 'ada', step: 'intake' });
    await seen(WAVE, /freeze: go by lead \(ada\)/);
    await ui.update('sayGo', { person: 'ada', step: 'freeze' });
    const frozen = await seen(WAVE, /gate final: votes of/);
    await ui.picture('frozen');
    expect(frozen).toMatch(/frozen since \d\d:\d\d:\d\d, back out by/);
    expect(frozen).toMatch(row('✔', 'verify', 'done'));
    await ui.signal('goNoGo', { person: 'ben', gate: 'final', decision: 'go' });
    await ui.update('castVote', { person: 'cas', gate: 'final', decision: 'go' });
    const passed = await seen(WAVE, /switch: go by lead \(ada\)/);
    expect(passed).toMatch(/final\s+passed\s+ben: go, cas: go/);
  });

  it('goes live, every step done', async () => {
    await ui.update('sayGo', { person: 'ada', step: 'switch' });
    const wave = await seen(WAVE, /gate open-doors: votes of/);
    for (const step of ['preload', 'catchUp', 'intake', 'drain', 'freeze', 'convert', 'verify', 'switch', 'release'])
      expect(wave).toMatch(row('✔', step, 'done'));
    await ui.picture('moved');
    await ui.update('castVote', { person: 'ben', gate: 'open-doors', decision: 'go' });
    await seen(NIGHT, /gate accept: votes of/);
    await ui.update('castVote', { person: 'ben', gate: 'accept', decision: 'go' });
    await ui.update('castVote', { person: 'cas', gate: 'accept', decision: 'go' });
    let text = '';
    await waitUntil(async () => {
      await ui.open(NIGHT).catch(() => undefined); // it is not listed yet
      text = await ui.text().catch(() => '');
      return text.includes('Completed') && /"outcome":\s*"live"/.test(text);
    }, WITHIN_MS).catch((cause: unknown) => {
      throw new Error(`${NIGHT} does not end live:\n${text}`, { cause });
    });
    await ui.picture('live');
    const [moved] = await stage.query<{ n: number }>(
      stage.urlOf('target'),
      'select count(*)::int as n from shop.client',
    );
    expect(moved?.n).toBe(CUSTOMERS);
  });
});
