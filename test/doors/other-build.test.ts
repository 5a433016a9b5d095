import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runCli } from '../../cli/run-cli';
import type { Diagnosis } from '../../cli/doctor/finding';
import { projectDir } from '../../local/paths';
import { installControl } from '../../systems/control/schema';
import { connect } from '../../systems/postgres/connect';
import { fakeCli, type HeardCli } from '../cli/support/fake-cli';
import { Stage } from '../e2e/support/stage';
import { START, TINY } from './cases/command';
import { changed } from './support/tiny-systems';

jest.setTimeout(120_000);

const FOUND = /control database \S+\/control_\w+: schema control has no version, this program needs \d+/;
const REMEDY =
  /finish its open cutovers with the build that began them; for the next one drop schema cutover in source and target and set CONTROL_URL to a new/;

let stage: Stage;
let env: Record<string, string>;

/** A control database as an earlier build left it: with a run in it, and nothing that says which build that was. */
beforeAll(async () => {
  stage = await Stage.open('other-build');
  await stage.freshDatabases(3);
  const pool = connect(stage.urlOf('control'), { applicationName: 'test', max: 1 });
  await installControl(pool);
  await pool.query(
    `drop table control.meta; alter table control.undo drop column kept;
     insert into control.cutover (cutover, runbook, runbook_hash, plan_hash, started_by, workflow_id) values ('n1', 'tiny', 'r', 'p', 'ada', 'w')`,
  );
  await pool.end();
  env = { ...stage.env, CONTROL_URL: changed(stage.urlOf('control'), (url) => (url.password = 'secret')) };
});
afterAll(() => stage.close());

async function cutover(...argv: string[]): Promise<HeardCli> {
  const cli = fakeCli(env);
  cli.exitCode = await runCli(argv, cli);
  return cli;
}

it.each([
  ['list'],
  ['lookup', 'n1', 't1'],
  ['status', 'n1'],
  ['watch', 'n1'],
  ['vote', 'n1', 'final', 'go', '--as', 'ben'],
  ['report', 'n1'],
  [...START, '--id', 'n2', '--as', 'ada'],
])('cutover %s refuses a control database of another build', async (...argv) => {
  const { exitCode, stdout, stderr } = await cutover(...argv);
  expect(stderr).toMatch(FOUND);
  expect(stderr).toMatch(REMEDY);
  expect([exitCode, stdout, stderr.includes('secret')]).toEqual([3, '', false]);
});

it.each([
  ['doctor', 'findings', ['doctor']],
  ['check --live', 'live', ['check', join(TINY, 'runbook.yaml'), '--plan', join(TINY, 'plan.yaml'), '--live']],
])('%s names it among its findings, and what to do', async (_, list, argv) => {
  const { exitCode, stdout } = await cutover(...argv, '--output', 'json');
  const found = (JSON.parse(stdout) as Record<string, Diagnosis[]>)[list] ?? [];
  expect(found.filter(({ what }) => what.startsWith('control')).at(-1)).toEqual({
    what: 'control (CONTROL_URL)',
    verdict: 'bad',
    said: expect.stringMatching(FOUND) as string,
    remedy: expect.stringMatching(REMEDY) as string,
  });
  expect([exitCode, stdout.includes('secret')]).toEqual([1, false]);
});

it.each(['workers', 'gateway'])('what is in %s does not start over it', async (entry) => {
  const child = spawn(process.execPath, [join(projectDir(), 'dist', entry, 'main.js')], {
    env: { ...env, CUTOVER: 'n1' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += String(piece)));
  const [code] = await once(child, 'close');
  expect(said).toMatch(new RegExp(`^${FOUND.source}: ${REMEDY.source}`, 'm'));
  expect(said).not.toMatch(/secret|"ready":true/);
  expect(code).toBe(1);
});
