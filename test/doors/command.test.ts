import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../cli/run-cli';
import { projectDir } from '../../local/paths';
import { fakeCli, type HeardCli } from '../cli/support/fake-cli';
import { freshDatabase } from '../support/databases';
import { ARGUMENTS, ENVIRONMENTS, FILES, NOWHERE, PLANS, PROCESSES, START, TINY } from './cases/command';
import { changed, query } from './support/tiny-systems';

async function cutover(env: Record<string, string>, ...argv: string[]): Promise<HeardCli> {
  const cli = fakeCli(env);
  cli.exitCode = await runCli(argv, cli);
  return cli;
}

describe('the command line turns away what is wrong before it touches anything', () => {
  it.each(ARGUMENTS)('%s', async (_, argv, exitCode, says) => {
    const cli = await cutover({ TEMPORAL_ADDRESS: NOWHERE }, ...argv);
    expect(cli.stderr).toMatch(says);
    expect([cli.exitCode, cli.stdout]).toEqual([exitCode, '']);
  });

  it('a binary for a runbook: names the first places, without pages of it', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cutover-door-')), 'runbook.yaml');
    const bytes = readFileSync(process.execPath).subarray(0, 200_000);
    writeFileSync(file, bytes);
    const cli = await cutover({}, 'check', file);
    expect(cli.exitCode).toBe(1);
    expect(cli.stdout).toMatch(/bytes that are no UTF-8|a control character|not readable as YAML/);
    expect(cli.stdout.length).toBeLessThan(20_000);
  });

  it.each(FILES)('a file of %s: says so, at its place', async (_, bytes, says) => {
    const file = join(mkdtempSync(join(tmpdir(), 'cutover-door-')), 'runbook.yaml');
    writeFileSync(file, bytes);
    const cli = await cutover({}, 'check', file);
    expect(cli.stdout).toMatch(says);
    expect([cli.exitCode, cli.stdout.length < 5_000]).toEqual([1, true]);
  });

  it.each(PLANS)('a plan with %s: names the line and what to write', async (_, change, says) => {
    const plan = join(mkdtempSync(join(tmpdir(), 'cutover-door-')), 'plan.yaml');
    const text = readFileSync(join(TINY, 'plan.yaml'), 'utf8');
    expect(change(text)).not.toBe(text);
    writeFileSync(plan, change(text));
    const cli = await cutover({}, ...START.slice(0, 2), '--plan', plan, '--id', 'n1', '--as', 'ada');
    expect(cli.stderr).toMatch(says);
    expect(cli.exitCode).toBe(1);
  });
});

describe('the environment', () => {
  it.each(ENVIRONMENTS)('%s', async (_, env, argv, exitCode, says) => {
    const cli = await cutover(env, ...argv);
    expect(cli.stderr).toMatch(says);
    expect(cli.stderr).not.toContain('secret');
    expect(cli.exitCode).toBe(exitCode);
  });

  it.each(PROCESSES)('%s, for the %s: names the variable', async (_, entry, env, says) => {
    const child = spawn(process.execPath, [join(projectDir(), 'dist', entry, 'main.js')], { env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += String(piece)));
    const [code] = await once(child, 'close');
    expect(said).toMatch(says);
    expect(said).not.toMatch(/secret|"ready":true/);
    expect(code).toBe(1);
  });

  it('a control database that does not exist', async () => {
    const url = await freshDatabase('door_control');
    const missing = await cutover({ CONTROL_URL: changed(url, (parsed) => (parsed.pathname = '/nowhere')) }, 'list');
    expect(missing).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('"nowhere" does not exist') });
    expect(await query(url, `select from pg_namespace where nspname = 'control'`)).toHaveLength(0);
  });
});
