import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { accept, findRequest, type RequestRow } from '../systems/control/requests';
import { locate } from '../systems/control/routing';
import { counts, heldByWave } from '../systems/control/measures';
import { SystemFault } from '../systems/ports';
import { sqlStateOf } from '../systems/postgres/connect';
import { NotServed, type RunbookReader } from './documents';
import type { Forwarded, Forwarder, Systems } from './forward';
import { metricsText } from './metrics';
import { readBody } from './request-body';

export interface GatewayParts {
  systems: Systems;
  cutover: string;
  runbook: RunbookReader;
  forwarder: Forwarder;
  /** Gets errors the client only sees as a 503; they name no customer's data. */
  onError: (error: unknown) => void;
}

const MAX_BODY_BYTES = 64 * 1024;

/** The gateway's HTTP interface (see gateway/README.md). */
export function gatewayApp(parts: GatewayParts): Hono {
  const app = new Hono();
  const { control } = parts.systems;

  app.get('/health', async (c) => {
    await control.query('select 1');
    const open = await parts.runbook.read().then(
      () => ({ serving: true }),
      (error: unknown) => {
        if (error instanceof NotServed) return { serving: false, reason: error.message };
        throw error;
      },
    );
    return c.json({ status: 'ok', cutover: parts.cutover, ...open });
  });

  app.get('/metrics', async (c) => {
    c.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    const [counted, waves] = await Promise.all([counts(control, parts.cutover), heldByWave(control, parts.cutover)]);
    return c.body(metricsText(parts.cutover, counted, waves));
  });

  app.get('/customers/:id', async (c) => {
    const { script } = await parts.runbook.read();
    const at = await locate(control, parts.cutover, c.req.param('id'));
    const system = at.custody === 'retired' ? 'target' : at.custody;
    return c.json({ ...at, system, ...(script && { script: script[system] }) });
  });

  app.post('/requests', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), (c) => submit(c, parts));

  app.get('/requests/:key', async (c) => {
    const found = await findRequest(control, parts.cutover, c.req.param('key'));
    return found ? c.json(shown(found)) : c.json({ error: 'no request has this key' }, 404);
  });

  app.notFound((c) =>
    c.json({ error: 'there is nothing here; see GET /customers/:id, POST /requests, GET /requests/:key' }, 404),
  );
  app.onError((error, c) => {
    if (error instanceof NotServed) return c.json({ error: error.message }, 503);
    if (isUnstorable(error)) return c.json({ error: 'the path holds text that no customer id or key can hold' }, 400);
    parts.onError(error);
    if (error instanceof SystemFault) return c.json({ error: error.message }, 503);
    return c.json({ error: 'the gateway cannot answer now; send the same again, with the same key' }, 503);
  });
  return app;
}

/** What JSON is sent as; curl and fetch call a text without a name `text/plain`. */
const READABLE = /^\s*(application\/([\w.-]+\+)?json|text\/(plain|json))\s*(;|$)/i;

function decoded(bytes: ArrayBuffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

const tooLarge = (c: Context): Response =>
  c.json({ error: `the body is larger than ${MAX_BODY_BYTES / 1024} KiB` }, 413);

async function submit(c: Context, { systems, cutover, runbook, forwarder }: GatewayParts): Promise<Response> {
  const type = c.req.header('content-type') ?? 'application/json';
  if (!READABLE.test(type)) return c.json({ error: 'the body must be JSON; send content-type: application/json' }, 415);
  const text = decoded(await c.req.arrayBuffer());
  if (text === null) return c.json({ error: 'the body is not UTF-8; send JSON in UTF-8' }, 400);
  const read = readBody(text);
  if (!read.ok) return c.json({ error: 'the request was not understood', problems: read.problems }, 400);
  const { idempotencyKey: key, customer, kind } = read.body;
  const { requests } = await runbook.read();
  if (!Object.hasOwn(requests, kind)) {
    return c.json({ error: 'there is no such kind of request', kinds: Object.keys(requests) }, 404);
  }
  const accepted = await accept(systems.control, { cutover, key, customer, kind, body: text }).catch(unstorable);
  switch (accepted.outcome) {
    case 'unstorable':
      return c.json({ error: 'the payload holds text or numbers that cannot be stored', code: accepted.code }, 400);
    case 'conflict':
      return c.json({ error: 'this key was used for another request; a new request needs a new key' }, 409);
    case 'held':
      return answer(c, key, 'held', null);
    case 'repeated': {
      const { state, reason } = accepted.request;
      return answer(c, key, state === 'forwarding' ? 'unknown' : state, reason);
    }
    case 'forwarding': {
      const outcome = await forwarder.forward(accepted.request, accepted.side, requests);
      const reason = outcome === 'refused' ? (await findRequest(systems.control, cutover, key))?.reason : null;
      return answer(c, key, outcome, reason ?? null);
    }
  }
}

/** Data exceptions (class 22), such as U+0000 in a text, are the sender's to mend; every other error is thrown on. */
const isUnstorable = (error: unknown): boolean => /^22.{3}$/.test(sqlStateOf(error) ?? '');

function unstorable(error: unknown): { outcome: 'unstorable'; code: string } {
  if (!isUnstorable(error)) throw error;
  return { outcome: 'unstorable', code: sqlStateOf(error) ?? '' };
}

/** 200 took effect; 202 is kept and will take effect once; 422 was turned down by the system for good. */
function answer(c: Context, key: string, outcome: Forwarded, reason: string | null): Response {
  const status = `/requests/${encodeURIComponent(key)}`;
  switch (outcome) {
    case 'effected':
      return c.json({ state: 'effected', status });
    case 'held':
      return c.json(
        { state: 'held', status, message: 'kept; it takes effect as soon as the customer’s move allows' },
        202,
      );
    case 'unknown':
      return c.json({ state: 'forwarding', status, message: 'sent; its outcome is being found out' }, 202);
    case 'refused':
      return c.json(
        { state: 'refused', status, error: `the system turned it down (SQLSTATE ${reason ?? 'unknown'})` },
        422,
      );
  }
}

const shown = ({ key, kind, state, wave, side, reason }: RequestRow): object => ({
  idempotencyKey: key,
  kind,
  state,
  wave,
  side,
  reason,
});
