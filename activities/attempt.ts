import { ApplicationFailure, CancelledFailure, Context, heartbeat } from '@temporalio/activity';
import { isDatabaseError, toSystemFault } from '../systems/postgres/connect';
import { SystemFault } from '../systems/ports';

const HEARTBEAT_MS = 1_500;

/** Failure types that cross the activity boundary. The first is retried by policy; the others stop the step. */
type FailureType = 'SystemUnavailable' | 'SystemRefused' | 'InvalidRunbook' | 'StaleEpoch';

/** What a long activity gets: says that it lives, and throws when it was asked to stop. */
export interface Beat {
  /** Details shown in the Temporal UI: counts. */
  progress(details: object): void;
  /** Aborted once cancellation was requested. */
  ended: AbortSignal;
  /** Throws CancelledFailure once cancellation was requested. */
  check(): void;
  /** Waits; ends early, by throwing, on cancellation. */
  pause(ms: number): Promise<void>;
}

/** Runs `body` while heartbeats go out by themselves. */
export async function beating<T>(body: (beat: Beat) => Promise<T>): Promise<T> {
  const { cancellationSignal } = Context.current();
  let details: object = {};
  const timer = setInterval(() => heartbeat(details), HEARTBEAT_MS);
  const check = (): void => {
    if (cancellationSignal.aborted) throw new CancelledFailure('stopped');
  };
  try {
    return await body({
      progress: (next) => {
        details = next;
        heartbeat(next);
      },
      ended: cancellationSignal,
      check,
      pause: (ms) => Context.current().sleep(ms),
    });
  } finally {
    clearInterval(timer);
  }
}

/** A newer attempt has taken over: this one wrote nothing and must not be tried again. */
export const staleEpoch = (what: string): ApplicationFailure =>
  failure('StaleEpoch', `${what}: a newer attempt has taken over`);

export function failure(type: FailureType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: type !== 'SystemUnavailable',
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The one place where faults of systems become Temporal's failures. */
function toFailure(error: unknown): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof SystemFault) {
    const retryAfterMs =
      'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : undefined;
    return ApplicationFailure.create({
      type: error.retryable ? 'SystemUnavailable' : 'SystemRefused',
      message: error.message,
      nonRetryable: !error.retryable,
      ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
    });
  }
  // A driver's own message may quote a value of a row. It is tried again, as everything nobody has put into words.
  if (isDatabaseError(error)) return failure('SystemUnavailable', toSystemFault(error).message);
  return error;
}

/** Wraps every activity so that it heartbeats from its first moment and its faults are mapped. */
export function mapped<A extends object>(activities: A): A {
  const wrap =
    (call: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      try {
        return await beating(() => call(...args));
      } catch (error) {
        throw toFailure(error);
      }
    };
  return Object.fromEntries(Object.entries(activities).map(([name, call]) => [name, wrap(call as never)])) as A;
}
