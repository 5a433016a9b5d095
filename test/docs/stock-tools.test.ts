import { MESSAGE_DESCRIPTIONS, parseMessage, SIGNALS, type UpdateName } from '../../workflows/messages';
import { openBilling, type BillingStage } from '../e2e/support/billing-stage';
import { Page, type Block } from './support/page';
import { Shell, type Heard } from './support/shell';

jest.setTimeout(600_000);

const CUSTOMERS = 200;
const NIGHT = 'cutover/billing-oss/night-1';
const HOUR_MS = 3_600_000;

const page = new Page('stock-tools.md');

describe('the table of messages', () => {
  const rows = page.table('Messages').map(([update, signal, input]) => ({ update, signal, input }));

  it('names every update and every signal there is', () => {
    expect(rows.map(({ update }) => update).sort()).toEqual(Object.keys(MESSAGE_DESCRIPTIONS).sort());
    const signals = rows.filter(({ signal }) => signal !== '').map(({ signal, update }) => [signal, update]);
    expect(Object.fromEntries(signals)).toEqual(SIGNALS);
  });

  it.each(rows)('shows an input that $update takes', ({ update, input }) => {
    const given = JSON.parse(input ?? '') as Record<string, unknown>;
    expect(() => parseMessage(update as UpdateName, given)).not.toThrow();
    // What the description in the UI calls needed stands in the example too.
    for (const [, field] of MESSAGE_DESCRIPTIONS[update as UpdateName].matchAll(/(?<![:|])"(\w+)"(?=[,:}])/g))
      expect(Object.keys(given)).toContain(field);
  });
});

describe('a billing night with nothing but the stock temporal binary', () => {
  let billing: BillingStage;
  let shell: Shell;

  beforeAll(async () => {
    billing = await openBilling('stock-tools', CUSTOMERS);
    shell = new Shell({ TEMPORAL_ADDRESS: billing.stage.env['TEMPORAL_ADDRESS'] ?? '' });
    await play('Once');
  });
  afterAll(() => billing?.close());

  const accepted = ({ code, text }: Heard): boolean => code === 0 && /accepted:true/.test(text);
  const shows =
    (pattern: RegExp) =>
    ({ code, text }: Heard): boolean =>
      code === 0 && pattern.test(text);

  /** A person types it, and types it again when its time has not come yet. */
  async function type(command: string): Promise<string> {
    if (command.startsWith('update ')) return (await shell.until(command, accepted)).text;
    if (/^temporal workflow list/.test(command))
      return (await shell.until(command, shows(/billing-oss\/night-1/))).text;
    if (/^temporal workflow (query|metadata)/.test(command))
      return (await shell.until(command, shows(/scope|ready|billing-oss/))).text;
    const { code, text } = await shell.run(command);
    if (code !== 0) throw new Error(`${command}\n${text}`);
    return text;
  }

  async function playBlock(block: Block): Promise<string[]> {
    const said: string[] = [];
    for (const command of block) said.push(await type(command));
    return said;
  }

  const play = (heading: string, change: (command: string) => string = (command) => command): Promise<string[]> =>
    playBlock(page.blocks(heading).flat().map(change));

  const start = (id: string): Promise<string[]> =>
    play('Start', (command) => command.replace('$CUTOVER', NIGHT.replace('night-1', id)).replaceAll('night-1', id));

  it('goes back when asked, by update and by signal', async () => {
    await start('trial-1');
    expect((await play('Going back')).at(-1)).toMatch(/outcome\W+rolled-back/);
    await start('trial-2');
    await play('By signal');
    const { text } = await shell.run('temporal workflow result --workflow-id cutover/billing-oss/trial-2');
    expect(text).toMatch(/outcome\W+rolled-back/);
    const trail = await billing.stage.query<{ action: string }>(
      billing.stage.urlOf('control'),
      `select action from control.ledger where cutover = 'trial-2' and actor <> 'system' order by at`,
    );
    expect(trail.map(({ action }) => action)).toEqual(expect.arrayContaining(['pause', 'resume', 'requestRollback']));
  });

  it('runs from its start to its last gate, every line as it stands on the page', async () => {
    await play('Start');
    const [details = '', status = '', timeline = '', gates = '', runbook = ''] = await play('Look');
    expect(details).toMatch(/\| *phase *\| *step/);
    expect(status).toContain('waitsFor');
    expect(timeline).toContain('plannedMs');
    expect(gates).toContain('"ready"');
    expect(runbook).toMatch(/[0-9a-f]{64}/);
    const [quiet = [], moved = []] = page.blocks('When the night does not go as planned');
    await playBlock(quiet);
    await play('Tasks and checks');
    await play('Votes');
    await playBlock(moved.map(soon));
    await play('A wave');
    await play('A wave', (command) => command.replaceAll('wave-1', 'wave-2'));
    expect((await play('After the last wave')).at(-1)).toMatch(/outcome\W+live/);

    const { stage } = billing;
    const custody = await stage.query<{ custody: string }>(
      stage.urlOf('control'),
      `select custody from control.wave where cutover = 'night-1' and wave > 0 order by wave`,
    );
    expect(custody).toEqual([{ custody: 'target' }, { custody: 'target' }]);
    const count = async (side: 'source' | 'target', table: string): Promise<number> =>
      (await stage.query<{ n: number }>(stage.urlOf(side), `select count(*)::int as n from ${table}`))[0]?.n ?? -1;
    expect(await count('target', 'crm.customer')).toBe(await count('source', 'legacy.customer'));
    expect(await count('target', 'crm.customer')).toBe(CUSTOMERS);
  });

  const given = { runbook: 'billing-oss/runbook.yaml', plan: 'billing-oss/plan.yaml', startedBy: 'marit' };
  it.each([
    [
      'a file outside the folder',
      `${NIGHT}-a`,
      { ...given, plan: '../temporal/temporal.db' },
      /lies outside the folder/,
    ],
    ['a file there is not', `${NIGHT}-b`, { ...given, plan: 'plan.yaml' }, /no file .*plan\.yaml.* \(ENOENT\)/],
    [
      'documents that are not sound',
      `${NIGHT}-c`,
      { ...given, plan: 'billing-oss/conversion.yaml' },
      /not sound:.*billing-oss\/conversion\.yaml:\d+:\d+: .*people/s,
    ],
    ['an id that says no runbook', 'night-7', given, /the workflow id must be cutover\/billing-oss\/ID/],
    ['the id of one that has ended', 'cutover/billing-oss/trial-1', given, /cutover trial-1 has ended: rolled-back/],
    ['nothing', `${NIGHT}-d`, null, /a run is started with .*runbook.*plan.*startedBy/],
  ])('a start by hand with %s fails with words that say why', async (_, id, input, says) => {
    const line = `temporal workflow start --type cutover --task-queue cutover --workflow-id ${id} --input '${JSON.stringify(input)}'`;
    expect((await shell.run(line)).code).toBe(0);
    const { code, text } = await shell.run(`temporal workflow result --workflow-id ${id}`);
    expect(text.replaceAll('\\', '')).toMatch(says);
    expect(code).toBe(1);
  });

  it('leaves no line of the page out', () => {
    const played = [
      ...['Once', 'Start', 'Look', 'Tasks and checks', 'Votes', 'A wave', 'After the last wave'],
      ...['When the night does not go as planned', 'Going back', 'By signal'],
    ];
    expect(page.headings.filter((heading) => page.blocks(heading).length > 0)).toEqual(played);
  });
});

/** The page's opening, as one that is open now. */
const soon = (command: string): string =>
  command
    .replace('2026-11-28T23:00:00+01:00', new Date(Date.now() - HOUR_MS).toISOString())
    .replace('2026-11-29T06:00:00+01:00', new Date(Date.now() + 5 * HOUR_MS).toISOString());
