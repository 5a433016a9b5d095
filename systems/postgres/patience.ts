import { setTimeout as sleep } from 'node:timers/promises';
import { sqlStateOf, toSystemFault } from './connect';

const FIRST_WAIT_MS = 150;
const LONGEST_WAIT_MS = 300;
const LONGEST_PAUSE_MS = 400;
export const LOCK_NOT_AVAILABLE = '55P03';
export const DEADLOCK = '40P01';

/**
 * Calls `attempt` with the time it may queue for locks (150 to 300 ms, growing), until it gets them or `budgetMs` is
 * over; between attempts it holds nothing, so that writers who queued behind it pass (PROTOCOL 5). Throws the last
 * lock failure as a retryable SystemFault, any other failure at once.
 */
export async function patiently<T>(budgetMs: number, attempt: (patienceMs: number) => Promise<T>): Promise<T> {
  const until = performance.now() + budgetMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS + 25 * tries));
    } catch (error) {
      const state = sqlStateOf(error);
      if ((state !== LOCK_NOT_AVAILABLE && state !== DEADLOCK) || performance.now() >= until)
        throw toSystemFault(error);
      await sleep(Math.min(LONGEST_PAUSE_MS, 20 * 1.3 ** tries) * (0.5 + Math.random()));
    }
  }
}
