import { freePort } from '../../../local/ports';
import { notify } from '../../../systems/http/notify';
import { testServer, type TestServer } from './server';

let server: TestServer;
afterEach(() => server?.close());
const note = { to: ['care', 'ops'], text: 'Wave 1 moves at 22:00', key: 'c/1/tell/1' };

test('a notification goes to the webhook as JSON, under its key', async () => {
  server = await testServer((_, response) => response.end('ok'));
  expect(await notify(`${server.url}/services/T0/secret?x=1`, note)).toEqual({ outcome: 'sent' });
  expect(server.received[0]).toMatchObject({ method: 'POST', url: '/services/T0/secret?x=1', key: note.key });
  expect(JSON.parse(server.received[0]!.body)).toEqual({ text: note.text, to: note.to });
});

test('without a webhook it says that the ledger is all there is', async () => {
  expect(await notify(undefined, note)).toEqual({ outcome: 'ledger-only' });
});

test('a webhook that refuses, is away or is no URL is a fault that does not show its address', async () => {
  server = await testServer((_, response) => response.writeHead(503, { 'retry-after': '2' }).end());
  const away = `http://127.0.0.1:${await freePort()}/secret`;
  const faults = await Promise.all(
    [`${server.url}/secret`, away, 'secret'].map((url) => notify(url, note).catch((error: unknown) => error)),
  );
  expect(faults).toMatchObject([
    { message: 'POST to the webhook answered 503', retryable: true, retryAfterMs: 2_000 },
    { message: expect.stringContaining('cannot be reached'), retryable: true },
    { message: 'the webhook’s address is not a URL', retryable: false },
  ]);
  expect(faults.map(String).join()).not.toContain('secret');
});
