import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, stopAll, type Child } from '../../local/children';
import { fillLegacy } from '../../local/legacy/fill';
import { projectDir } from '../../local/paths';
import { freshDatabase } from '../support/databases';

const built = existsSync(join(projectDir(), 'dist/local/legacy/scheduler.js'));
if (!built) process.stderr.write('Skipped: the project is not built.\n');

(built ? describe : describe.skip)('processes of the demo', () => {
  const logDir = mkdtempSync(join(tmpdir(), 'cutover-children-'));
  let env: Record<string, string>;
  const children: Child[] = [];

  const scheduler = async (name: string): Promise<Child> => {
    const child = await startChild({
      name,
      entry: 'local/legacy/scheduler.js',
      env,
      logDir,
      ready: /"ready":"scheduler"/,
    });
    children.push(child);
    return child;
  };
  const call = async (child: Child, method: string, path: string): Promise<number> => {
    const { url } = JSON.parse(child.readyLine) as { url: string };
    return (await fetch(`${url}${path}`, { method })).status;
  };

  beforeAll(async () => {
    const url = await freshDatabase('children');
    await fillLegacy(url, { customers: 20, seed: 1 });
    env = { SOURCE_URL: url };
  });

  afterAll(async () => {
    await stopAll(children);
    rmSync(logDir, { recursive: true, force: true });
  });

  it('wait until ready, and the scheduler stops and starts its job and says which it is', async () => {
    const child = await scheduler('first');
    expect(await call(child, 'GET', '/running')).toBe(200);
    expect(await call(child, 'GET', '/stopped')).toBe(409);
    expect(await call(child, 'POST', '/stop')).toBe(200);
    expect(await call(child, 'POST', '/stop')).toBe(200);
    expect(await call(child, 'GET', '/stopped')).toBe(200);
    expect(await call(child, 'GET', '/elsewhere')).toBe(404);
  });

  it('die at once when killed, and a new scheduler still knows that the job was stopped', async () => {
    const [first] = children;
    expect(await first?.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(first?.isRunning()).toBe(false);
    const second = await scheduler('second');
    expect(await call(second, 'GET', '/stopped')).toBe(200);
    expect(await call(second, 'POST', '/start')).toBe(200);
    expect(await call(second, 'GET', '/running')).toBe(200);
  });

  it('end in order on SIGTERM, with their output in a file', async () => {
    const child = await startChild({
      name: 'office',
      entry: 'local/legacy/backoffice.js',
      env,
      logDir,
      ready: /"ready":"backoffice"/,
    });
    expect(await child.stop()).toEqual({ code: 0, signal: null });
    expect(readFileSync(child.logFile, 'utf8')).toMatch(/"ready":"backoffice"[\s\S]*"stopped":"backoffice"/);
  });

  it('are reported with their log when they end before they are ready', async () => {
    const failing = startChild({
      name: 'failing',
      entry: 'local/legacy/backoffice.js',
      env: {},
      logDir,
      ready: /never/,
    });
    await expect(failing).rejects.toThrow(/failing ended \(1\) before it was ready\. Its log: .*failing\.log/);
    await expect(startChild({ name: 'none', entry: 'local/none.js', env, logDir })).rejects.toThrow('is not built');
  });

  it('are ended when they are not ready in time', async () => {
    const late = startChild({
      name: 'late',
      entry: 'local/legacy/scheduler.js',
      env,
      logDir,
      ready: /never/,
      readyTimeoutMs: 1_500,
    });
    await expect(late).rejects.toThrow('was not ready after 1500 ms');
  });
});
