import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../cli/run-cli';
import { fakeCli, type HeardCli } from '../cli/support/fake-cli';
import { freshDatabase } from '../support/databases';
import { changed, query, readOnly } from './support/tiny-systems';

const TINY = join('test', 'runbooks', 'tiny');
const START = ['start', join(TINY, 'runbook.yaml'), '--plan', join(TINY, 'plan.yaml')];
const NOWHERE = '127.0.0.1:1';

async function cutover(env: Record<string, string>, ...argv: string[]): Promise<HeardCli> {
  const cli = fakeCli(env);
  cli.exitCode = await runCli(argv, cli);
  return cli;
}

describe('the command line turns away what is wrong before it touches anything', () => {
  it.each<[string, string[], number, RegExp]>([
    [
      'a lead nobody knows',
      [...START, '--id', 'n1', '--as', 'eve'],
      2,
      /nobody in the plan is called "eve"\n→ people: ada, ben, cas/,
    ],
    [
      'an id that is a path',
      [...START, '--id', '../../n1', '--as', 'ada'],
      2,
      /is no id\n→ letters, digits and dashes.*63 at most/,
    ],
    [
      'an id of 3000 letters',
      [...START, '--id', 'x'.repeat(3_000), '--as', 'ada'],
      2,
      /^--id "x{80}" is no id\n→ .*63 at most/,
    ],
    ['no id', [...START, '--as', 'ada'], 2, /required option '--id <id>' not specified/],
    ['a decision that is none', ['vote', 'n1', 'final', 'maybe', '--as', 'ada'], 2, /Allowed choices are go, no-go/],
    ['a vote of nobody', ['vote', 'n1', 'final', 'go'], 2, /required option '--as <person>' not specified/],
    ['a wave that is none', ['go', 'n1', 'freeze', '--as', 'ada', '--wave', '-1'], 2, /a wave is a number from 1 on/],
    [
      'an opening that is no instant',
      ['reschedule', 'n1', 'night', '--opens', 'tomorrow', '--closes', 'later', '--as', 'a'],
      2,
      /an instant with its offset, such as/,
    ],
    ['a verb there is not', ['freeze', 'n1'], 2, /unknown command 'freeze'/],
    ['a folder for a runbook', ['check', tmpdir()], 2, /cannot be read \(EISDIR\)\n→ give the path of a YAML file/],
  ])('%s', async (_, argv, exitCode, says) => {
    const cli = await cutover({ TEMPORAL_ADDRESS: NOWHERE }, ...argv);
    expect(cli.stderr).toMatch(says);
    expect([cli.exitCode, cli.stdout]).toEqual([exitCode, '']);
  });

  it('a binary for a runbook: names the first places, without pages of it', async () => {
    const cli = await cutover({}, 'check', process.execPath);
    expect(cli.exitCode).toBe(1);
    expect(cli.stdout).toMatch(/not readable as YAML/);
    expect(cli.stdout.length).toBeLessThan(20_000);
  });

  it.each<[string, (plan: string) => string, RegExp]>([
    [
      'a role nobody holds',
      (plan) => plan.replace('roles: [owner]', 'roles: [ops]'),
      /plan\.yaml:\d+:\d+: .*owner.*; .*\[/,
    ],
    [
      'a role there is not',
      (plan) => plan.replace('roles: [owner]', 'roles: [owner, king]'),
      /plan\.yaml:7:\d+: .*king/,
    ],
    ['the same person twice', (plan) => plan.replace('id: cas', 'id: ben'), /plan\.yaml:8:\d+: .*ben/],
    [
      'another runbook’s plan',
      (plan) => plan.replace('runbook: tiny', 'runbook: large'),
      /plan\.yaml:2:\d+: .*(large|tiny)/,
    ],
    ['no waves', (plan) => plan.replace('  - { id: all }', '  []'), /plan\.yaml:\d+:\d+: /],
    ['a pace of nothing', (plan) => plan.replace('pace: 1000', 'pace: 0'), /plan\.yaml:4:\d+: .*pace/],
  ])('a plan with %s: names the line and what to write', async (_, change, says) => {
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
  it.each<[string, Record<string, string>, string[], number, RegExp]>([
    [
      'no Temporal there',
      { TEMPORAL_ADDRESS: NOWHERE },
      ['status', 'n1'],
      4,
      /no Temporal server answers at 127\.0\.0\.1:1.*\n→ start one/,
    ],
    [
      'an address that is none',
      { TEMPORAL_ADDRESS: 'not an address' },
      ['status', 'n1'],
      4,
      /answers at not an address/,
    ],
    [
      'a certificate there is not',
      { TEMPORAL_ADDRESS: NOWHERE, TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such' },
      ['status', 'n1'],
      2,
      /the settings for Temporal cannot be read: .*\/no\/such.*\n→ mend TEMPORAL_PROFILE, the TEMPORAL_TLS_\*/,
    ],
    [
      'a profile there is not',
      { TEMPORAL_PROFILE: 'moon' },
      ['status', 'n1'],
      2,
      /cannot be read: .*moon.*\n→ mend TEMPORAL_PROFILE/,
    ],
    ['no control database named', {}, ['list'], 4, /CONTROL_URL is not set\n→ set it to the URL/],
    [
      'a control database nobody listens at',
      { CONTROL_URL: 'postgres://a@127.0.0.1:1/x' },
      ['list'],
      4,
      /does not answer: .*127\.0\.0\.1:1\n→ start it, or mend CONTROL_URL/,
    ],
    [
      'a text that is no URL',
      { CONTROL_URL: 'control' },
      ['list'],
      2,
      /CONTROL_URL is not a PostgreSQL URL\n→ write it as postgres:\/\//,
    ],
    [
      'another kind of database',
      { CONTROL_URL: 'mysql://root:secret@h/x' },
      ['list'],
      2,
      /CONTROL_URL is not a PostgreSQL URL/,
    ],
  ])('%s', async (_, env, argv, exitCode, says) => {
    const cli = await cutover(env, ...argv);
    expect(cli.stderr).toMatch(says);
    expect(cli.stderr).not.toContain('secret');
    expect(cli.exitCode).toBe(exitCode);
  });

  it('a control database that does not exist, or that may only be read', async () => {
    const url = await freshDatabase('door_control');
    const missing = await cutover({ CONTROL_URL: changed(url, (parsed) => (parsed.pathname = '/nowhere')) }, 'list');
    expect(missing).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('"nowhere" does not exist') });
    await readOnly(url);
    const closed = await cutover({ CONTROL_URL: url }, 'list');
    expect(closed.stderr).toMatch(
      /the control database cannot be written to \(CONTROL_URL\): .*read-only.*\n→ name one that can/,
    );
    expect(closed.exitCode).toBe(4);
    expect(await query(url, `select from pg_namespace where nspname = 'control'`)).toHaveLength(0);
  });
});
