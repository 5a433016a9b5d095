import { retryable } from '../systems/control/intake';
import { beginForward } from '../systems/control/requests';
import type { RunbookReader } from './documents';
import type { Forwarder, Systems } from './forward';

export interface RetryLoop {
  /** One look over everything that can be tried again; returns how many requests were settled. */
  once(): Promise<number>;
  /** Looks again every `intervalMs` until stopped. */
  start(intervalMs: number): void;
  stop(): Promise<void>;
}

const BATCH = 100;
const AT_ONCE = 4;

/**
 * Works off what no caller waits for any more: forwards with an unknown outcome, and requests that were queued behind
 * them. Several gateways may do it side by side, because every effect happens once by its key.
 */
export function retryLoop(
  systems: Systems,
  cutover: string,
  parts: { runbook: RunbookReader; forwarder: Forwarder; graceMs: number; onError: (error: unknown) => void },
): RetryLoop {
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const tryAgain = async (id: number): Promise<boolean> => {
    const { requests } = await parts.runbook.read();
    const begun = await beginForward(systems.control, cutover, id);
    if (begun.outcome !== 'forwarding') return begun.outcome === 'done';
    const outcome = await parts.forwarder.forward(begun.request, begun.side, requests);
    return outcome === 'effected' || outcome === 'refused';
  };

  const once = async (): Promise<number> => {
    let settled = 0;
    for (;;) {
      const ids = await retryable(systems.control, cutover, parts.graceMs, BATCH);
      let progress = 0;
      const work = async (): Promise<void> => {
        for (let id = ids.shift(); id !== undefined && !stopped; id = ids.shift())
          if (await tryAgain(id)) progress += 1;
      };
      const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
      settled += progress;
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      if (progress === 0 || stopped) return settled;
    }
  };

  return {
    once,
    start(intervalMs) {
      const turn = (): void => {
        running = once()
          .catch(parts.onError)
          .then(() => {
            if (!stopped) timer = setTimeout(turn, intervalMs);
          });
      };
      turn();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
