import { SystemFault } from '../ports';

/** A call as the runbook writes it: `POST /jobs/billing/stop`. */
export interface Call {
  method: string;
  path: string;
}

/** Reads `METHOD /path`. Throws a SystemFault that says what to write. */
export function parseCall(text: string, methods: readonly string[]): Call {
  const [, method = '', path = ''] = /^([A-Z]+) (\/\S*)$/.exec(text.trim()) ?? [];
  if (!methods.includes(method)) {
    throw new SystemFault(`an HTTP call is written as \`${methods[0]} /path\`, with ${methods.join(', ')}`, false);
  }
  return { method, path };
}

export interface Sent {
  status: number;
  ok: boolean;
  retryAfterMs: number | undefined;
}

/**
 * Sends one request and reads nothing but its status: bodies may hold personal data. A redirect is an answer, not
 * followed. Throws a retryable SystemFault when no answer comes within `timeoutMs`.
 */
export async function send(
  baseUrl: string,
  { method, path }: Call,
  { headers = {}, body, timeoutMs }: { headers?: Record<string, string>; body?: string; timeoutMs: number },
): Promise<Sent> {
  let response: Response;
  try {
    response = await fetch(baseUrl.replace(/\/$/, '') + path, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body }),
    });
  } catch (error) {
    const code = networkCode(error);
    const why = code === 'TimeoutError' ? `within ${timeoutMs} ms` : `(${code})`;
    throw new SystemFault(`${method} ${path} got no answer ${why}`, true, { cause: code });
  }
  await response.body?.cancel();
  const retryAfterMs = readRetryAfter(response.headers.get('retry-after'), Date.now());
  return { status: response.status, ok: response.ok, retryAfterMs };
}

/** `ECONNREFUSED` and kin, else the error's name; never its message, which may hold the URL and a secret in it. */
function networkCode(error: unknown): string {
  const { name, cause } = error as { name?: unknown; cause?: { code?: unknown } | null };
  if (typeof cause?.code === 'string') return cause.code;
  return typeof name === 'string' ? name : 'unknown';
}

/** `Retry-After` in ms from `now` (epoch ms): seconds or an HTTP date (RFC 9110, 10.2.3); undefined when it is neither. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Worth trying again as it is: too early, too often, or the server's fault. */
const PASSING = new Set([408, 409, 425, 429]);

/** The fault behind an answer that is not 2xx. */
export function answerFault({ method, path }: Call, { status, retryAfterMs }: Sent): SystemFault {
  const hint = status >= 300 && status < 400 ? ': redirects are not followed, write the address it leads to' : '';
  const retryable = PASSING.has(status) || (status >= 500 && status !== 501 && status !== 505);
  return new SystemFault(`${method} ${path} answered ${status}${hint}`, retryable, { retryAfterMs });
}
