import { getEventListeners } from 'node:events';
import path from 'node:path';
import type { Diagnosis } from '../../cli/doctor/finding';
import { runCli } from '../../cli/run-cli';
import { withClient } from '../../local/with-client';
import { keepLastView } from '../../systems/control/views';
import { connect } from '../../systems/postgres/connect';
import { Stage } from '../e2e/support/stage';
import { freshDatabase } from '../support/databases';
import { waitUntil } from '../support/wait-until';
import { fakeCli, type HeardCli } from './support/fake-cli';

jest.setTimeout(120_000);

const TINY = path.join('test', 'runbooks', 'tiny');
const START = ['start', path.join(TINY, 'runbook.yaml'), '--plan', path.join(TINY, 'plan.yaml'), '--as', 'ada'];
const NOTHING_KEPT = 'no cutover was ever kept in this database (CONTROL_URL)';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('control');
  await stage.freshDatabases(1);
});
afterAll(() => stage.close());

async function cutover(url: string, ...argv: string[]): Promise<HeardCli> {
  const cli = fakeCli({ ...stage.env, CONTROL_URL: url });
  cli.exitCode = await runCli(argv, cli);
  return cli;
}

const schemas = (url: string): Promise<string[]> =>
  withClient(url, async (client) => {
    const sql = `select nspname from pg_namespace where nspname in ('control', 'cutover')`;
    return (await client.query<{ nspname: string }>(sql)).rows.map(({ nspname }) => nspname);
  });

describe('in a database no cutover was kept in', () => {
  let fresh: string;
  beforeAll(async () => (fresh = await freshDatabase('fresh_control')));
  afterEach(async () => expect(await schemas(fresh)).toEqual([]));

  it.each([['list'], ['lookup', 'n1', 't1'], ['report', 'n1'], ['amend', 'n1', ...START.slice(1), '--reason', 'x']])(
    'cutover %s says so',
    async (...argv) => {
      const { exitCode, stderr } = await cutover(fresh, ...argv);
      expect(stderr).toBe(
        `${NOTHING_KEPT}\n→ name the control database of your workers, or start a cutover: cutover start\n`,
      );
      expect(exitCode).toBe(3);
    },
  );

  it.each([
    ['status', 'n1'],
    ['watch', 'n1'],
    ['vote', 'n1', 'final', 'go', '--as', 'ben'],
  ])('cutover %s asks Temporal alone', async (...argv) => {
    const { exitCode, stderr } = await cutover(fresh, ...argv);
    expect(stderr).toContain('no cutover "n1" is known');
    expect(exitCode).toBe(2);
  });

  it('doctor finds it, and looks at the rest', async () => {
    const { stdout } = await cutover(fresh, 'doctor', '--output', 'json');
    const { findings } = JSON.parse(stdout) as { findings: Diagnosis[] };
    expect(findings[0]).toMatchObject({ what: 'control (CONTROL_URL)', verdict: 'bad', said: NOTHING_KEPT });
    expect(findings.map(({ what }) => what)).toEqual(expect.arrayContaining(['source (SOURCE_URL)', 'guardian']));
  });
});

it('start refuses a control database that is a system of a cutover, and makes the tables in an empty one', async () => {
  const source = await freshDatabase('a_source');
  await withClient(source, (client) => client.query('create schema cutover'));
  const refused = await cutover(source, ...START, '--id', 'n1');
  expect(refused.stderr).toBe(
    'CONTROL_URL names a system of a cutover (it has schema cutover)\n→ name an empty database of its own\n',
  );
  expect([refused.exitCode, await schemas(source)]).toEqual([3, ['cutover']]);
  const empty = await freshDatabase('empty_control');
  expect(await cutover(empty, ...START, '--id', 'n1')).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await cutover(empty, 'list')).stdout).toMatch(/n1\s+running/);
});

it('start says of a control database that may only be read that it cannot be written to', async () => {
  const url = await freshDatabase('read_only');
  const name = new URL(url).pathname.slice(1);
  await withClient(url, (client) => client.query(`alter database ${name} set default_transaction_read_only = on`));
  const { exitCode, stderr } = await cutover(url, ...START, '--id', 'n3');
  expect(stderr).toMatch(
    /the control database cannot be written to \(CONTROL_URL\): .*read-only.*\n→ name one that can/,
  );
  expect([exitCode, await schemas(url)]).toEqual([4, []]);
});

it('Ctrl-C while no answer has come says that the message may still be taken, and leaves no call behind', async () => {
  const url = await freshDatabase('interrupted');
  expect(await cutover(url, ...START, '--id', 'n2')).toMatchObject({ exitCode: 0 });
  const body = JSON.stringify({ wave: null, status: 'running', outcome: null, startedAt: 0, waves: [], gates: [] });
  const pool = connect(url, { applicationName: 'test', max: 1 });
  await keepLastView(pool, { cutover: 'n2', wave: null, kind: 'run', body });
  await pool.end();
  const stop = new AbortController();
  const cli = Object.assign(fakeCli({ ...stage.env, CONTROL_URL: url }), { stop: stop.signal });
  const ends = runCli(['pause', 'n2', '--as', 'ada', '--reason', 'x'], cli);
  await waitUntil(() => getEventListeners(stop.signal, 'abort').length > 0);
  stop.abort();
  expect(await ends).toBe(130);
  expect(cli.stderr).toMatch(/n2 answered; the message may still be taken\n→ look at `cutover status`\n$/);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
