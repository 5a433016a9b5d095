import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stage, type Stage } from './fixture';

const MAIN = join(__dirname, '../../dist/gateway/main.js');

let at: Stage;
const started: ChildProcess[] = [];
beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error('dist/gateway/main.js is missing: run `npm run build` first');
  at = await stage('process');
});
afterAll(async () => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await at.end();
});

/** Starts the gateway as its own process and resolves with the URL of its ready line. */
async function start(env: Record<string, string> = {}): Promise<{ child: ChildProcess; url: string }> {
  const { control, source, target } = at.urls;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      CONTROL_URL: control,
      SOURCE_URL: source,
      TARGET_URL: target,
      CUTOVER: at.cutover,
      FORWARD_TIMEOUT_MS: '1000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  for await (const piece of child.stdout!) {
    text += String(piece);
    if (text.includes('\n')) break;
  }
  const ready = JSON.parse(text || '{}') as { url?: string; ready?: boolean };
  return { child, url: ready.url ?? '' };
}

test('a gateway killed while a request is under way leaves nothing behind: the next one finds out, once', async () => {
  const blocker = await at.source.connect();
  await blocker.query('select pg_advisory_lock(77)');
  const first = await start();
  const body = JSON.stringify({ idempotencyKey: 'a', customer: '1001', kind: 'slow', payload: { n: 'a' } });
  const lost = fetch(`${first.url}/requests`, { method: 'POST', body }).then(
    () => 'answered',
    () => 'no answer',
  );
  const waiting = async (): Promise<boolean> =>
    (await at.control.query(`select from control.request where state = 'forwarding'`)).rowCount === 1;
  while (!(await waiting())) await new Promise((resolve) => setTimeout(resolve, 20));
  first.child.kill('SIGKILL');
  expect(await lost).toBe('no answer');
  await blocker.query('select pg_advisory_unlock(77)');
  blocker.release();

  const second = await start();
  const state = async (): Promise<string> =>
    ((await (await fetch(`${second.url}/requests/a`)).json()) as { state: string }).state;
  while ((await state()) !== 'effected') await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await at.items('source', '1001')).toEqual([{ n: 'a' }]);
  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
});

test('a gateway that cannot start says why and ends with 1', async () => {
  const child = spawn(process.execPath, [MAIN], { env: { CUTOVER: 'x' }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (piece) => (said += String(piece)));
  const [code] = await once(child, 'close');
  expect(code).toBe(1);
  expect(said).toContain('CONTROL_URL is missing; set it to a PostgreSQL URL');
});
