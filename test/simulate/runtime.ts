import type { Activities } from '../../engine/contract';
import { Cancelled, type Background, type Runtime } from '../../engine/runtime';
import { STEP_EFFECTS, type Bodies } from './activities';
import type { Clock } from './clock';
import type { ActivityPlayer, Scope } from './faults';
import { ActivityCancelled } from './world/attempt';

export interface Place {
  clock: Clock;
  player: ActivityPlayer;
  bodies: Bodies;
  /** Told of every call the engine makes, before it starts. */
  onCall: (runtime: SimRuntime, name: keyof Activities, input: unknown) => void;
  onPublish: (runtime: SimRuntime) => void;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** The engine's Runtime over the virtual clock, with Temporal's meaning of cancellation (WAIT_CANCELLATION_COMPLETED). */
export class SimRuntime implements Runtime {
  /** The run was terminated: nothing it waits for ever comes. */
  dead = false;
  /** A long history: the engine is asked to continue as new. */
  longHistory = false;
  readonly activities: Activities;
  private readonly foreground = new Set<Scope>();
  private cancelling: (() => boolean) | null = null;

  constructor(
    readonly name: string,
    private readonly place: Place,
  ) {
    this.activities = this.proxy(null);
  }

  now(): number {
    return this.place.clock.now;
  }

  until(condition: () => boolean, deadline: number | null): Promise<boolean> {
    return this.deliver(this.place.clock.until(() => !this.dead && condition(), deadline));
  }

  publish(): void {
    if (this.dead) return;
    this.place.clock.touch();
    this.place.onPublish(this);
  }

  wantsContinue(): boolean {
    return this.longHistory;
  }

  background(start: (activities: Activities) => Promise<unknown>, onEnd: (error: unknown) => void): Background {
    const scope: Scope = { cancelled: false };
    let stopping = false;
    const done = start(this.proxy(scope)).then(
      () => (stopping ? undefined : onEnd(undefined)),
      (error: unknown) => (stopping ? undefined : onEnd(error)),
    );
    const ended = done.then(() => this.place.clock.touch());
    return {
      stop: async () => {
        stopping = true;
        scope.cancelled = true;
        await ended;
      },
    };
  }

  async cancellable<T>(body: () => Promise<T>, cancelled: () => boolean): Promise<T> {
    this.cancelling = cancelled;
    let ended = false;
    const watch = this.until(() => ended || cancelled(), null).then(() => {
      if (!ended) for (const scope of this.foreground) scope.cancelled = true;
    });
    try {
      return await body();
    } catch (error) {
      if (error instanceof ActivityCancelled) throw new Cancelled();
      throw error;
    } finally {
      ended = true;
      this.place.clock.touch();
      await watch;
    }
  }

  private proxy(background: Scope | null): Activities {
    const calls = Object.keys(this.place.bodies).map((name) => [
      name,
      (input: unknown) => this.call(name as keyof Activities, input, background),
    ]);
    return Object.fromEntries(calls) as Activities;
  }

  private async call(name: keyof Activities, input: unknown, background: Scope | null): Promise<unknown> {
    const { player, bodies, onCall, clock } = this.place;
    const stoppable = background === null && this.cancelling !== null && STEP_EFFECTS.has(name);
    if (stoppable && this.cancelling?.()) throw new ActivityCancelled();
    const scope = background ?? { cancelled: false };
    if (stoppable) this.foreground.add(scope);
    onCall(this, name, input);
    const body = bodies[name] as (attempt: unknown, input: unknown) => Promise<unknown>;
    const copied: unknown = name === 'saveView' ? null : structuredCloneOf(input);
    try {
      const value = await player.play({
        name,
        mayRefuse: background === null && STEP_EFFECTS.has(name) && name !== 'recordUndo',
        scope,
        body: (attempt) => body(attempt, copied),
      });
      return await this.deliver(Promise.resolve(structuredCloneOf(value)));
    } catch (error) {
      return await this.deliver(Promise.reject(error instanceof Error ? error : new Error(String(error))));
    } finally {
      this.foreground.delete(scope);
      clock.touch();
    }
  }

  /** What a terminated run waits for never comes. */
  private async deliver<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await promise;
      return this.dead ? await never<T>() : value;
    } catch (error) {
      if (this.dead) return never<T>();
      throw error;
    }
  }
}

/** Inputs and results cross a process boundary: nothing is shared, everything is JSON. */
const structuredCloneOf = (value: unknown): unknown =>
  value === undefined || value === null ? value : (JSON.parse(JSON.stringify(value)) as unknown);
