import { SystemFault } from '../ports';
import { answerFault, parseCall, send } from './call';

export interface HttpAction {
  baseUrl: string;
  /** `POST /path` (or PUT, PATCH, DELETE), or `none`. */
  call: string;
  /** `GET /path` that answers 2xx once the call took effect. */
  check?: string | undefined;
  /** Sent as `Idempotency-Key`: the system does the same call under the same key once. */
  key: string;
  timeoutMs?: number;
  /** How long the effect may take to show in the check. */
  checkWithinMs?: number;
}

const TIMEOUT_MS = 10_000;
const CHECK_WITHIN_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Performs an action over HTTP. `checked` says that a check was asked for and confirmed. Throws a SystemFault when the
 * answer is not 2xx (with `retryAfterMs` when the system said so), when none comes, or the check stays negative.
 */
export async function performHttpAction(action: HttpAction): Promise<{ checked: boolean }> {
  const timeoutMs = action.timeoutMs ?? TIMEOUT_MS;
  if (action.call.trim() !== 'none') {
    const call = parseCall(action.call, ['POST', 'PUT', 'PATCH', 'DELETE']);
    const sent = await send(action.baseUrl, call, { headers: { 'idempotency-key': action.key }, timeoutMs });
    if (!sent.ok) throw answerFault(call, sent);
  }
  if (action.check === undefined) return { checked: false };
  await confirm(action.baseUrl, action.check, timeoutMs, Date.now() + (action.checkWithinMs ?? CHECK_WITHIN_MS));
  return { checked: true };
}

async function confirm(baseUrl: string, check: string, timeoutMs: number, deadline: number): Promise<void> {
  const call = parseCall(check, ['GET']);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const sent = await send(baseUrl, call, { timeoutMs });
    if (sent.ok) return;
    if (sent.status === 401 || sent.status === 403) throw answerFault(call, sent);
    if (Date.now() + pauseMs >= deadline) {
      throw new SystemFault(`it took no effect yet: GET ${call.path} answers ${sent.status}`, true, {
        retryAfterMs: sent.retryAfterMs,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
