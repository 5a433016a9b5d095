import { z } from 'zod';
import { CUSTODIES } from '../../domain/custody';
import { delay } from './wait';

/** `GET /customers/:id`: which system serves the customer now. Fields traffic does not need are left alone. */
const answer = z.object({ custody: z.enum(CUSTODIES), wave: z.int() });
export type Whereabouts = z.output<typeof answer>;

export type Submission =
  { outcome: 'effected' | 'held'; status: number } | { outcome: 'refused'; status: number } | { outcome: 'unknown' };

export interface RequestBody {
  idempotencyKey: string;
  customer: string;
  kind: string;
  payload: Record<string, string>;
}

const ASK_TIMEOUT_MS = 2_000;
const SUBMIT_TIMEOUT_MS = 10_000;
const TRIES = 6;

/** The gateway as its clients see it. */
export class GatewayClient {
  constructor(private readonly baseUrl: string) {}

  /** Undefined when the gateway gives no answer now, or no cutover is open. */
  async ask(customer: string): Promise<Whereabouts | undefined> {
    try {
      const response = await fetch(`${this.baseUrl}/customers/${encodeURIComponent(customer)}`, {
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
      });
      const body: unknown = await response.json();
      return response.ok ? answer.parse(body) : undefined;
    } catch (error) {
      if (error instanceof z.ZodError)
        throw new Error('the gateway’s answer about a customer has another shape', { cause: error });
      return undefined;
    }
  }

  /** Sends a request until it is answered, always under the same key; `unknown` when no try was answered. */
  async submit(body: RequestBody): Promise<Submission> {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const response = await this.post(body);
      if (response !== undefined && response < 500) return read(response);
      await delay(100 * 2 ** attempt);
    }
    return { outcome: 'unknown' };
  }

  private async post(body: RequestBody): Promise<number | undefined> {
    try {
      const response = await fetch(`${this.baseUrl}/requests`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(SUBMIT_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined; // no answer: whether it took effect is found out by trying the same key again
    }
  }
}

function read(status: number): Submission {
  if (status === 202) return { outcome: 'held', status };
  return status < 300 ? { outcome: 'effected', status } : { outcome: 'refused', status };
}
