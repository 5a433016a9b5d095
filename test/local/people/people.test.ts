import { execFile } from 'node:child_process';
import type { RunShown, StatusShown } from '../../../cli/run-status';
import { readConfig } from '../../../local/people/config';
import { actsFor, type Act, type Person } from '../../../local/people/decide';
import { cliArgs, signalArgs } from '../../../local/people/speak';

type Step = RunShown['steps'][number];
type Gate = RunShown['gates'][number];
const mark = { person: 'joost', at: 1 };

const step = (of: Partial<Step>): Step => ({
  id: 'step',
  phase: 'night',
  kind: 'task',
  title: 'Step',
  owner: 'ops',
  status: 'waiting-people',
  occurrence: 1,
  plannedMs: 0,
  startedAt: null,
  endedAt: null,
  goRole: null,
  go: null,
  signedBy: ['ops'],
  signed: {},
  items: [],
  checks: {},
  problem: null,
  progress: null,
  result: null,
  ...of,
});

const gate = (of: Partial<Gate>): Gate => ({
  id: 'final',
  phase: 'night',
  status: 'open',
  roles: ['sponsor', 'ops'],
  onNoGo: 'rollBack',
  openedAt: 1,
  deadline: null,
  decidedAt: null,
  evidence: [{ id: 'verify', kind: 'verification', verdict: 'pass', fingerprint: 'f', title: 'Verified', shown: '0' }],
  digest: 'd1',
  votes: [],
  ...of,
});

const red = [
  { id: 'moved', kind: 'measure' as const, verdict: 'fail' as const, fingerprint: 'f', title: 'Moved', shown: '3' },
];
const statusOf = (steps: Step[], gates: Gate[] = []): StatusShown =>
  ({
    cutover: 'night-1',
    outcome: null,
    runs: [{ workflowId: 'cutover/billing-oss/night-1/wave-2', wave: 2, startedBy: 'marit', steps, gates }],
  }) as unknown as StatusShown;

const person = (of: Partial<Person> = {}): Person => ({
  id: 'joost',
  roles: ['ops'],
  votes: true,
  lostPatience: () => true,
  ...of,
});
const shown = (acts: Act[]): string[] =>
  acts.map((act) => ('gate' in act ? `${act.do} ${act.gate} ${act.decision}` : `${act.do} ${act.step}`));

describe('a scripted person', () => {
  test('says go, signs and checks for their own roles only', () => {
    const steps = [
      step({ id: 'freeze', kind: 'freeze', status: 'waiting-go', goRole: 'lead' }),
      step({ id: 'switch', kind: 'switch', status: 'waiting-go', goRole: 'ops' }),
      step({ id: 'signed', signed: { ops: mark } }),
      step({ id: 'both', signedBy: ['care', 'ops'] }),
      step({ id: 'not-yet', status: 'pending' }),
      step({
        id: 'roll-call',
        kind: 'checklist',
        items: ['A', 'B'],
        checks: { A: { ...mark, ok: true, evidence: null } },
      }),
      step({ id: 'smoke', kind: 'checklist', owner: 'care', items: ['C'] }),
      step({ id: 'hypercare', kind: 'hypercare' }),
    ];
    expect(shown(actsFor(person(), statusOf(steps)))).toEqual(['go switch', 'task both', 'check roll-call']);
  });

  test('votes go on green evidence, once, and again when the vote was voided', () => {
    const vote = { person: 'joost', decision: 'go' as const, reason: null, digest: 'd1', at: 1, voided: null };
    expect(shown(actsFor(person(), statusOf([], [gate({})])))).toEqual(['vote final go']);
    expect(actsFor(person(), statusOf([], [gate({ votes: [vote] })]))).toEqual([]);
    const voided = gate({ votes: [{ ...vote, voided: 'the evidence got worse' }] });
    expect(shown(actsFor(person(), statusOf([], [voided])))).toEqual(['vote final go']);
    expect(actsFor(person(), statusOf([], [gate({ status: 'passed' })]))).toEqual([]);
    expect(actsFor(person({ roles: ['data'] }), statusOf([], [gate({})]))).toEqual([]);
    expect(actsFor(person({ id: 'marit' }), statusOf([], [gate({})]))).toEqual([]);
    expect(actsFor(person({ votes: false }), statusOf([], [gate({})]))).toEqual([]);
  });

  test('looks at red evidence again before saying no-go, and names what is red', () => {
    const status = statusOf([], [gate({ evidence: red })]);
    expect(actsFor(person({ lostPatience: () => false }), status)).toEqual([]);
    expect(actsFor(person(), status)).toMatchObject([
      { decision: 'no-go', reason: 'red: measure moved', digest: 'd1' },
    ]);
  });

  test('changes a no-go to go when the evidence has turned green', () => {
    const vote = { person: 'joost', decision: 'no-go' as const, reason: 'red', digest: 'd0', at: 1, voided: null };
    expect(shown(actsFor(person(), statusOf([], [gate({ status: 'held', votes: [vote] })])))).toEqual([
      'vote final go',
    ]);
  });

  test('says no-go where they were asked to, on green evidence too', () => {
    const acts = actsFor(person({ noGo: 'final' }), statusOf([], [gate({}), gate({ id: 'accept' })]));
    expect(shown(acts)).toEqual(['vote final no-go', 'vote accept go']);
  });
});

test('the command line is read, and what is wrong with it is said', () => {
  const asked = ['--person', 'ingrid', '--cutover', 'night-1', '--no-go', 'final', '--via', 'signal', '--roles', 'a,b'];
  expect(readConfig(asked)).toMatchObject({ noGo: 'final', via: 'signal', votes: true, roles: ['a', 'b'] });
  expect(readConfig(['--person', 'x', '--cutover', 'y', '--no-votes']).votes).toBe(false);
  expect(() => readConfig(['--person', 'x'])).toThrow(/cutover/);
});

test('a vote by signal carries what the run asks for', () => {
  const [act] = actsFor(person(), statusOf([], [gate({})]));
  const args = signalArgs('joost', act as Extract<Act, { do: 'vote' }>, { TEMPORAL_ADDRESS: '127.0.0.1:7233' });
  expect(args).toEqual(
    expect.arrayContaining(['workflow', 'signal', '--workflow-id', 'cutover/billing-oss/night-1/wave-2']),
  );
  const input = args[args.indexOf('--input') + 1] ?? '';
  expect(JSON.parse(input)).toMatchObject({ person: 'joost', gate: 'final', decision: 'go', digest: 'd1' });
});

test('the cutover command understands every act', async () => {
  const steps = [
    step({ id: 'switch', kind: 'switch', status: 'waiting-go', goRole: 'ops' }),
    step({ id: 'task' }),
    step({ id: 'roll-call', kind: 'checklist', items: ['Sponsor reachable'] }),
  ];
  const acts = actsFor(person(), statusOf(steps, [gate({ digest: 'a'.repeat(64) })]));
  expect(shown(acts)).toEqual(['go switch', 'task task', 'check roll-call', 'vote final go']);
  const nobodyThere = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1', CONTROL_URL: undefined };
  const codes = await Promise.all(acts.map((act) => exitCode(cliArgs('night-1', 'joost', act), nobodyThere)));
  // 4: nothing could be reached; 2 would say that the command line is wrong.
  expect(codes).toEqual([4, 4, 4, 4]);
  expect(await exitCode(['vote', 'night-1', 'final', 'perhaps'], nobodyThere)).toBe(2);
}, 60_000);

function exitCode(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/cli/main.js', ...args], { env }, (error) => {
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : -1);
    });
  });
}
