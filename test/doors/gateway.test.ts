import { request } from 'node:http';
import { startGateway, type RunningGateway } from '../../gateway/server';
import { stage, type Stage } from '../gateway/fixture';

let at: Stage;
let gateway: RunningGateway;
const told: unknown[] = [];

beforeAll(async () => {
  at = await stage('doors');
  const { control, source, target } = at.urls;
  gateway = await startGateway(
    {
      ...{ controlUrl: control, sourceUrl: source, targetUrl: target },
      ...{ cutover: at.cutover, host: '127.0.0.1', port: 0, forwardTimeoutMs: 1_000 },
    },
    (error) => told.push(error),
  );
});
afterAll(async () => {
  await gateway.stop();
  await at.end();
});

const body = (more: object = {}): object => ({
  idempotencyKey: 'k',
  customer: '1001',
  kind: 'order',
  payload: {},
  ...more,
});

interface Answer {
  status: number;
  text: string;
}

/** With the path byte by byte as it is written. */
function send(method: string, path: string, text = '', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url);
    const sent = request({ hostname, port, method, path, headers }, (answer) => {
      let heard = '';
      answer.on('data', (piece) => (heard += String(piece)));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: heard }));
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

const accepted = async (): Promise<number> => (await at.control.query('select from control.request')).rowCount ?? 0;

describe('the gateway turns away what it does not understand, and keeps nothing of it', () => {
  it.each<[string, string, number, RegExp]>([
    ['nothing', '', 400, /the body is not JSON; send something like/],
    ['a list', '[]', 400, /must be an object/],
    ['a bare null', 'null', 400, /must be an object/],
    ['a payload that is a text', JSON.stringify(body({ payload: 'x' })), 400, /payload must be an object/],
    ['a field too many', JSON.stringify(body({ force: true })), 400, /unknown field force/],
    [
      'a key with a line break',
      JSON.stringify(body({ idempotencyKey: 'a\nb' })),
      400,
      /idempotencyKey must be 1 to 200 visible/,
    ],
    [
      'a key of 201 letters',
      JSON.stringify(body({ idempotencyKey: 'k'.repeat(201) })),
      400,
      /idempotencyKey must be 1 to 200/,
    ],
    [
      'a customer with a control character',
      JSON.stringify(body({ customer: '1\u0000' })),
      400,
      /customer must not hold control characters/,
    ],
    [
      'a customer that is a number',
      JSON.stringify(body({ customer: 1001 })),
      400,
      /customer must be the customer’s id as text/,
    ],
    ['a kind there is not', JSON.stringify(body({ kind: 'gift' })), 404, /there is no such kind of request.*order/],
    ['a kind called as objects are made', JSON.stringify(body({ kind: '__proto__' })), 404, /no such kind/],
    [
      'a payload with U+0000',
      JSON.stringify(body({ payload: { a: '\u0000' } })),
      400,
      /text or numbers that cannot be stored/,
    ],
    [
      'a body beyond what it takes',
      JSON.stringify(body({ payload: { a: 'x'.repeat(70_000) } })),
      413,
      /larger than 64 KiB/,
    ],
  ])('%s', async (_, text, status, says) => {
    const answer = await send('POST', '/requests', text);
    expect(answer.text).toMatch(says);
    expect(answer.status).toBe(status);
    expect(await accepted()).toBe(0);
  });

  it.each<[string, string, string, number]>([
    ['a path that climbs', 'GET', '/customers/../../etc/passwd', 404],
    ['a method there is not', 'DELETE', '/requests/k', 404],
    ['a key nobody used', 'GET', '/requests/nobody', 404],
    ['a path that is no text', 'GET', '/requests/%ff%00', 404],
  ])('%s', async (_, method, path, status) => {
    const answer = await send(method, path);
    expect([answer.status, Object.keys(JSON.parse(answer.text) as object)]).toEqual([status, ['error']]);
  });

  it('a customer id of any shape is only an id: it is in the last wave', async () => {
    for (const id of [`'; drop table control.wave; --`, '%', 'x'.repeat(5_000)]) {
      const answer = await send('GET', `/customers/${encodeURIComponent(id)}`);
      expect(JSON.parse(answer.text)).toMatchObject({ wave: 2, system: 'source' });
    }
  });

  it('a customer id with U+0000 is refused in words', async () => {
    const answer = await send('GET', '/customers/%00');
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('no customer id or key can hold')]);
  });

  it('a key that was used for something else says so, and the first request stands', async () => {
    expect((await send('POST', '/requests', JSON.stringify(body({ payload: { n: 1 } })))).status).toBe(200);
    const other = await send('POST', '/requests', JSON.stringify(body({ payload: { n: 2 } })));
    expect([other.status, other.text]).toEqual([409, expect.stringContaining('a new request needs a new key')]);
    expect(await at.items('source', '1001')).toEqual([{ n: 1 }]);
  });

  it('nothing of all this was a fault of its own', () => {
    expect(told).toEqual([]);
  });
});
