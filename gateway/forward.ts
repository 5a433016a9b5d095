import type { Pool } from 'pg';
import type { Side } from '../domain/custody';
import type { Runbook } from '../runbooks/schema/runbook';
import { recordRefusals } from '../systems/control/measures';
import { performPending, REFUSED, type Performed } from '../systems/control/replay';
import type { RequestRow } from '../systems/control/requests';
import { SystemFault } from '../systems/ports';

export interface Systems {
  control: Pool;
  source: Pool;
  target: Pool;
}

/** `unknown`: sent, but the answer did not come. The row stays `forwarding` and is tried again under the same key. */
export type Forwarded = Performed | 'unknown';

export interface Forwarder {
  forward(request: RequestRow, side: Side, requests: Runbook['requests']): Promise<Forwarded>;
}

/**
 * Sends requests to their system of record. A transaction cannot outlast `timeoutMs` by much: PostgreSQL ends its
 * statements, and the caller gets `unknown` when even that is not heard of. A request that the guard refuses again and again counts as one
 * refused write.
 */
export function forwarder(systems: Systems, cutover: string, timeoutMs: number): Forwarder {
  return {
    async forward(request, side, requests) {
      const to = { side, pool: systems[side], sql: requests, timeoutMs };
      const performed = performPending(systems.control, request, to);
      const outcome = await within(performed, 2 * timeoutMs);
      if (outcome === 'unknown') return 'unknown';
      if (outcome.guarded && request.reason !== REFUSED)
        await recordRefusals(systems.control, cutover, 1, request.wave);
      return outcome.state;
    },
  };
}

/** The result, or `unknown` when it is a fault or takes longer. What is still running settles by itself. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | 'unknown'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'unknown'>((resolve) => {
    timer = setTimeout(() => resolve('unknown'), timeoutMs);
  });
  const settled = work.catch((error: unknown) => {
    if (isFault(error)) return 'unknown' as const;
    throw error;
  });
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A fault of a system or of control's connection; anything else is a defect here and shows as such. */
const isFault = (error: unknown): boolean =>
  error instanceof SystemFault ||
  (error instanceof Error && ('code' in error || /connection|timeout/i.test(error.message)));
