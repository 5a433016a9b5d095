import { SystemFault } from '../ports';
import { answerFault, send } from './call';

export interface Notification {
  /** Roles or person ids of the plan; no addresses. */
  to: string[];
  text: string;
  /** Sent as `Idempotency-Key`, so that a receiver that minds it tells people once. */
  key: string;
}

/** `sent` to the webhook; `ledger-only` when none is configured: the caller's ledger entry is all there is. */
export type Notified = { outcome: 'sent' | 'ledger-only' };

/**
 * Posts `{text, to}` as JSON, which Slack and Teams webhooks take. The webhook's address is a secret and appears in no
 * error. Throws a SystemFault when it does not answer 2xx.
 */
export async function notify(
  webhookUrl: string | undefined,
  { to, text, key }: Notification,
  { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
): Promise<Notified> {
  if (webhookUrl === undefined) return { outcome: 'ledger-only' };
  if (!URL.canParse(webhookUrl)) throw new SystemFault('the webhook’s address is not a URL', false);
  const { origin, pathname, search } = new URL(webhookUrl);
  const shown = { method: 'POST', path: 'to the webhook' };
  const body = JSON.stringify({ text, to });
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const sent = await send(origin, { method: 'POST', path: pathname + search }, { headers, body, timeoutMs }).catch(
    (error: unknown) => {
      if (!(error instanceof SystemFault)) throw error;
      throw new SystemFault(`the webhook gave no answer within ${timeoutMs} ms or cannot be reached`, true);
    },
  );
  if (!sent.ok) throw answerFault(shown, sent);
  return { outcome: 'sent' };
}
