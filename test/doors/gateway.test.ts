import { request } from 'node:http';
import { startGateway, type RunningGateway } from '../../gateway/server';
import { stage, type Stage } from '../gateway/fixture';
import { BODIES, body, PATHS, RAW } from './cases/gateway';
import { contents } from './support/contents';

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

interface Answer {
  status: number;
  text: string;
}

/** With the path byte by byte as it is written, over a connection of its own: one whose request was cut short is closed. */
function send(
  method: string,
  path: string,
  text: string | Buffer = '',
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url);
    const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      let heard = '';
      answer.on('data', (piece) => (heard += String(piece)));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: heard }));
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

const everything = (): Promise<string[]> => Promise.all(Object.values(at.urls).map((url) => contents(url)));

describe('the gateway turns away what it does not understand, and keeps nothing of it', () => {
  it.each(BODIES)('%s', async (_, text, status, says) => {
    const before = await everything();
    const answer = await send('POST', '/requests', text);
    expect(answer.text).toMatch(says);
    expect(answer.status).toBe(status);
    expect(await everything()).toEqual(before);
  });

  it.each(RAW)('%s', async (_, bytes, headers, status, says) => {
    const before = await everything();
    const answer = await send('POST', '/requests', bytes, headers);
    expect(answer.text).toMatch(says);
    expect(answer.status).toBe(status);
    expect(await everything()).toEqual(before);
  });

  it.each(PATHS)('%s', async (_, method, path, status) => {
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
