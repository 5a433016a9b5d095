/** One attempt of an activity: where it may be interrupted, and whether somebody asked it to stop. */
export interface Attempt {
  /** A point at which the process may die, fall asleep, or the world may move on; `ms` of work lie before it. */
  tick(ms: number): Promise<void>;
  readonly cancelled: () => boolean;
}

export class ActivityFault extends Error {
  constructor(
    readonly type: 'StaleEpoch' | 'SystemUnavailable' | 'SystemRefused',
    message: string,
  ) {
    super(message);
  }
}

/** The activity noticed at a heartbeat that it was asked to stop. */
export class ActivityCancelled extends Error {
  constructor() {
    super('cancelled');
  }
}

/** For long work: a heartbeat hears of the cancellation. */
export function heartbeat(attempt: Attempt): void {
  if (attempt.cancelled()) throw new ActivityCancelled();
}
