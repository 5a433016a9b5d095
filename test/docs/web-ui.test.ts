import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseDocument } from 'yaml';
import { openBilling, type BillingStage } from '../e2e/support/billing-stage';
import { waitUntil } from '../support/wait-until';
import { deedsShown, type Items } from './support/deeds-shown';
import { hasBrowser, WebUi } from './support/web-ui';

jest.setTimeout(2_400_000);

const CUSTOMERS = 60;
const NIGHT = 'cutover/billing-oss/ui-night';
const WAVE = `${NIGHT}/wave-1`;
const WITHIN_MS = 900_000;

const found = hasBrowser();
if (!found)
  process.stdout.write('Skipped: the night in the Temporal Web UI. Debian’s package chromium is not installed.\n');
const withBrowser = found ? describe : describe.skip;

interface Steps {
  steps: { id?: string; kind: string; items?: string[] }[];
}

/** The items of each checklist, as people have them on paper. */
function itemsOf(file: string): Items {
  const { before, perWave, after } = parse(readFileSync(file, 'utf8')) as Record<string, Steps[]>;
  const steps = [before, perWave, after].flatMap((phases) => phases ?? []).flatMap((phase) => phase.steps);
  return new Map(steps.map(({ id, kind, items = [] }) => [id ?? kind, items]));
}

withBrowser('a billing night in the Temporal Web UI, driven by a browser alone', () => {
  let billing: BillingStage;
  let ui: WebUi;
  let items: Items;

  beforeAll(async () => {
    billing = await openBilling('web-ui', CUSTOMERS);
    const plan = join(billing.documents.folder, 'plan.yaml');
    const document = parseDocument(readFileSync(plan, 'utf8'));
    document.set('waves', document.createNode([{ id: 'all' }]));
    writeFileSync(plan, document.toString());
    items = itemsOf(join(billing.documents.folder, 'runbook.yaml'));
    ui = await WebUi.launch(billing.stage.uiUrl ?? '', 'web-ui');
  });
  afterAll(async () => {
    await ui?.close();
    await billing?.close();
  });

  /** Opens a run; what its current details show, nothing when it is not there yet. */
  async function shown(workflowId: string): Promise<string> {
    return ui
      .look(workflowId)
      .then(() => ui.details())
      .catch(() => '');
  }

  /** People look at the run and do what it says it waits for, but for the steps and gates in `leave`. */
  async function act(run: string, leave: string[] = []): Promise<void> {
    for (const { of, name, input } of deedsShown(await shown(run), items)) {
      if (leave.includes(of)) continue;
      const sent = await ui.update(name, input).then(
        () => true,
        () => false, // its time is over, or has not come; the next look tells
      );
      if (!sent) return;
    }
  }

  /** People act until the run shows what is awaited. Resolves to what it shows then, still open. */
  async function play(run: string, awaited: RegExp, leave: string[] = []): Promise<string> {
    let details = '';
    await waitUntil(async () => {
      details = await shown(run);
      if (awaited.test(details)) return true;
      await act(run, leave);
      return false;
    }, WITHIN_MS).catch((cause: unknown) => {
      throw new Error(`${run} does not show ${String(awaited)}:\n${details}`, { cause });
    });
    return details;
  }

  /** A row of the step table: mark, phase, step, status. */
  const row = (mark: string, step: string, status: string): RegExp =>
    new RegExp(`${mark}\\s+\\S+\\s+${step}\\s+${status}\\b`);

  it('starts the run; shows every step and who is waited for, until all is ready', async () => {
    const { runbook, plan } = { runbook: 'billing-oss/runbook.yaml', plan: 'billing-oss/plan.yaml' };
    await ui.start(NIGHT, 'cutover', { runbook, plan, startedBy: 'marit' });
    const begun = await play(NIGHT, /scope: sponsor \(ingrid\)/, ['scope']);
    await ui.picture('readiness');
    expect(begun).toMatch(row('·', 'hypercare', 'pending'));
    const open = await play(NIGHT, /gate ready: votes of sponsor \(ingrid\)/, ['ready']);
    for (const step of ['scope', 'user-tests', 'rollback-rehearsed']) expect(open).toMatch(row('✔', step, 'done'));
    await play(NIGHT, /ready\s+passed\s+ingrid: go/);
  });

  it('takes tasks, goes, checks and votes, by Update and by Signal, up to the switch', async () => {
    const details = await play(WAVE, /gate go-night: votes of sponsor \(ingrid\)/, ['go-night']);
    await ui.picture('gate-go-night');
    for (const step of ['preload', 'catch-up', 'compare-live']) expect(details).toMatch(row('✔', step, 'done'));
    expect(details).toMatch(row('·', 'switch', 'pending'));
    const frozen = await play(WAVE, /gate final: votes of/, ['final']);
    await ui.picture('frozen');
    expect(frozen).toMatch(/frozen since \d\d:\d\d:\d\d, back out by/);
    expect(frozen).toMatch(row('✔', 'compare-frozen', 'done'));
    await ui.signal('goNoGo', { person: 'joost', gate: 'final', decision: 'go' });
    const passed = await play(WAVE, /switch: go by lead \(marit/, ['switch']);
    expect(passed).toMatch(/final\s+passed\s+joost: go/);
  });

  it('goes live, every step done', async () => {
    const wave = await play(WAVE, /gate open-doors: votes of/, ['open-doors']);
    await ui.picture('moved');
    for (const step of [
      'announce',
      'stop-jobs',
      'hold-debits',
      'intake',
      'drain',
      'freeze',
      'convert',
      'switch',
      'smoke',
    ])
      expect(wave).toMatch(row('✔', step, 'done'));
    let text = '';
    await waitUntil(async () => {
      text = await ui.outcome(NIGHT).catch(() => ''); // it is open
      if (/"outcome":\s*"live"/.test(text)) return true;
      await act(WAVE);
      await act(NIGHT);
      return false;
    }, WITHIN_MS).catch((cause: unknown) => {
      throw new Error(`${NIGHT} does not end live:\n${text}`, { cause });
    });
    expect(text).toContain('Completed');
    await ui.picture('live');
    const { stage } = billing;
    const [moved] = await stage.query<{ n: number }>(
      stage.urlOf('target'),
      'select count(*)::int as n from crm.customer',
    );
    expect(moved?.n).toBe(CUSTOMERS);
  });
});
