import type { Context } from '../../../engine/context';
import { initialState, phasesOf } from '../../../engine/initial-state';
import { applyMessage, type RunMessage } from '../../../engine/messages';
import { runPhases } from '../../../engine/run-phases';
import type { MessageAnswer, RunState } from '../../../engine/state';
import { withLedger } from '../../../engine/with-ledger';
import type { Opening } from '../../../domain/window';
import { catalogue } from '../../simulate/amendments';
import { bodies } from '../../simulate/activities';
import { Clock } from '../../simulate/clock';
import { ActivityPlayer, WEATHERS } from '../../simulate/faults';
import { Prng } from '../../simulate/prng';
import { simulatedRun, STARTER } from '../../simulate/runbook';
import { SimRuntime } from '../../simulate/runtime';
import { createWorld } from '../../simulate/world/create';
import { truthOf } from '../../simulate/world/writers';

export const MINUTE = 60_000;

/** One wave's run over a virtual clock that starts at 0, with nobody but the test speaking to it. */
export class Stage {
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
      bodies: bodies(this.world, truthOf(this.world), catalogue(this.run)),
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
    const body = async (): Promise<void> => {
      if (this.state.wave !== null) return runPhases(this.context, 'perWave');
      await runPhases(this.context, 'before');
      await runPhases(this.context, 'after');
    };
    withLedger(this.context, body).then(note('done'), note('failed'));
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

  ask(message: RunMessage): MessageAnswer {
    const { answer, ledger } = applyMessage(this.state, this.context.run, message, this.clock.now);
    this.state.ledgerPending.push(...ledger);
    this.clock.touch();
    return answer;
  }

  say(message: RunMessage): void {
    expect(this.ask(message)).toMatchObject({ accepted: true });
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
