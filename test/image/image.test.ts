import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { projectDir } from '../../local/paths';

jest.setTimeout(300_000);

const text = (file: string): string => readFileSync(join(projectDir(), file), 'utf8');
const dockerfile = text('Dockerfile');
interface Service {
  command: [string];
  environment: Record<string, string>;
}
const { services } = parse(text('compose.yaml'), { merge: true }) as { services: Record<string, Service> };

/** What the last stage copies out of the one named. */
const copiedFrom = (stage: string): string[] =>
  [...dockerfile.matchAll(new RegExp(`^COPY --from=${stage} /app/(\\S+)`, 'gm'))].map((match) => match[1] ?? '');

// No container engine is needed here: the same tree is laid out by hand, and the image itself is not built.
describe('the image', () => {
  let app: string;
  beforeAll(async () => {
    app = mkdtempSync(join(tmpdir(), 'cutover-image-'));
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(projectDir(), file), join(app, file));
    const install = ['ci', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'];
    await promisify(execFile)('npm', install, { cwd: app, timeout: 280_000 });
    for (const path of copiedFrom('build')) cpSync(join(projectDir(), path), join(app, path), { recursive: true });
    for (const left of ['test', 'bench']) rmSync(join(app, 'dist', left), { recursive: true, force: true });
  });
  afterAll(() => rmSync(app, { recursive: true, force: true }));

  const run = async (args: string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' };
    const ended = promisify(execFile)(process.execPath, args, { cwd: app, env, timeout: 60_000 });
    return ended.then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    );
  };

  it('runs as somebody who is not root, on the Node this project demands', () => {
    expect(dockerfile.split('FROM').at(-1)).toMatch(/^USER node$/m);
    expect([...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1])).toEqual(Array(3).fill('node:20-slim'));
  });

  it('holds what each service and the command need: they get as far as asking for their settings', async () => {
    expect(Object.keys(services)).toEqual(['worker', 'gateway']);
    expect(await run(services['worker']?.command ?? [])).toMatch(
      /The environment is not complete:\n {2}CONTROL_URL is not set/,
    );
    expect(await run(services['gateway']?.command ?? [])).toMatch(
      /The gateway cannot start:\n {2}CONTROL_URL is missing/,
    );
    expect(await run(['dist/cli/main.js', 'check', 'runbooks/billing-oss/runbook.yaml'])).not.toMatch(
      /Cannot find|ENOENT/,
    );
    expect(existsSync(join(app, 'dist/workflows/workflow-bundle.js'))).toBe(true);
  });

  it('has no development packages, and ignores what must not come in', () => {
    expect(existsSync(join(app, 'node_modules', 'jest'))).toBe(false);
    expect(text('.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['node_modules', 'dist', '.cutover', '.git']),
    );
  });
});

it('compose starts two workers, and its gateway is published on loopback alone', () => {
  expect(services['worker']).toMatchObject({ deploy: { replicas: 2 } });
  expect(services['gateway']).toMatchObject({ ports: ['127.0.0.1:8080:8080'] });
  expect(services['gateway']?.environment).toHaveProperty('SOURCE_URL');
});
