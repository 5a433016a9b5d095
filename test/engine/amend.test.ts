import { amendmentProblems } from '../../engine/amend/compare';
import { receiveMessage, type RunMessage } from '../../engine/messages';
import { runWave, summaryOf } from '../../engine/run-wave';
import { applyWaveReport, runCutover } from '../../engine/run-cutover';
import { applyWaveAmendment } from '../../engine/amend/watch';
import type { ResolvedRun } from '../../runbooks/resolved';
import { STARTER } from '../simulate/runbook';
import { MINUTE, Stage } from './support/stage';
import { catalogue } from '../simulate/amendments';

const always = [{ opensAt: 0, closesAt: 10_000 * MINUTE }];
const amend = (person: string, runbook: string): RunMessage => ({ kind: 'amend', person, runbook, plan: 'p' });

/** The cutover's own run, with no wave that runs. */
async function cutoverAt(step: string): Promise<Stage> {
  const stage = new Stage(always, null).startAt(step);
  for (const wave of stage.state.waves) wave.status = 'live';
  Object.assign(stage.runtime, { askWave: () => Promise.resolve(), rollBack: () => Promise.resolve() });
  runCutover(stage.context as Parameters<typeof runCutover>[0]).catch((error: unknown) => (stage.ended = error));
  await stage.pass(MINUTE);
  return stage;
}

async function say(stage: Stage, message: RunMessage): Promise<string> {
  const answering = receiveMessage(stage.context, message);
  await stage.pass(MINUTE);
  const { answer } = await answering;
  await stage.pass(MINUTE);
  return answer.accepted ? `accepted: ${answer.note ?? ''}` : answer.reason;
}

it('adopts what two own people approve, and runs the step it adds', async () => {
  const stage = await cutoverAt('hypercare');
  expect(await say(stage, amend('vera', 'letter'))).toMatch(/adds step letter to phase close; 2 more own people/);
  expect(await say(stage, amend('olga', 'letter'))).toMatch(/1 more own people/);
  expect(await say(stage, amend('olga', 'letter'))).toMatch(/1 more own people/);
  expect(stage.context.run.runbookHash).toBe('r');
  expect(await say(stage, amend(STARTER, 'letter'))).toMatch(/approved by olga and lena, being adopted/);
  expect(stage.context.run.runbookHash).toBe('letter');
  expect(stage.state.amendment).toMatchObject({ status: 'adopted', approvedBy: ['olga', STARTER] });
  expect(stage.world.control.amended.runbookHash).toBe('letter');
  await stage.pass(360 * MINUTE);
  for (const person of ['sven', 'olga']) stage.say({ kind: 'vote', person, gate: 'accept', decision: 'go' });
  await stage.pass(MINUTE);
  expect(stage.step('letter').status).toBe('waiting-people');
});

it('starts a step that is added to the phase that runs', async () => {
  const stage = await cutoverAt('lessons');
  await say(stage, amend('olga', 'letter'));
  await say(stage, amend('sven', 'letter'));
  expect(stage.step('letter').status).toBe('waiting-people');
  stage.say({ kind: 'completeTask', person: STARTER, step: 'lessons' });
  await stage.pass(MINUTE);
  expect(stage.gate('closed').status).toBe('pending');
  stage.say({ kind: 'completeTask', person: STARTER, step: 'letter' });
  await stage.pass(MINUTE);
  expect(stage.gate('closed').status).toBe('open');
});

it('a step that is moved to a later phase waits for that one, and one that is left out may come back', async () => {
  const stage = new Stage(always).startAt('debits').play();
  await stage.pass(MINUTE);
  const goBy = async (change: (run: ResolvedRun) => void): Promise<void> => {
    const run = structuredClone(stage.run);
    change(run);
    stage.context.run = run;
    stage.clock.touch();
    await stage.pass(MINUTE);
  };
  const kind = (name: string) => (step: { kind: string }) => step.kind === name;
  await goBy(({ runbook: { perWave } }) => {
    const [night, live] = ['night', 'live'].map((name) => perWave.find(({ phase }) => phase === name)!);
    const [moved] = night!.steps.splice(night!.steps.findIndex(kind('convert')), 1);
    live!.steps.unshift(moved!);
  });
  expect(stage.step('debits').status).toBe('waiting-people');
  expect(stage.calls).not.toContain('convert');
  await goBy(() => undefined);
  expect(stage.calls).not.toContain('convert');
  stage.say({ kind: 'completeTask', person: 'olga', step: 'debits' });
  for (const [person, step] of [
    ['cara', 'intake'],
    [STARTER, 'freeze'],
  ] as const) {
    await stage.pass(10 * MINUTE);
    stage.say({ kind: 'go', person, step });
  }
  await stage.pass(MINUTE);
  expect(stage.calls).toContain('convert');
});

it.each([
  ['go', always],
  ['window', []],
])(
  'a step that waits for its %s already is moved, too, and its old phase ends without it',
  async (waitsFor, openings) => {
    const stage = new Stage(openings).startAt('switch');
    stage.step('intake').status = 'pending';
    stage.gate('final').status = 'pending';
    stage.play();
    await stage.pass(MINUTE);
    expect(stage.step('intake').status).toBe(`waiting-${waitsFor}`);
    const run = structuredClone(stage.run);
    const [night, live] = run.runbook.perWave.slice(1);
    const [moved] = night!.steps.splice(
      night!.steps.findIndex(({ kind }) => kind === 'intake'),
      1,
    );
    live!.steps.push(moved!);
    stage.context.run = run;
    stage.clock.touch();
    await stage.pass(MINUTE);
    expect(stage.gate('final').status).toBe('open');
    expect(stage.step('intake')).toMatchObject({ status: 'pending', problem: null });
  },
);

it('a cutover that is paused starts no wave', async () => {
  const stage = new Stage(always, null).startAt('hypercare');
  const started: number[] = [];
  Object.assign(stage.runtime, { startWave: (wave: number) => Promise.resolve(void started.push(wave)) });
  stage.say({ kind: 'pause', person: 'olga', reason: 'a look first' });
  runCutover(stage.context as Parameters<typeof runCutover>[0]).catch((error: unknown) => (stage.ended = error));
  await stage.pass(MINUTE);
  expect(started).toEqual([]);
  stage.say({ kind: 'resume', person: 'olga' });
  await stage.pass(MINUTE);
  expect(started).toEqual([1]);
});

it('a gate of the only wave after which nothing goes back is known to the cutover', async () => {
  const wave = new Stage(always);
  wave.state.pointOfNoReturnPassed = true;
  const stage = new Stage(always, null);
  applyWaveReport(stage.context, summaryOf(wave.context, 'live'));
  expect(await say(stage, { kind: 'requestRollback', person: 'olga', reason: 'regret' })).toMatch(/point of no return/);
});

it('a wave whose run dies after the point of no return stays where it lives, and people hear of what was left', async () => {
  const dies = async (pointOfNoReturnPassed: boolean): Promise<Stage> => {
    const stage = new Stage(always, null).startAt('hypercare');
    stage.state.waves.splice(1);
    Object.assign(stage.state.waves[0]!, { status: 'running', switchedAt: 1, pointOfNoReturnPassed });
    stage.state.pointOfNoReturnPassed = pointOfNoReturnPassed;
    Object.assign(stage.runtime, { rollBack: () => Promise.resolve() });
    runCutover(stage.context as Parameters<typeof runCutover>[0]).catch((error: unknown) => (stage.ended = error));
    const rollback = { by: 'system', reason: 'ended from outside', at: 1, outcome: 'rolled-back', confirmedBy: [] };
    Object.assign(stage.state.waves[0]!, { status: 'stopped', rollback });
    stage.clock.touch();
    await stage.pass(MINUTE);
    return stage;
  };
  expect((await dies(false)).state).toMatchObject({ status: 'rolled-back', incidents: {} });
  const { state } = await dies(true);
  expect(state).toMatchObject({ status: 'running', rollback: null, waves: [{ status: 'live', rollback: null }] });
  expect(state.incidents).toEqual({
    'wave-1-ended': expect.objectContaining({
      severity: 'high',
      resolved: null,
      title: expect.stringContaining('for people'),
    }),
  });
});

it('voids open votes and tells who cast them', async () => {
  const stage = await cutoverAt('lessons');
  stage.step('hypercare').status = 'done';
  stage.gate('accept').status = 'open';
  stage.gate('accept').votes = [{ person: 'sven', decision: 'go', reason: null, digest: 'd', at: 0, voided: null }];
  await say(stage, amend('olga', 'letter'));
  await say(stage, amend('cara', 'letter'));
  expect(stage.gate('accept').votes[0]?.voided).toBe('the runbook was amended');
  expect(stage.state.notices.map(({ text }) => text)).toContainEqual(expect.stringMatching(/vote of sven is void/));
});

it('refuses mistakes, what the run stands on, and what is over, and changes nothing', async () => {
  const stage = await cutoverAt('lessons');
  const before = JSON.stringify(stage.state);
  expect(await say(stage, amend('olga', 'unsound'))).toMatch(/no sound runbook/);
  expect(await say(stage, amend('olga', 'other-target'))).toMatch(/the point of no return cannot be changed/);
  expect(await say(stage, amend('olga', 'briefing'))).toMatch(/phase briefing: a wave has begun, so `before` is over/);
  expect(await say(stage, amend('olga', 'r'))).toMatch(/goes by these documents already/);
  expect(stage.state.amendment).toBeUndefined();
  expect(JSON.parse(before)).toMatchObject({ steps: stage.state.steps });
});

describe('a wave', () => {
  const ask = { runbookHash: 'no-call', planHash: 'p', attempt: 1 };
  const waveAt = async (step: string): Promise<Stage> => {
    const stage = new Stage(always).startAt(step);
    runWave(stage.context).catch((error: unknown) => (stage.ended = error));
    await stage.pass(MINUTE);
    return stage;
  };
  const told = async (stage: Stage, request: Parameters<typeof applyWaveAmendment>[1]): Promise<void> => {
    applyWaveAmendment(stage.context, request);
    stage.clock.touch();
    await stage.pass(MINUTE);
  };

  it('starts nothing from when it is asked until it is told, then goes by the new documents', async () => {
    const stage = await waveAt('intake');
    await told(stage, { ...ask, runbookHash: 'ops-freezes', stage: 'ask' });
    expect(stage.state.adopting).toMatchObject({ stage: 'answered', problem: null });
    stage.say({ kind: 'go', person: 'cara', step: 'intake' });
    await stage.pass(MINUTE);
    expect(stage.calls).not.toContain('holdIntake');
    await told(stage, { ...ask, runbookHash: 'ops-freezes', stage: 'adopt' });
    expect(stage.calls).toContain('holdIntake');
    await stage.pass(6 * MINUTE);
    expect(stage.step('freeze')).toMatchObject({ status: 'waiting-go', goRole: 'ops' });
  });

  it('refuses by name what would leave out a step that has started, and goes on when it is dropped', async () => {
    const stage = await waveAt('intake');
    stage.step('roll-call').startedAt = 0;
    await told(stage, { ...ask, stage: 'ask' });
    expect(stage.state.adopting?.problem).toBe('step roll-call has started and cannot be left out');
    await told(stage, { ...ask, stage: 'drop' });
    stage.say({ kind: 'go', person: 'cara', step: 'intake' });
    await stage.pass(MINUTE);
    expect(stage.calls).toContain('holdIntake');
  });

  it('answers again after a continuation', async () => {
    const stage = await waveAt('intake');
    await told(stage, { ...ask, runbookHash: 'ops-freezes', stage: 'ask' });
    const carried = JSON.parse(JSON.stringify(stage.state)) as typeof stage.state;
    expect(carried.adopting).toMatchObject({ stage: 'answered', attempt: 1, problem: null });
  });
});

describe('what cannot be amended', () => {
  const documents = (hash: string): ResolvedRun => {
    const found = catalogue(new Stage(always).run).get(hash);
    if (!found) throw new Error(`no ${hash}`);
    return found;
  };
  it.each([
    ['freeze', 'other-words', 'step announce has started and cannot be changed; skip it and add another, or roll back'],
    ['freeze', 'no-call', 'step roll-call has started and cannot be left out'],
    ['switch', 'ops-freezes', 'step freeze has started and cannot be changed; skip it and add another, or roll back'],
  ])('at %s: %s', (step, hash, problem) => {
    const stage = new Stage(always).startAt(step);
    expect(amendmentProblems(stage.run, documents(hash), stage.state)).toEqual([problem]);
  });

  it('adds nothing to a phase whose gate has opened, and does not touch that gate', () => {
    const stage = new Stage(always).startAt('switch');
    for (const step of ['switch', 'smoke', 'release', 'start-jobs']) stage.step(step).status = 'done';
    stage.gate('open-doors').status = 'open';
    const problems = (hash: string): string[] => amendmentProblems(stage.run, documents(hash), stage.state);
    expect(problems('second-look')).toEqual(['step second-look: phase live is over; add it to a later phase']);
    expect(problems('vendor-votes')).toContain('gate open-doors has opened and cannot be changed');
  });
});
