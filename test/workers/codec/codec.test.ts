import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporal } from '@temporalio/proto';
import { keyIdOf, payloadCodec } from '../../../workers/codec/payload-codec';
import { readKeys } from '../../../workers/codec/keys';
import { codecApp } from '../../../workers/codec/server';
import { waveWorkflowId } from '../../../workflows/names';
import { stockTemporal } from '../../doors/support/stock-temporal';
import { Night } from '../../e2e/support/night';
import { Stage } from '../../e2e/support/stage';

jest.setTimeout(300_000);

const { History } = temporal.api.history.v1;
const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const dir = mkdtempSync(join(tmpdir(), 'cutover-codec-'));

function keysFile(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('the file of keys', () => {
  it.each([
    ['that is not there', () => join(dir, 'none'), /cannot be read: ENOENT/],
    ['that others may read', () => keysFile('open', `a ${OLD}\n`, 0o644), /others may read the keys/],
    ['with a short key', () => keysFile('short', '# mine\na c2hvcnQ=\n'), /short:2: expected an id and 32 bytes/],
    ['with an id twice', () => keysFile('twice', `a ${OLD}\na ${NEW}\n`), /names the key a twice/],
    ['without a key', () => keysFile('empty', '\n'), /holds no key/],
  ])('%s is refused', (_, path, says) => {
    expect(() => readKeys(path())).toThrow(says);
  });

  it('is never quoted in an error', () => {
    const path = keysFile('secret', 'a not-really-base64!\n');
    expect(() => readKeys(path)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('not-really') }),
    );
  });
});

describe('the codec endpoint', () => {
  const app = codecApp(payloadCodec(readKeys(keysFile('endpoint', `a ${OLD}\n`))), ['http://ui.example']);
  const ask = (path: string, body: unknown, origin = 'http://ui.example'): Response | Promise<Response> =>
    app.request(path, { method: 'POST', body: JSON.stringify(body), headers: { origin } });
  const plain = { metadata: { encoding: Buffer.from('json/plain').toString('base64') }, data: 'Ig==' };

  it('gives back what it was given, and lets the UI’s origin alone ask', async () => {
    const hidden = (await (await ask('/encode', { payloads: [plain] })).json()) as { payloads: object[] };
    expect(JSON.stringify(hidden)).not.toContain('Ig==');
    const answer = await ask('/decode', hidden);
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://ui.example');
    expect(await answer.json()).toEqual({ payloads: [plain] });
    const other = await ask('/decode', hidden, 'http://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('says which key is missing, and what a request looks like', async () => {
    const [foreign] = await payloadCodec([{ id: 'b', key: Buffer.alloc(32, 3) }]).encode([{ metadata: {} }]);
    const data = Buffer.from(foreign?.data ?? []).toString('base64');
    const metadata = Object.fromEntries(
      Object.entries(foreign?.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    );
    const missing = await ask('/decode', { payloads: [{ metadata, data }] });
    expect([missing.status, await missing.text()]).toEqual([422, expect.stringContaining('the key b, which the file')]);
    expect((await ask('/decode', { payloads: 'x' })).status).toBe(400);
  });
});

describe('a night with the codec on', () => {
  let stage: Stage;
  beforeAll(async () => {
    const both = keysFile('both', `old ${OLD}\nnew ${NEW}\n`);
    stage = await Stage.open('codec', { env: { CUTOVER_PAYLOAD_KEYS_FILE: both } });
    await stage.freshDatabases(50);
  });
  afterAll(() => stage.close());

  it('keeps no plain text in any history, while keys change and the stock command reads on', async () => {
    const workers = { CUTOVER_PAYLOAD_KEYS_FILE: keysFile('workers', `old ${OLD}\n`), BREAK_DIR: stage.dir };
    await stage.startWorkers(workers);
    const id = `codec-${Date.now().toString(36)}`;
    const first = new Night(stage, id, { leave: ['go-night'] });
    await first.start();
    await first.play(90_000, ({ wave }) => wave?.gates.some(({ status }) => status === 'open') === true);
    await first.send(1, 'pause', { person: 'ada', reason: 'fog over the harbour' });
    await first.send(1, 'resume', { person: 'ada' });

    await stage.stopChildren();
    keysFile('workers', `new ${NEW}\nold ${OLD}\n`);
    await stage.startWorkers(workers);
    expect((await new Night(stage, id).play(120_000))?.outcome).toBe('live');

    const seen = new Set<string>();
    for (const workflowId of [first.workflowId, waveWorkflowId(first.workflowId, 1)]) {
      const history = await stage.temporal.client.workflow.getHandle(workflowId).fetchHistory();
      const bytes = Buffer.from(History.encode(History.fromObject(history)).finish());
      for (const word of ['"person"', '"startedBy"', '"ada"', 'fog over the harbour', '"json/plain"', 'staticSummary'])
        expect({ word, found: bytes.includes(word) }).toEqual({ word, found: false });
      for (const { keyId } of payloadsOf(history)) seen.add(keyId ?? 'in the clear');
    }
    expect(seen).toEqual(new Set(['old', 'new']));

    const endpoint = await stage.start('codec', 'cli/main.js', {
      args: ['codec', '--port', '0'],
      ready: /codec endpoint/,
    });
    const query = ['workflow', 'query', '--workflow-id', first.workflowId, '--name', 'status'];
    const address = stage.env['TEMPORAL_ADDRESS'] ?? '';
    const blind = await stockTemporal(address, query);
    const reading = await stockTemporal(address, [
      ...query,
      '--codec-endpoint',
      endpoint.readyLine.split(' ').at(-1) ?? '',
    ]);
    expect(blind.text).not.toMatch(/"outcome": ?"live"/);
    expect(reading.text).toMatch(/"outcome": ?"live"/);
  });
});

/** Payloads anywhere in a history, but for search attributes, which the server must be able to read. */
function payloadsOf(value: unknown): { keyId: string | undefined }[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && typeof value.metadata === 'object' && value.metadata && 'encoding' in value.metadata)
    return isOfServer(value) ? [] : [{ keyId: keyIdOf(value as Parameters<typeof keyIdOf>[0]) }];
  return Object.entries(value).flatMap(([name, each]) => (name === 'searchAttributes' ? [] : payloadsOf(each)));
}

/** The server itself writes this word, in the clear, for a call that was given up before any worker had it. */
const isOfServer = (payload: object): boolean =>
  'data' in payload && Buffer.from(payload.data as Uint8Array).toString() === '"ACTIVITY_ID_NOT_STARTED"';
