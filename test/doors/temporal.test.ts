import { runCli } from '../../cli/run-cli';
import type { RunView } from '../../engine/view';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { fakeCli } from '../cli/support/fake-cli';
import { START } from './cases/command';
import { MALFORMED, REFUSED, SIGNALS, STARTS, vote } from './cases/temporal';
import { contents } from './support/contents';
import { stockTemporal, type Said } from './support/stock-temporal';

jest.setTimeout(600_000);

const WAVE = 1;
/** A busy machine has done it by then. */
const WITHIN_MS = 240_000;
/** What a run that waits still writes: its view, and what it records of refusals. */
const LIVELY = ['control.ledger', 'control.ledger_head', 'control.ledger_value', 'control.view'];
/** More than a Temporal server takes in one payload. */
const HUGE = 'x'.repeat(3_000_000);

let stage: Stage;
let night: Night;
let wave: string;

beforeAll(async () => {
  stage = await Stage.open('doors');
  await stage.freshDatabases(20);
  await stage.startWorkers();
  night = new Night(stage, `doors-${Date.now().toString(36)}`, { leave: ['go-night', 'intake'] });
  wave = `${night.workflowId}/wave-${WAVE}`;
  await night.start();
  await seen((view) => view.gates.some((gate) => gate.id === 'go-night' && gate.digest !== null));
});
afterAll(() => stage.close());

const temporal = (...args: string[]): Promise<Said> => stockTemporal(stage.env['TEMPORAL_ADDRESS'] ?? '', args);

const update = (name: string, input: unknown, workflowId = wave): Promise<Said> =>
  temporal(
    ...['workflow', 'update', 'execute', '--workflow-id', workflowId, '--name', name],
    ...['--input', typeof input === 'string' ? input : JSON.stringify(input), '--output', 'json'],
  );

const signal = (name: string, ...input: string[]): Promise<Said> =>
  temporal('workflow', 'signal', '--workflow-id', wave, '--name', name, ...input.flatMap((each) => ['--input', each]));

async function view(): Promise<RunView> {
  const shown = await night.view(WAVE);
  if (!shown) throw new Error('the wave does not answer');
  return shown;
}

async function seen(holds: (view: RunView) => boolean): Promise<void> {
  await waitUntil(async () => {
    const shown = await night.view(WAVE);
    return shown !== null && holds(shown);
  }, WITHIN_MS);
}

/** What people's words can change. */
async function standing(): Promise<unknown> {
  const { gates, steps, incidents, paused, rollback, outcome } = await view();
  return {
    gates: gates.map(({ id, status, votes }) => ({ id, status, votes })),
    steps: steps.map(({ id, status, go, signed, checks }) => ({ id, status, go, signed, checks })),
    incidents,
    paused,
    rollback,
    outcome,
  };
}

describe('an Update by the stock binary', () => {
  it.each(REFUSED)('is answered with a refusal that says what to do: %s', async (_, name, input, says) => {
    const before = await standing();
    const { code, text } = await update(name, input);
    expect(text).toMatch(says);
    expect(text).toMatch(/"accepted": ?false/);
    expect(code).toBe(0);
    expect(await standing()).toEqual(before);
  });

  it.each(MALFORMED)('is turned away before it reaches the run: %s', async (_, name, input, says) => {
    const before = await standing();
    const { code, text } = await update(name, input);
    expect(text).toMatch(says);
    expect(code).not.toBe(0);
    expect(await standing()).toEqual(before);
  });

  it('says which field of a message is wrong', async () => {
    const { text } = await update('castVote', { ...vote, decision: 'maybe' });
    expect(text).toMatch(/decision/);
  });

  it('that is too large for the server, or for a run there is not, changes nothing', async () => {
    const before = await standing();
    expect((await update('castVote', { ...vote, reason: HUGE })).code).not.toBe(0);
    const lost = await update('castVote', vote, `${night.workflowId}/wave-9`);
    expect([lost.code, lost.text]).toEqual([1, expect.stringMatching(/not found/i)]);
    expect(await standing()).toEqual(before);
  });
});

describe('a signal by the stock binary', () => {
  it.each(SIGNALS)('with %s shows as refused and changes nothing', async (_, name, input, says) => {
    const before = await standing();
    expect((await signal(name, ...input)).code).toBe(0);
    await seen(({ notices }) => notices.some(({ text }) => says.test(text)));
    expect(await standing()).toEqual(before);
  });

  it('of a name nobody listens to leaves the run as it is', async () => {
    const before = await standing();
    expect((await signal('selfDestruct', '{}')).code).toBe(0);
    expect(await standing()).toEqual(before);
  });
});

describe('a run started by hand', () => {
  const start = async (type: string, id: string, input: object): Promise<string> => {
    const started = await temporal(
      ...['workflow', 'start', '--type', type, '--task-queue', 'cutover', '--workflow-id', id],
      ...['--input', JSON.stringify(input)],
    );
    if (started.code !== 0) return started.text;
    return (await temporal('workflow', 'result', '--workflow-id', id)).text;
  };

  it.each(STARTS)('with %s fails with words that say why', async (_, type, id, input, says) => {
    expect(await start(type, id, input)).toMatch(says);
  });

  it('twice, or after it was started, by the command: refused, and nothing changed', async () => {
    const control = stage.env['CONTROL_URL'] ?? '';
    const before = await contents(control, LIVELY);
    const cli = fakeCli(stage.env);
    const argv = [...START, '--id', night.id, '--as', 'ada'];
    expect(await runCli(argv, cli)).toBe(3);
    expect(cli.stderr).toMatch(/was started before.*\n→ .*cutover status/);
    expect(await contents(control, LIVELY)).toBe(before);
  });

  it('by somebody the plan does not know registers nothing', async () => {
    const documents = await stage.query<{ hash: string; kind: string }>(
      stage.env['CONTROL_URL'] ?? '',
      'select hash, kind from control.document',
    );
    const hash = (kind: string): string => documents.find((each) => each.kind === kind)?.hash ?? '';
    const input = { runbook: hash('runbook'), plan: hash('plan'), startedBy: 'eve' };
    expect(await start('cutover', 'cutover/tiny/eve', input)).toMatch(
      /startedBy: nobody in the plan is called .*eve.*people: ada, ben, cas/,
    );
    expect(
      await stage.query(stage.env['CONTROL_URL'] ?? '', `select from control.cutover where cutover = 'eve'`),
    ).toHaveLength(0);
  });
});

describe('a vote that is good', () => {
  it('counts once, however often and by whichever door it comes', async () => {
    await update('pause', { person: 'ada', reason: 'so that the gate can be looked at' });
    const named = { ...vote, decision: 'no-go', reason: 'not yet', id: 'v1' };
    expect((await update('castVote', named)).text).toMatch(/"accepted": ?true/);
    expect((await update('castVote', named)).text).toMatch(/"accepted": ?true/);
    expect((await update('castVote', { ...vote, id: 'v1' })).text).toMatch(/"accepted": ?true/);
    const votes = async (): Promise<unknown> =>
      (await view()).gates.find(({ id }) => id === 'go-night')?.votes.map(({ person, decision }) => [person, decision]);
    // The id was answered before: what came with it again is not looked at.
    expect(await votes()).toEqual([['ben', 'no-go']]);
    expect((await signal('goNoGo', JSON.stringify(vote))).code).toBe(0);
    await seen(({ gates }) => gates.some(({ id, status }) => id === 'go-night' && status === 'passed'));
    expect(await votes()).toEqual([['ben', 'go']]);
    const late = await update('castVote', { ...vote, decision: 'no-go' });
    expect(late.text).toMatch(/gate go-night is closed: passed/);
  });

  it('counts for nothing after the deadline', async () => {
    // One cutover at a time moves a wave of these systems: the one before gives its copy up.
    await night.send(null, 'requestRollback', { person: 'ada', reason: 'another one is to begin' });
    await night.play(WITHIN_MS);
    const late = new Night(stage, `late-${Date.now().toString(36)}`, { leave: ['go-night'] });
    await late.start((runbook) => {
      runbook.setIn(['perWave', 0, 'gate', 'deadline'], 'PT1S');
      runbook.setIn(['perWave', 0, 'gate', 'onNoGo'], 'rollBack');
    });
    const closed = ({ gates }: RunView): boolean =>
      gates.some(({ id, status }) => id === 'go-night' && status === 'refused');
    await waitUntil(async () => {
      const shown = await late.view(WAVE);
      return shown !== null && closed(shown);
    }, WITHIN_MS);
    const { text } = await update('castVote', vote, `${late.workflowId}/wave-${WAVE}`);
    expect(text).toMatch(/gate go-night is closed: refused|already completed/);
    const shown = await late.view(WAVE);
    expect(shown?.gates.find(({ id }) => id === 'go-night')).toMatchObject({ status: 'refused', votes: [] });
  });

  it('leaves a ledger that names every refusal and holds together', async () => {
    const control = stage.env['CONTROL_URL'] ?? '';
    const refused = await stage.query<{ actor: string }>(
      control,
      `select actor from control.ledger where action like '%refused'`,
    );
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(new Set(refused.map(({ actor }) => actor))).toContain('unknown');
  });
});
