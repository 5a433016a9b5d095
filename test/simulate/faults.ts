import type { Clock } from './clock';
import type { Prng } from './prng';
import type { Happened } from './tally';
import { ActivityCancelled, ActivityFault, type Attempt } from './world/attempt';

/** How often things go wrong, as probabilities per activity call. */
export interface Weather {
  failBefore: number;
  replyLost: number;
  dies: number;
  /** The process sleeps, is given up, and wakes much later with its old epoch. */
  zombie: number;
  /** A failure that no retry mends: the step stops and a person must say retry. */
  refused: number;
  slow: number;
}

export const WEATHERS: readonly Weather[] = [
  { failBefore: 0, replyLost: 0, dies: 0, zombie: 0, refused: 0, slow: 0 },
  { failBefore: 0.03, replyLost: 0.03, dies: 0.03, zombie: 0.03, refused: 0.004, slow: 0.03 },
  { failBefore: 0.08, replyLost: 0.1, dies: 0.08, zombie: 0.12, refused: 0.015, slow: 0.1 },
];

/** Cancellation asked for by the engine; seen by an attempt at its next heartbeat. */
export interface Scope {
  cancelled: boolean;
}

export interface Call {
  name: string;
  /** Steps' effects may fail for good; what a run cannot do without is retried for ever, as its policy says. */
  mayRefuse: boolean;
  scope: Scope;
  body: (attempt: Attempt) => Promise<unknown>;
}

const HEARTBEAT_MS = 30_000;
const BACKOFF_MS = [1_000, 5_000, 20_000, 60_000];

/** Plays one activity as Temporal would: attempts, retries after faults, silence after a death, waking zombies. */
export class ActivityPlayer {
  constructor(
    private readonly clock: Clock,
    private readonly prng: Prng,
    private readonly weather: Weather,
    private readonly trace: (text: string) => void,
    private readonly happened: Happened,
  ) {}

  async play(call: Call): Promise<unknown> {
    for (let tries = 0; ; tries++) {
      await this.clock.sleep(this.prng.int(1, 200));
      if (call.scope.cancelled) throw new ActivityCancelled();
      const outcome = await this.attempt(call);
      if (outcome.kind === 'done') return outcome.value;
      if (outcome.kind === 'error') {
        if (outcome.error instanceof ActivityCancelled) throw outcome.error;
        if (!(outcome.error instanceof ActivityFault) || outcome.error.type !== 'SystemUnavailable')
          throw outcome.error;
      }
      if (outcome.kind === 'reply lost') this.happened('fault/reply lost');
      this.trace(`${call.name}: ${outcome.kind}, tries again`);
      const pause = outcome.kind === 'error' ? (BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] ?? 0) : HEARTBEAT_MS;
      await this.clock.sleep(pause);
    }
  }

  private async attempt(call: Call): Promise<Outcome> {
    const { prng, weather } = this;
    if (prng.chance(weather.failBefore)) {
      this.happened('fault/no answer');
      return fault('SystemUnavailable', 'the system does not answer');
    }
    if (call.mayRefuse && prng.chance(weather.refused)) {
      this.happened('fault/refused for good');
      return fault('SystemRefused', 'the system refused');
    }
    let crash: (outcome: Outcome) => void = () => undefined;
    const crashed = new Promise<Outcome>((resolve) => (crash = resolve));
    const body = call.body(this.interrupted(call, crash)).then(
      (value): Outcome => ({ kind: 'done', value }),
      (error: unknown): Outcome => ({ kind: 'error', error }),
    );
    const outcome = await Promise.race([body, crashed]);
    if (outcome.kind === 'done' && prng.chance(weather.replyLost)) return { kind: 'reply lost' };
    return outcome;
  }

  /** An attempt that may die or fall asleep at one of its first ticks. */
  private interrupted(call: Call, crash: (outcome: Outcome) => void): Attempt {
    const { prng, weather, clock } = this;
    const dies = prng.chance(weather.dies);
    const zombie = !dies && prng.chance(weather.zombie);
    const slow = prng.chance(weather.slow) ? prng.int(2, 30) : 1;
    let left = dies || zombie ? prng.int(1, 4) : Infinity;
    return {
      cancelled: () => call.scope.cancelled,
      tick: async (ms) => {
        left--;
        if (left !== 0) {
          if (slow > 1) this.happened('fault/slow');
          return clock.sleep(ms * slow);
        }
        this.happened(dies ? 'fault/died' : 'fault/fell asleep');
        clock.after(1, () => crash({ kind: dies ? 'died' : 'fell asleep' }));
        if (dies) return new Promise<void>(() => undefined);
        const sleep = prng.chance(0.5) ? prng.int(30_000, 300_000) : prng.int(300_000, 7_200_000);
        await clock.sleep(sleep);
        this.happened('fault/woke late');
        this.trace(`${call.name}: a zombie wakes`);
      },
    };
  }
}

type Outcome =
  | { kind: 'done'; value: unknown }
  | { kind: 'error'; error: unknown }
  | { kind: 'died' | 'fell asleep' | 'reply lost' };

const fault = (type: ActivityFault['type'], message: string): Outcome => ({
  kind: 'error',
  error: new ActivityFault(type, message),
});
