import type { Context } from '../../engine/context';
import { neededMs } from '../../engine/hours';
import { initialState, phasesOf } from '../../engine/initial-state';
import { applyMessage, type RunMessage } from '../../engine/messages';
import { runPhases, watchFreeze } from '../../engine/run-phases';
import { Cancelled, ContinueRun } from '../../engine/runtime';
import type { RunState } from '../../engine/state';
import { withLedger } from '../../engine/with-ledger';
import type { Opening } from '../../domain/window';
import { bodies } from '../simulate/activities';
import { Clock } from '../simulate/clock';
import { ActivityPlayer, WEATHERS } from '../simulate/faults';
import { Prng } from '../simulate/prng';
import { simulatedRun, STARTER } from '../simulate/runbook';
import { SimRuntime } from '../simulate/runtime';
import { createWorld } from '../simulate/world/create';
import { truthOf } from '../simulate/world/writers';

const MINUTE = 60_000;

/** One wave's run over a virtual clock that starts at 0, with nobody but the test speaking to it. */
class Stage {
  readonly clock = new Clock(0);
  readonly world = createWorld(this.clock, new Prng(1), new Set());
  readonly run;
  readonly calls: string[] = [];
  runtime: SimRuntime;
  context: Context;
  ended: unknown = 'running';

  constructor(openings: Opening[], wave: number | null = 1) {
    this.run = simulatedRun(openings);
    this.runtime = this.newRuntime();
    const start = { cutover: 'c', wave, startedBy: STARTER, startedAt: 0, epoch: 0 };
    this.context = this.contextOf(initialState(this.run, start));
  }

  get state(): RunState {
    return this.context.state;
  }

  private newRuntime(): SimRuntime {
    const calm = WEATHERS[0];
    if (!calm) throw new Error('no calm weather');
    return new SimRuntime('wave', {
      clock: this.clock,
      player: new ActivityPlayer(
        this.clock,
        new Prng(2),
        calm,
        () => undefined,
        () => undefined,
      ),
      bodies: bodies(this.world, truthOf(this.world), this.run),
      onCall: (_, name) => this.calls.push(name),
      onPublish: () => undefined,
    });
  }

  private contextOf(state: RunState): Context {
    return { runtime: this.runtime, run: this.run, state, background: new Map() };
  }

  /** Steps before `step` count as done, gates of earlier phases as passed. */
  startAt(step: string): this {
    for (const phase of phasesOf(this.run, this.state.wave)) {
      for (const { id, kind } of phase.steps) {
        if ((id ?? kind) === step) return this;
        const known = this.state.steps[id ?? kind];
        if (known) known.status = 'done';
      }
      const gate = phase.gate && this.state.gates[phase.gate.id];
      if (gate) gate.status = 'passed';
    }
    throw new Error(`no step ${step}`);
  }

  play(): this {
    const note = (end: unknown) => (error?: unknown) => void (this.ended = error ?? end);
    const phases = phasesOf(this.run, this.state.wave);
    withLedger(this.context, () => runPhases(this.context, phases)).then(note('done'), note('failed'));
    return this;
  }

  /** As a continuation: the state as JSON, everything else new. */
  continued(): this {
    const state = JSON.parse(JSON.stringify(this.state)) as RunState;
    this.runtime = this.newRuntime();
    this.context = this.contextOf(state);
    this.ended = 'running';
    return this.play();
  }

  async pass(ms: number): Promise<void> {
    const until = this.clock.now + ms;
    let over = false;
    this.clock.after(ms, () => (over = true));
    await this.clock.run(
      () => over,
      () => undefined,
    );
    this.clock.now = until;
  }

  say(message: RunMessage): void {
    const { answer } = applyMessage(this.state, this.run, message, this.clock.now);
    expect(answer).toMatchObject({ accepted: true });
    this.clock.touch();
  }

  step(id: string) {
    const step = this.state.steps[id];
    if (!step) throw new Error(`no step ${id}`);
    return step;
  }

  gate(id: string) {
    const gate = this.state.gates[id];
    if (!gate) throw new Error(`no gate ${id}`);
    return gate;
  }
}

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
