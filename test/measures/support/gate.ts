import { redItems } from '../../../domain/gate';
import type { Context } from '../../../engine/context';
import type { Activities } from '../../../engine/contract';
import { initialState, phasesOf } from '../../../engine/initial-state';
import { applyMessage } from '../../../engine/messages';
import { holders } from '../../../engine/people';
import { runGate } from '../../../engine/run-gate';
import type { Runtime } from '../../../engine/runtime';
import type { GateState, RunState } from '../../../engine/state';
import type { Phase } from '../../../runbooks/schema/step';
import { waitUntil } from '../../support/wait-until';
import { CUTOVER, STARTER, type Billing } from './billing';

interface Waiter {
  condition: () => boolean;
  deadline: number | null;
  resolve: (met: boolean) => void;
}

/** The engine's Runtime with a clock that the test moves, and one activity: the real reading of measures. */
class HandRuntime implements Runtime {
  private waiters: Waiter[] = [];
  private clock = Date.parse('2026-11-28T23:00:00Z');
  readonly activities: Activities;

  constructor(readMeasures: Activities['readMeasures']) {
    this.activities = { readMeasures } as Activities;
  }

  now(): number {
    return this.clock;
  }

  until(condition: () => boolean, deadline: number | null): Promise<boolean> {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => this.waiters.push({ condition, deadline, resolve }));
  }

  get waits(): boolean {
    return this.waiters.length > 0;
  }

  /** Lets time pass, and looks at what is waited for. */
  pass(ms: number): void {
    this.clock += ms;
    const [met, over] = [
      this.waiters.filter((each) => each.condition()),
      this.waiters.filter((each) => !each.condition() && each.deadline !== null && each.deadline <= this.clock),
    ];
    this.waiters = this.waiters.filter((each) => !met.includes(each) && !over.includes(each));
    for (const waiter of met) waiter.resolve(true);
    for (const waiter of over) waiter.resolve(false);
  }

  publish(): void {
    // Nobody watches: the test reads the state itself.
  }

  wantsContinue(): boolean {
    return false;
  }

  background(): never {
    throw new Error('a gate keeps nothing going');
  }

  /** Nobody goes back here. */
  cancellable<T>(body: () => Promise<T>): Promise<T> {
    return body();
  }
}

/** Evidence older than this is read again while nobody is frozen. */
const REFRESH_MS = 600_000;

/** A gate of the shipped runbook, played by the engine: everything before it is done, and people say go. */
export class PlayedGate {
  private readonly runtime: HandRuntime;
  private readonly context: Context;
  private readonly phase: Phase;
  private ended: 'no' | 'passed' | Error = 'no';

  private constructor(billing: Billing, wave: number | null, id: string, prepare: (state: RunState) => void) {
    const { run } = billing;
    this.runtime = new HandRuntime(billing.activities.readMeasures);
    const start = { cutover: CUTOVER, wave, startedBy: STARTER, startedAt: this.runtime.now(), epoch: 1 };
    const state = initialState(run, start);
    for (const step of Object.values(state.steps)) {
      step.status = 'done';
      const mark = { person: STARTER, at: this.runtime.now() };
      for (const role of step.signedBy) step.signed[role] = mark;
      for (const item of step.items) step.checks[item] = { ...mark, ok: true, evidence: null };
    }
    prepare(state);
    this.context = { runtime: this.runtime, run, state, background: new Map() };
    const phase = phasesOf(run, wave).find((each) => each.gate?.id === id);
    if (!phase) throw new Error(`no gate ${id}`);
    this.phase = phase;
  }

  /** Opens the gate, and lets one person for each role vote go on what it shows. */
  static async open(
    billing: Billing,
    wave: number | null,
    id: string,
    prepare: (state: RunState) => void = () => undefined,
  ): Promise<PlayedGate> {
    const played = new PlayedGate(billing, wave, id, prepare);
    runGate(played.context, played.phase).then(
      () => (played.ended = 'passed'),
      (error: unknown) => (played.ended = error instanceof Error ? error : new Error(String(error))),
    );
    await played.settled();
    for (const role of played.gate.roles) played.vote(holders(billing.run, role)[0] ?? '');
    await played.look(0);
    return played;
  }

  get gate(): GateState {
    const gate = this.context.state.gates[this.phase.gate?.id ?? ''];
    if (!gate) throw new Error('the state has no such gate');
    return gate;
  }

  get red(): string[] {
    return redItems(this.gate.evidence, []).map((item) => item.id);
  }

  /** What is written at the gate about a measure. */
  shown(id: string): string | undefined {
    return this.gate.evidence.find((item) => item.id === id)?.shown;
  }

  get standingVotes(): string[] {
    return this.gate.votes.filter((vote) => vote.voided === null).map((vote) => vote.decision);
  }

  get notices(): string[] {
    return this.context.state.notices.map(({ text }) => text);
  }

  get passed(): boolean {
    return this.ended === 'passed';
  }

  /** Lets the gate read its evidence again. */
  async look(afterMs = REFRESH_MS): Promise<void> {
    this.runtime.pass(afterMs);
    await this.settled();
  }

  private vote(person: string): void {
    const message = { kind: 'vote', person, gate: this.gate.id, decision: 'go' } as const;
    const { answer } = applyMessage(this.context.state, this.context.run, message, this.runtime.now());
    if (!answer.accepted) throw new Error(answer.reason);
  }

  private async settled(): Promise<void> {
    await waitUntil(() => this.runtime.waits || this.ended !== 'no', 20_000);
    if (this.ended instanceof Error) throw this.ended;
  }
}

/** The measure alone keeps the gate shut although everybody said go; once `mend` has done its work it passes. */
export async function provesRed(gate: PlayedGate, measures: string[], mend: () => Promise<unknown>): Promise<void> {
  expect(gate.red).toEqual(measures);
  expect(gate.gate.status).toBe('open');
  expect(new Set(gate.standingVotes)).toEqual(new Set(['go']));
  expect(gate.standingVotes).toHaveLength(gate.gate.roles.length);
  expect(gate.notices.join()).toMatch(/all votes are go, but .* is red/);
  await gate.look();
  expect([gate.passed, gate.red]).toEqual([false, measures]);
  await mend();
  await gate.look();
  expect([gate.passed, gate.red]).toEqual([true, []]);
}
