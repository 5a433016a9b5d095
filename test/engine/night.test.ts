import { backOutBy, neededMs } from '../../engine/hours';
import { phasesOf } from '../../engine/initial-state';
import type { RunMessage } from '../../engine/messages';
import { watchFreeze } from '../../engine/run-phases';
import { Cancelled, ContinueRun } from '../../engine/runtime';
import type { Opening } from '../../domain/window';
import { STARTER } from '../simulate/runbook';
import { MINUTE, Stage } from './support/stage';

const vote = (person: string, gate: string, decision: 'go' | 'no-go' = 'go'): RunMessage => ({
  kind: 'vote',
  person,
  gate,
  decision,
});

describe('hours', () => {
  it.each([
    ['the window is closed', [{ opensAt: 600 * MINUTE, closesAt: 900 * MINUTE }], /closed; it opens at/],
    [
      'too little time is left to finish and back out',
      [{ opensAt: 0, closesAt: 8 * MINUTE }],
      /closes too soon: \d+ minutes/,
    ],
    ['a blackout took the only opening', [], /no later opening: reschedule it/],
  ] as [string, Opening[], RegExp][])('stops the freeze when %s', async (_, openings, problem) => {
    const stage = new Stage(openings).startAt('freeze').play();
    await stage.pass(5 * MINUTE);
    expect(stage.step('freeze').status).toBe('waiting-window');
    expect(stage.step('freeze').problem).toMatch(problem);
    expect(stage.calls).not.toContain('freeze');
  });

  it('lets the freeze start once two own people agreed on another opening', async () => {
    const stage = new Stage([]).startAt('freeze').play();
    await stage.pass(MINUTE);
    const opening = { window: 'night', opensAt: 0, closesAt: 300 * MINUTE };
    stage.say({ kind: 'reschedule', person: 'olga', ...opening });
    await stage.pass(MINUTE);
    expect(stage.step('freeze').status).toBe('waiting-window');
    stage.say({ kind: 'reschedule', person: 'cara', ...opening });
    await stage.pass(MINUTE);
    expect(stage.step('freeze').status).toBe('waiting-go');
    stage.say({ kind: 'go', person: STARTER, step: 'freeze' });
    await stage.pass(MINUTE);
    expect(stage.state.frozen).not.toBeNull();
  });

  it('asks for a new go when the window closed over the first one', async () => {
    const stage = new Stage([
      { opensAt: 0, closesAt: 30 * MINUTE },
      { opensAt: 90 * MINUTE, closesAt: 500 * MINUTE },
    ]);
    stage.startAt('freeze').play();
    await stage.pass(25 * MINUTE);
    stage.say({ kind: 'go', person: STARTER, step: 'freeze' });
    await stage.pass(70 * MINUTE);
    expect(stage.step('freeze')).toMatchObject({ status: 'waiting-go', go: null });
  });

  it('looks again when something that ended or was skipped leaves time enough', async () => {
    const plan = new Stage([]).startAt('freeze');
    const night = phasesOf(plan.run, 1)[1]!;
    const whole = neededMs(plan.context, night);
    plan.step('smoke').status = 'skipped';
    const closesAt = (whole + neededMs(plan.context, night)) / 2;
    const stage = new Stage([{ opensAt: 0, closesAt }]).startAt('freeze').play();
    await stage.pass(MINUTE / 60);
    expect(stage.step('freeze')).toMatchObject({
      status: 'waiting-window',
      problem: expect.stringContaining('too soon'),
    });
    stage.say({ kind: 'skipStep', person: STARTER, step: 'smoke', reason: 'agreed on the bridge' });
    await stage.pass(MINUTE / 60);
    expect(stage.step('freeze').status).toBe('waiting-go');
  });

  it('needs less the more is done', () => {
    const stage = new Stage([]);
    const phase = phasesOf(stage.run, 1)[1];
    if (!phase) throw new Error('no phase');
    const whole = neededMs(stage.context, phase);
    stage.startAt('freeze');
    expect(neededMs(stage.context, phase)).toBeLessThan(whole);
  });
});

describe('while customers are frozen', () => {
  it('goes back in time for an opening that was moved under it, and at once when none is left', async () => {
    const stage = new Stage([{ opensAt: 0, closesAt: 600 * MINUTE }]).startAt('switch');
    stage.state.frozen = { at: 0, epoch: 0, notAfter: 400 * MINUTE };
    await stage.pass(10 * MINUTE);
    stage.state.rescheduled = { night: [{ opensAt: 10 * MINUTE, closesAt: 60 * MINUTE }] };
    const closing = backOutBy(stage.context);
    expect(closing).toBeGreaterThan(10 * MINUTE);
    expect(closing).toBeLessThan(60 * MINUTE);
    stage.state.rescheduled = { night: [{ opensAt: 1_440 * MINUTE, closesAt: 1_500 * MINUTE }] };
    expect(backOutBy(stage.context)).toBeLessThanOrEqual(10 * MINUTE);
  });

  it('goes back by itself in time when people hesitate', async () => {
    const stage = new Stage([{ opensAt: 0, closesAt: 600 * MINUTE }]).startAt('switch');
    stage.state.frozen = { at: 0, epoch: 0, notAfter: 45 * MINUTE };
    let watched: unknown = 'running';
    void watchFreeze(stage.context).then(() => (watched = 'done'));
    stage.play();
    await stage.pass(43 * MINUTE);
    expect(stage.state.rollback).toBeNull();
    await stage.pass(2 * MINUTE);
    expect(stage.state.rollback).toMatchObject({ by: 'system', outcome: 'rolled-back' });
    expect(stage.ended).toBeInstanceOf(Cancelled);
    expect(watched).toBe('done');
  });
});

describe('following the source', () => {
  it('tells people when it ended by itself, and begins again with the next step', async () => {
    const stage = new Stage([]).startAt('compare-live');
    stage.state.following = true;
    const ends: ((error: unknown) => void)[] = [];
    stage.runtime.background = (_, onEnd) => {
      ends.push(onEnd);
      return { stop: () => Promise.resolve() };
    };
    stage.play();
    await stage.pass(MINUTE);
    ends[0]?.(new Error('invoice has another column'));
    expect(stage.state.notices.at(-1)?.text).toMatch(/does not follow the source for now: invoice has another column$/);
    await stage.pass(60 * MINUTE);
    expect(ends).toHaveLength(1);
    expect(stage.step('compare-live').status).toBe('failed'); // nothing was copied
    stage.say({ kind: 'retryStep', person: STARTER, step: 'compare-live' });
    await stage.pass(MINUTE);
    expect(ends).toHaveLength(2);
  });
});

describe('pause and skip', () => {
  const always = [{ opensAt: 0, closesAt: 10_000 * MINUTE }];

  it('starts no step while paused, not even one whose go came before', async () => {
    const stage = new Stage(always).startAt('freeze').play();
    await stage.pass(MINUTE);
    stage.say({ kind: 'pause', person: 'olga', reason: 'wait' });
    stage.say({ kind: 'go', person: STARTER, step: 'freeze' });
    await stage.pass(10 * MINUTE);
    expect(stage.calls).not.toContain('freeze');
    expect(stage.step('freeze').status).toBe('pending'); // nobody is waited for but whoever resumes
    stage.say({ kind: 'resume', person: 'olga' });
    await stage.pass(MINUTE);
    expect(stage.calls).toContain('freeze');
  });

  it('does not switch when the run was paused while a gate was asked anew', async () => {
    const stage = new Stage(always).startAt('switch');
    stage.step('roll-call').items = [];
    stage.play();
    await stage.pass(MINUTE);
    stage.say({ kind: 'go', person: STARTER, step: 'switch' });
    await stage.pass(MINUTE);
    expect(stage.gate('final').status).toBe('open'); // nobody has voted on it
    stage.say({ kind: 'pause', person: 'olga', reason: 'wait' });
    for (const person of ['olga', 'otto', 'vera', 'cara']) stage.say(vote(person, 'final'));
    await stage.pass(10 * MINUTE);
    expect(stage.gate('final').status).toBe('passed');
    expect(stage.calls).not.toContain('switchWave');
    stage.say({ kind: 'resume', person: 'olga' });
    await stage.pass(MINUTE);
    expect(stage.calls).toContain('switchWave');
  });

  it('leaves a window that never opens when the step is skipped', async () => {
    const stage = new Stage([]).startAt('opens').play();
    await stage.pass(MINUTE);
    stage.say({ kind: 'skipStep', person: STARTER, step: 'opens', reason: 'agreed on the bridge' });
    await stage.pass(MINUTE);
    expect(stage.step('opens').status).toBe('skipped');
    expect(stage.step('roll-call').status).toBe('waiting-people');
  });
});

describe('gates', () => {
  const always = [{ opensAt: 0, closesAt: 10_000 * MINUTE }];

  it('is left for a rollback while its measures do not answer', async () => {
    const stage = new Stage(always).startAt('switch');
    stage.gate('final').status = 'pending';
    const { runtime } = stage;
    Object.assign(runtime.activities, { readMeasures: () => new Promise(() => undefined) });
    runtime.cancellable = (body, cancelled) =>
      Promise.race([
        body(),
        runtime.until(cancelled, null).then(() => {
          throw new Cancelled();
        }),
      ]);
    stage.play();
    await stage.pass(MINUTE);
    expect(stage.gate('final')).toMatchObject({ status: 'open', digest: null });
    stage.say({ kind: 'requestRollback', person: STARTER, reason: 'nobody answers' });
    await stage.pass(MINUTE);
    expect(stage.ended).toBeInstanceOf(Cancelled);
  });
  const atGate = async (): Promise<Stage> => {
    const stage = new Stage(always).startAt('compare-live');
    stage.step('compare-live').status = 'done';
    stage.play();
    await stage.pass(MINUTE);
    return stage;
  };

  it('keeps votes when the run continues as new while it is open', async () => {
    const stage = await atGate();
    stage.say(vote('olga', 'go-night'));
    await stage.pass(MINUTE);
    stage.runtime.longHistory = true;
    stage.clock.touch();
    await stage.pass(11 * MINUTE);
    expect(stage.ended).toBeInstanceOf(ContinueRun);
    stage.continued();
    await stage.pass(MINUTE);
    expect(stage.gate('go-night').status).toBe('open');
    stage.say(vote('sven', 'go-night'));
    await stage.pass(MINUTE);
    expect(stage.gate('go-night').status).toBe('passed');
  });

  it('voids a vote when a measure turns red, and passes on a new one', async () => {
    const stage = await atGate();
    stage.say(vote('olga', 'go-night'));
    await stage.pass(MINUTE);
    stage.world.measures.set('owed', false);
    stage.say(vote('sven', 'go-night'));
    await stage.pass(MINUTE);
    expect(stage.gate('go-night')).toMatchObject({ status: 'open' });
    expect(stage.gate('go-night').votes.every((each) => each.voided !== null)).toBe(true);
    stage.world.measures.set('owed', true);
    stage.say(vote('olga', 'go-night'));
    await stage.pass(MINUTE);
    stage.say(vote('sven', 'go-night'));
    await stage.pass(MINUTE);
    expect(stage.gate('go-night').status).toBe('passed');
  });

  it('holds at a no-go until that person says go', async () => {
    const stage = await atGate();
    stage.say(vote('olga', 'go-night', 'no-go'));
    await stage.pass(MINUTE);
    stage.say(vote('sven', 'go-night'));
    await stage.pass(MINUTE);
    expect(stage.gate('go-night').status).toBe('held');
    stage.say(vote('olga', 'go-night'));
    await stage.pass(MINUTE);
    expect(stage.gate('go-night').status).toBe('passed');
  });

  it('decides at its deadline though every vote is go, when the evidence is red', async () => {
    const stage = new Stage(always).startAt('switch');
    stage.gate('final').status = 'pending';
    stage.world.measures.set('owed', false);
    stage.play();
    await stage.pass(MINUTE);
    for (const person of ['olga', 'vera', 'otto']) stage.say(vote(person, 'final'));
    await stage.pass(30 * MINUTE);
    expect(stage.gate('final').status).toBe('refused');
    expect(stage.ended).toBeInstanceOf(Cancelled);
    expect(stage.calls.length).toBeLessThan(100);
  });

  it('only holds at a no-go past the point of no return', async () => {
    const stage = new Stage(always, null).startAt('lessons');
    stage.step('lessons').status = 'done';
    stage.state.pointOfNoReturnPassed = true;
    stage.play();
    await stage.pass(MINUTE);
    stage.say(vote('olga', 'closed', 'no-go'));
    await stage.pass(MINUTE);
    expect(stage.gate('closed').status).toBe('held');
    expect(stage.state.rollback).toBeNull();
  });
});

it('keeps hypercare open while a high incident is', async () => {
  const stage = new Stage([], null).startAt('hypercare').play();
  await stage.pass(MINUTE);
  stage.say({ kind: 'raiseIncident', person: 'cara', incident: 'i1', severity: 'high', title: 'x' });
  await stage.pass(7 * 60 * MINUTE);
  expect(stage.step('hypercare').status).toBe('waiting-people');
  stage.say({ kind: 'resolveIncident', person: 'cara', incident: 'i1' });
  await stage.pass(MINUTE);
  expect(stage.step('hypercare').status).toBe('done');
});
