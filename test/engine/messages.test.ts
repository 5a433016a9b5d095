import { initialState, openIncidents } from '../../engine/initial-state';
import { applyMessage, type RunMessage } from '../../engine/messages';
import type { RunState } from '../../engine/state';
import { simulatedRun, STARTER } from '../simulate/runbook';

const run = simulatedRun([{ opensAt: 0, closesAt: 1_000_000 }]);
const fresh = (wave: number | null = 1): RunState =>
  initialState(run, { cutover: 'c', wave, startedBy: STARTER, startedAt: 0, epoch: 1 });
const say = (state: RunState, message: RunMessage, now = 10) => applyMessage(state, run, message, now);
const reason = (state: RunState, message: RunMessage): string => {
  const { answer } = say(state, message);
  if (answer.accepted) throw new Error('was accepted');
  return answer.reason;
};

function withGate(status: 'open' | 'passed' = 'open'): RunState {
  const state = fresh();
  Object.assign(state.gates['final']!, { status, digest: 'now', seen: { now: [] }, deadline: 100 });
  return state;
}

it('a wave that starts knows of what was raised before and nobody has resolved', () => {
  const before = fresh(null);
  for (const incident of ['old', 'new'])
    say(before, { kind: 'raiseIncident', person: 'cara', incident, severity: 'high', title: 'x' });
  say(before, { kind: 'resolveIncident', person: 'cara', incident: 'old' });
  const start = { cutover: 'c', wave: 2, startedBy: STARTER, startedAt: 0, epoch: 1, incidents: openIncidents(before) };
  expect(Object.keys(initialState(run, start).incidents)).toEqual(['new']);
});

describe('refusals name the remedy', () => {
  it('names the people when nobody is called so', () =>
    expect(reason(fresh(), { kind: 'resume', person: 'zoe' })).toMatch(/zoe.*lena, sven/));

  it.each([
    ['a gate that is not there', { kind: 'vote', person: 'olga', gate: 'x', decision: 'go' }, /gates: go-night, final/],
    [
      'a gate named like a property of objects',
      { kind: 'vote', person: 'olga', gate: 'constructor', decision: 'go' },
      /no gate/,
    ],
    ['a gate that is not open', { kind: 'vote', person: 'olga', gate: 'go-night', decision: 'go' }, /not open yet/],
    ['a vote of the starter', { kind: 'vote', person: STARTER, gate: 'final', decision: 'go' }, /started the run/],
    ['a vote without a role', { kind: 'vote', person: 'sven', gate: 'final', decision: 'go' }, /it asks ops \(/],
    [
      'a vote on evidence never shown',
      { kind: 'vote', person: 'olga', gate: 'final', decision: 'go', digest: 'z' },
      /never showed/,
    ],
    ['a go nobody asked for', { kind: 'go', person: 'olga', step: 'preload' }, /asks nobody/],
    ['a go before its time', { kind: 'go', person: STARTER, step: 'freeze' }, /does not wait for a go yet: pending/],
    ['a task that is not open', { kind: 'completeTask', person: 'olga', step: 'debits' }, /not open/],
    ['a step that is no task', { kind: 'completeTask', person: 'olga', step: 'freeze' }, /is a freeze/],
    [
      'a check of something else',
      { kind: 'recordCheck', person: 'olga', step: 'debits', item: 'x', ok: true },
      /is a task/,
    ],
    ['a retry of what has not failed', { kind: 'retryStep', person: 'olga', step: 'freeze' }, /has not failed/],
    [
      'a skip of what the switch rests on',
      { kind: 'skipStep', person: STARTER, step: 'drain', reason: 'x' },
      /cannot be skipped/,
    ],
    [
      'a skip by somebody else',
      { kind: 'skipStep', person: 'vera', step: 'announce', reason: 'x' },
      /is skipped by lena or ops/,
    ],
    ['a step named like a property of objects', { kind: 'retryStep', person: 'olga', step: 'toString' }, /no step/],
    ['an unknown incident', { kind: 'resolveIncident', person: 'olga', incident: 'constructor' }, /no incident/],
    ['a resume of a run that is not paused', { kind: 'resume', person: 'olga' }, /not paused/],
    [
      'an unknown window',
      { kind: 'reschedule', person: 'olga', window: 'day', opensAt: 1, closesAt: 20 },
      /windows: night/,
    ],
    [
      'a window that closes before it opens',
      { kind: 'reschedule', person: 'olga', window: 'night', opensAt: 9, closesAt: 2 },
      /closes after/,
    ],
    ['a window in the past', { kind: 'reschedule', person: 'olga', window: 'night', opensAt: 1, closesAt: 5 }, /past/],
    [
      'a window moved by a supplier',
      { kind: 'reschedule', person: 'vera', window: 'night', opensAt: 1, closesAt: 90 },
      /own people/,
    ],
  ] as [string, RunMessage, RegExp][])('refuses %s', (_, message, text) => {
    const state = withGate();
    const before = JSON.stringify({ ...state, notices: [] });
    expect(reason(state, message)).toMatch(text);
    expect(JSON.stringify({ ...state, notices: [] })).toBe(before);
    expect(state.notices).toHaveLength(1);
  });

  it('refuses a late vote and a vote at a closed gate', () => {
    const late = say(withGate(), { kind: 'vote', person: 'olga', gate: 'final', decision: 'go' }, 101).answer;
    expect(late).toMatchObject({ accepted: false, reason: expect.stringContaining('deadline') as string });
    expect(reason(withGate('passed'), { kind: 'vote', person: 'olga', gate: 'final', decision: 'go' })).toMatch(
      /closed/,
    );
  });
});

it('refuses a vote on evidence that is still being read', () => {
  const state = withGate();
  const gate = state.gates['final'];
  if (gate) gate.digest = null;
  expect(reason(state, { kind: 'vote', person: 'olga', gate: 'final', decision: 'go' })).toMatch(
    /not read yet; vote once/,
  );
  expect(gate?.votes).toEqual([]);
});

describe('ids', () => {
  it('answers an id once and again, without doing anything again', () => {
    const state = fresh();
    const message: RunMessage = { kind: 'pause', person: 'olga', reason: 'x', id: 'm1' };
    const first = say(state, message);
    say(state, { kind: 'resume', person: 'olga' });
    const second = say(state, message);
    expect(second).toEqual({ answer: first.answer, ledger: [] });
    expect(state.paused).toBeNull();
  });

  it('remembers a refusal too, over a continuation', () => {
    const state = fresh();
    const message: RunMessage = { kind: 'resume', person: 'olga', id: 'm2' };
    const refused = say(state, message).answer;
    const carried = JSON.parse(JSON.stringify(state)) as RunState;
    carried.paused = { person: 'olga', at: 1, reason: 'x' };
    expect(say(carried, message).answer).toEqual(refused);
    expect(carried.paused).not.toBeNull();
  });

  it('takes an id that is named like a property of objects for a new one', () =>
    expect(say(fresh(), { kind: 'pause', person: 'olga', reason: 'x', id: 'constructor' }).ledger).toHaveLength(1));
});

describe('votes', () => {
  it('replaces what the same person said before', () => {
    const state = withGate();
    say(state, { kind: 'vote', person: 'olga', gate: 'final', decision: 'no-go', reason: 'doubts' });
    say(state, { kind: 'vote', person: 'olga', gate: 'final', decision: 'go' });
    expect(state.gates['final']?.votes).toMatchObject([{ person: 'olga', decision: 'go', digest: 'now' }]);
  });
});

describe('steering', () => {
  it('moves a window when a second own person asks for the same opening', () => {
    const state = fresh();
    const ask = (person: string, closesAt = 500): void =>
      void say(state, { kind: 'reschedule', person, window: 'night', opensAt: 100, closesAt });
    ask('olga');
    ask('olga');
    ask('cara', 600);
    expect(state.rescheduled).toEqual({});
    ask('cara');
    expect(state.rescheduled['night']).toEqual([{ opensAt: 100, closesAt: 500 }]);
  });

  it('moves a window back to an opening that was agreed before another, again by two own people', () => {
    const state = fresh();
    const ask = (person: string, closesAt: number): void =>
      void say(state, { kind: 'reschedule', person, window: 'night', opensAt: 100, closesAt });
    for (const closesAt of [500, 600]) for (const person of ['olga', 'cara']) ask(person, closesAt);
    ask('olga', 500);
    expect(state.rescheduled['night']).toEqual([{ opensAt: 100, closesAt: 600 }]);
    ask('cara', 500);
    expect(state.rescheduled['night']).toEqual([{ opensAt: 100, closesAt: 500 }]);
  });

  it('takes a second request for a rollback as its confirmation, own people only', () => {
    const state = fresh();
    const notes = ['vera', 'vera', 'olga', 'olga', 'sven', 'olga'].map((person) => {
      const { answer } = say(state, { kind: 'requestRollback', person, reason: 'x' });
      return answer.accepted ? answer.note : answer.reason;
    });
    expect(state.rollback).toMatchObject({ by: 'vera', confirmedBy: ['olga', 'sven'] });
    const asked = 'rollback was asked for already by vera';
    expect(notes).toEqual([
      undefined,
      `${asked}; outside its window it takes 2 own people, none of them yet`,
      `${asked}; outside its window it takes 2 own people, so far olga`,
      `${asked}; outside its window it takes 2 own people, so far olga`,
      `${asked}; this confirms it`,
      `${asked}, and confirmed by olga, sven`,
    ]);
  });

  it('refuses a rollback after the point of no return', () => {
    const state = fresh(null);
    state.pointOfNoReturnPassed = true;
    expect(reason(state, { kind: 'requestRollback', person: 'olga', reason: 'x' })).toMatch(
      /point of no return \(accept\)/,
    );
    expect(state.rollback).toBeNull();
  });
});
