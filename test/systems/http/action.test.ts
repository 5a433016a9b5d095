import { freePort } from '../../../local/ports';
import { performHttpAction } from '../../../systems/http/action';
import { parseCall, readRetryAfter } from '../../../systems/http/call';
import type { SystemFault } from '../../../systems/ports';
import { testServer, type TestServer } from './server';

let server: TestServer;
afterEach(() => server?.close());

const failure = (work: Promise<unknown>): Promise<SystemFault> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as SystemFault,
  );

test('an action posts under its idempotency key, and its check is asked until it is positive', async () => {
  let looks = 0;
  server = await testServer(({ method }, response) =>
    response.writeHead(method === 'POST' || ++looks > 2 ? 204 : 404).end(),
  );
  const done = await performHttpAction({
    baseUrl: `${server.url}/`,
    call: 'POST /jobs/stop',
    check: 'GET /jobs/stopped',
    key: 'c/1/stop/1',
  });
  expect(done).toEqual({ checked: true });
  expect(server.received[0]).toEqual({ method: 'POST', url: '/jobs/stop', key: 'c/1/stop/1', body: '' });
  expect(server.received.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual(
    Array(3).fill('GET /jobs/stopped'),
  );
});

test('an action without a check is not called checked, and `none` calls nothing', async () => {
  server = await testServer((_, response) => response.end());
  expect(await performHttpAction({ baseUrl: server.url, call: 'POST /x', key: 'k' })).toEqual({ checked: false });
  expect(await performHttpAction({ baseUrl: server.url, call: 'none', key: 'k' })).toEqual({ checked: false });
  expect(server.received).toHaveLength(1);
});

test('a check that stays negative is a fault worth another try', async () => {
  server = await testServer(({ method }, response) => response.writeHead(method === 'POST' ? 200 : 404).end());
  const fault = await failure(
    performHttpAction({ baseUrl: server.url, call: 'POST /x', check: 'GET /y', key: 'k', checkWithinMs: 120 }),
  );
  expect(fault).toMatchObject({ message: 'it took no effect yet: GET /y answers 404', retryable: true });
});

test.each([
  [400, false],
  [404, false],
  [409, true],
  [429, true],
  [500, true],
  [501, false],
  [503, true],
])('the answer %i is a fault, worth another try: %s; the body is not repeated', async (status, retryable) => {
  server = await testServer((_, response) => response.writeHead(status, { 'retry-after': '7' }).end('Ada Lovelace'));
  const fault = await failure(performHttpAction({ baseUrl: server.url, call: 'POST /x', key: 'k' }));
  expect(fault).toMatchObject({ message: `POST /x answered ${status}`, retryable, retryAfterMs: 7_000 });
});

test('a redirect is not followed, and says so', async () => {
  server = await testServer((_, response) => response.writeHead(302, { location: '/login' }).end());
  const fault = await failure(performHttpAction({ baseUrl: server.url, call: 'POST /x', key: 'k' }));
  expect(fault).toMatchObject({ retryable: false, retryAfterMs: undefined });
  expect(fault.message).toContain('redirects are not followed');
  expect(server.received).toHaveLength(1);
});

test('no answer in time and no server at all are faults worth another try', async () => {
  server = await testServer(() => undefined);
  const late = await failure(performHttpAction({ baseUrl: server.url, call: 'POST /x', key: 'k', timeoutMs: 80 }));
  expect(late).toMatchObject({ message: 'POST /x got no answer within 80 ms', retryable: true });
  const nobody = `http://127.0.0.1:${await freePort()}/secret`;
  const gone = await failure(performHttpAction({ baseUrl: nobody, call: 'POST /x', key: 'k' }));
  expect(gone).toMatchObject({ message: 'POST /x got no answer (ECONNREFUSED)', retryable: true });
});

test('a call that is written wrongly says how to write it', () => {
  expect(parseCall(' POST /a?b=c ', ['POST'])).toEqual({ method: 'POST', path: '/a?b=c' });
  for (const text of ['POST a', 'GET /a', 'post /a', 'POST /a b', 'http://x/']) {
    expect(() => parseCall(text, ['POST'])).toThrow('an HTTP call is written as `POST /path`');
  }
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-11-28T21:00:00Z');
  expect(readRetryAfter('120', now)).toBe(120_000);
  expect(readRetryAfter('Sat, 28 Nov 2026 21:00:30 GMT', now)).toBe(30_000);
  expect(readRetryAfter('Sat, 28 Nov 2026 20:00:00 GMT', now)).toBe(0);
  expect([readRetryAfter('soon', now), readRetryAfter(null, now), readRetryAfter('', now)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
