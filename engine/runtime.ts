import type { Activities } from './contract';
import type { RollbackRequest, WaveAmendment } from './state';

/** A long-running activity the engine keeps going beside its steps (lease, follow). */
export interface Background {
  /** Requests cancellation and resolves once the activity has really stopped. Never rejects. */
  stop(): Promise<void>;
}

/** What the engine needs from the place it runs in. Temporal and the simulator provide one each. */
export interface Runtime {
  /** Epoch ms; deterministic. */
  now(): number;
  /** Resolves true as soon as `condition` holds, false at `deadline` (epoch ms; null waits for ever). */
  until(condition: () => boolean, deadline: number | null): Promise<boolean>;
  readonly activities: Activities;
  /** Starts an activity that runs until stopped; `onEnd` hears when it ended by itself. */
  background(start: (activities: Activities) => Promise<unknown>, onEnd: (error: unknown) => void): Background;
  /** Runs `body`; once `cancelled` holds its activities are cancelled, effects are awaited, and it rejects with Cancelled. */
  cancellable<T>(body: () => Promise<T>, cancelled: () => boolean): Promise<T>;
  /** Tells watchers (queries, current details, search attributes) that the state changed. */
  publish(): void;
  /** True when the history is long: the engine stops at the next quiet point and the run continues as new. */
  wantsContinue(): boolean;
}

/** What a cutover needs beyond that: its waves and its rollbacks, which are runs of their own. */
export interface CutoverRuntime extends Runtime {
  /** Starts the wave's run, or finds it started. Its reports arrive by `applyWaveReport`. */
  startWave(wave: number): Promise<void>;
  /** Asks the wave to stop for a rollback; it reports `stopped`. A wave whose run has ended is reported stopped by the runtime. */
  stopWave(wave: number, request: RollbackRequest): Promise<void>;
  /** Tells a running wave of an amendment; a wave that has ended hears nothing. */
  askWave(wave: number, request: WaveAmendment): Promise<void>;
  /** Undoes everything the wave (null: the cutover itself) did; resolves when it is verified. */
  rollBack(wave: number | null): Promise<void>;
}

/** Thrown out of waits and `cancellable` when work stops to make way for a rollback. */
export class Cancelled extends Error {
  override name = 'Cancelled';
  constructor() {
    super('stopped to make way for a rollback');
  }
}

/** Thrown out of waits at a quiet point when the runtime wants to continue as new. */
export class ContinueRun extends Error {
  override name = 'ContinueRun';
  constructor() {
    super('continues as new');
  }
}
