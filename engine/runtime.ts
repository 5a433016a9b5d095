import type { Activities } from './contract';

/** A long-running activity the engine keeps going beside its steps (lease, follow). */
export interface Background<T> {
  /** Settles when the activity ended by itself, or after `stop`. */
  readonly ended: Promise<T | 'cancelled'>;
  /** Requests cancellation and resolves once the activity has really stopped. */
  stop(): Promise<void>;
}

/** What the engine needs from the place it runs in. Temporal and the simulator provide one each. */
export interface Runtime {
  /** Epoch ms; deterministic. */
  now(): number;
  /** Resolves true as soon as `condition` holds, false at `deadline` (epoch ms; null waits for ever). */
  until(condition: () => boolean, deadline: number | null): Promise<boolean>;
  readonly activities: Activities;
  /** Starts an activity that runs until stopped. */
  background<T>(start: (activities: Activities) => Promise<T>): Background<T>;
  /** Runs `body` so that a rollback cancels its activities and waits for them to end; rejects with Cancelled then. */
  cancellable<T>(body: () => Promise<T>, cancelled: () => boolean): Promise<T>;
  /** Tells watchers (queries, current details, search attributes) that the state changed. */
  publish(): void;
}

/** Thrown out of `cancellable` when the work was stopped to make way for a rollback. */
export class Cancelled extends Error {
  constructor() {
    super('stopped to make way for a rollback');
    this.name = 'Cancelled';
  }
}
