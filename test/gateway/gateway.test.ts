import { startGateway, type RunningGateway } from '../../gateway/server';
import { replayHeld } from '../../systems/control/replay';
import { registerStage, REQUESTS, stage, type Stage } from './fixture';

let at: Stage;
let gateway: RunningGateway;
const errors: unknown[] = [];

async function begin(options?: { register: boolean }): Promise<void> {
  at = await stage('gateway', options);
  const config = { cutover: at.cutover, host: '127.0.0.1', port: 0, forwardTimeoutMs: 300 };
  const { control: controlUrl, source: sourceUrl, target: targetUrl } = at.urls;
  gateway = await startGateway({ ...config, controlUrl, sourceUrl, targetUrl }, (error) => errors.push(error));
}

afterEach(async () => {
  await gateway.stop();
  await at.end();
  expect(errors.splice(0)).toEqual([]);
});

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function call(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(`${gateway.url}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const post = (body: unknown): Promise<Answer> =>
  call('/requests', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
const order = (idempotencyKey: string, customer = '1001', kind = 'order') => ({
  idempotencyKey,
  customer,
  kind,
  payload: { n: idempotencyKey },
});

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('it did not come to that within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const stateOf = async (key: string): Promise<unknown> => (await call(`/requests/${key}`)).body['state'];

describe('a registered cutover', () => {
  beforeEach(() => begin());

  test('says which system serves a customer, with the script an agent reads out', async () => {
    expect(await call('/customers/1001')).toEqual({
      status: 200,
      body: { wave: 1, name: 'pilot', custody: 'source', system: 'source', intake: 'open', script: 'Old system.' },
    });
    await at.custody('moving');
    expect((await call('/customers/1001')).body).toMatchObject({ system: 'moving', script: 'Being moved.' });
    await at.custody('target');
    expect((await call('/customers/1001')).body).toMatchObject({ system: 'target', script: 'New system.' });
    expect((await call('/customers/of%2Fthe%20last')).body).toMatchObject({ system: 'source', name: 'rest' });
  });

  test('forwards a request once, however often it is sent, and keeps numbers digit by digit', async () => {
    const text = '{"idempotencyKey":"a","customer":"1001","kind":"order","payload":{"amount":12345678901234567890.10}}';
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(text)));
    expect(answers.every(({ status }) => status === 200 || status === 202)).toBe(true);
    expect(await post(text)).toMatchObject({ status: 200, body: { state: 'effected', status: '/requests/a' } });
    const { rows } = await at.source.query<{ body: string }>('select body::text as body from app.item');
    expect(rows).toEqual([{ body: '{"amount": 12345678901234567890.10}' }]);
    expect((await post({ ...order('a'), customer: '1002' })).status).toBe(409);
  });

  test('holds while the customer moves; what is replayed takes effect in order at the new system', async () => {
    await at.intake('held');
    expect(await post(order('a'))).toMatchObject({ status: 202, body: { state: 'held' } });
    await post(order('b'));
    await at.custody('target');
    await at.accepts(['target']);
    const to = {
      cutover: at.cutover,
      wave: 1,
      epoch: at.epoch(),
      side: 'target' as const,
      pool: at.target,
      requests: REQUESTS,
    };
    expect(await replayHeld(at.control, to)).toEqual({ replayed: 2, refused: 0, pending: 0 });
    expect((await post(order('c'))).status).toBe(200);
    expect(await at.items('target', '1001')).toEqual([{ n: 'a' }, { n: 'b' }, { n: 'c' }]);
    expect((await call('/requests/a')).body).toMatchObject({ state: 'effected', side: 'target', wave: 1 });
  });

  test('a system that refuses the write makes the request wait, counts one refusal, and gets it when it accepts again', async () => {
    await at.accepts([]);
    expect(await post(order('a'))).toMatchObject({ status: 202, body: { state: 'held' } });
    const tries = new Set<string>();
    await eventually(async () => {
      const { rows } = await at.control.query<{ at: string }>('select forwarded_at::text as at from control.request');
      return tries.add(rows[0]!.at).size > 2;
    });
    expect((await at.control.query('select wave from control.refusal')).rows).toEqual([{ wave: 1 }]);
    await at.accepts(['source']);
    await eventually(async () => (await stateOf('a')) === 'effected');
    expect(await at.items('source', '1001')).toEqual([{ n: 'a' }]);
  });

  test('an answer that does not come is found out about by the gateway itself, with the queue behind it in order', async () => {
    const blocker = await at.source.connect();
    await blocker.query('select pg_advisory_lock(77)');
    expect(await post(order('a', '1001', 'slow'))).toMatchObject({ status: 202, body: { state: 'forwarding' } });
    expect(await post(order('b'))).toMatchObject({ status: 202, body: { state: 'held' } });
    await blocker.query('select pg_advisory_unlock(77)');
    blocker.release();
    await eventually(async () => (await stateOf('b')) === 'effected');
    expect(await at.items('source', '1001')).toEqual([{ n: 'a' }, { n: 'b' }]);
  });

  test('a request the system turns down for good is answered with its code and without its data', async () => {
    const answer = await post(order('a', '1001', 'check'));
    expect(answer).toMatchObject({ status: 422, body: { state: 'refused' } });
    expect(answer.body['error']).toBe('the system turned it down (SQLSTATE 23502)');
    expect(await post(order('a', '1001', 'check'))).toEqual(answer);
    expect((await post(order('b'))).status).toBe(200);
  });

  test('a statement of the runbook that is wrong keeps the request and what follows it', async () => {
    expect(await post(order('a', '1001', 'broken'))).toMatchObject({ status: 202, body: { state: 'held' } });
    expect((await post(order('b'))).status).toBe(202);
    await at.source.query('create table app.nowhere (customer text)');
    await eventually(async () => (await stateOf('b')) === 'effected');
    expect((await at.source.query('select from app.nowhere')).rowCount).toBe(1);
  });

  test('says what to write when a request is not understood, and never repeats values', async () => {
    const wrong = await post({ idempotencyKey: 'a b', customer: 7, payload: 'Ada Lovelace', extra: 1 });
    expect(wrong.status).toBe(400);
    expect(wrong.body['problems']).toEqual([
      'idempotencyKey must be 1 to 200 visible ASCII characters, one per request',
      'customer must be the customer’s id as text',
      'kind must be a kind of request',
      'payload must be an object',
      'unknown field extra',
      expect.stringContaining('send something like {"idempotencyKey"'),
    ]);
    expect((await post('not json')).body['problems']).toEqual([expect.stringContaining('the body is not JSON')]);
    expect((await post('[]')).status).toBe(400);
    expect((await post({ ...order('a'), payload: { text: 'a\0' } })).status).toBe(400);
    expect((await post({ ...order('a'), payload: { text: 'x'.repeat(70_000) } })).status).toBe(413);
    const kind = await post(order('a', '1001', 'toString'));
    expect(kind).toEqual({
      status: 404,
      body: { error: 'there is no such kind of request', kinds: ['order', 'check', 'broken', 'slow'] },
    });
    expect((await call('/requests/a')).status).toBe(404);
    expect((await call('/nothing')).status).toBe(404);
    expect(JSON.stringify(wrong)).not.toContain('Ada');
  });

  test('shows its health and counts for Prometheus', async () => {
    await post(order('a'));
    await at.intake('held');
    await post(order('b'));
    expect(await call('/health')).toEqual({ status: 200, body: { status: 'ok', cutover: 'night-1', serving: true } });
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    for (const line of [
      'accepted_total{cutover="night-1"} 2',
      'effected_total{cutover="night-1"} 1',
      'held_total{cutover="night-1"} 1',
      'pending{cutover="night-1"} 1',
    ]) {
      expect(text).toContain(`cutover_requests_${line}\n`);
    }
    expect(text).toMatch(/^cutover_held_requests\{cutover="night-1",wave="\d"\} 1$/m);
  });
});

test('before the cutover is registered it promises nothing, and serves as soon as it is', async () => {
  await begin({ register: false });
  const early = await post(order('a'));
  expect(early).toEqual({
    status: 503,
    body: { error: 'cutover night-1 is not registered yet; start it, then send this again' },
  });
  expect((await call('/customers/1001')).status).toBe(503);
  expect((await call('/health')).body).toMatchObject({ serving: false });
  await registerStage(at.control, at.cutover, [
    { wave: 1, name: 'pilot' },
    { wave: 2, name: 'rest' },
  ]);
  expect((await post(order('a'))).status).toBe(200);
});
