import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from '../../cli/run-cli';
import type { MachineDuration } from '../../cli/machine-durations';
import type { StatusShown } from '../../cli/run-status';
import type { Timeline } from '../../runbooks/plan-timeline/plan-timeline';
import { GUARDIAN_SCHEDULE, QUEUES, WORKFLOWS } from '../../workflows/names';
import { Stage } from '../e2e/support/stage';
import { waitUntil } from '../support/wait-until';
import { fakeCli, type HeardCli } from './support/fake-cli';

jest.setTimeout(300_000);

const TINY = path.join('test', 'runbooks', 'tiny');
const START = ['start', path.join(TINY, 'runbook.yaml'), '--plan', path.join(TINY, 'plan.yaml'), '--as', 'ada'];
const ID = `cli-${Date.now().toString(36)}`;

/** In which watch looks twice more. */
const LOOKS_MS = 2_500;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('cli');
  await stage.freshDatabases(50);
});
afterAll(() => stage.close());

/** Runs one command line against the stage, at the real time. */
async function cutover(...argv: string[]): Promise<HeardCli> {
  const cli: HeardCli = Object.assign(fakeCli(stage.env), { now: () => Date.now() });
  cli.exitCode = await runCli(argv, cli);
  return cli;
}

async function status(): Promise<StatusShown> {
  const { stdout, stderr, exitCode } = await cutover('status', ID, '--output', 'json');
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as StatusShown;
}

/** Waits until the wave's run shows it; the status it was seen in. */
async function seen(holds: (wave: StatusShown['runs'][number]) => boolean): Promise<StatusShown> {
  let last: StatusShown | undefined;
  await waitUntil(async () => {
    last = await status();
    return last.runs.some((run) => run.wave === 1 && holds(run));
  }, 60_000);
  if (!last) throw new Error('unreachable: the condition held');
  return last;
}

const waits = (step: string) => (run: StatusShown['runs'][number]) =>
  run.steps.some((each) => each.id === step && each.status === 'waiting-go');

describe('a night led from the command line', () => {
  it('doctor says which workers and which guardian are not there, and how to start them', async () => {
    const { stdout, exitCode } = await cutover('doctor');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/ok\s+Temporal\s+server \S+ at 127\.0\.0\.1:\d+, namespace default/);
    expect(stdout).toMatch(/ok\s+source \(SOURCE_URL\)\s+PostgreSQL 18/);
    expect(stdout).toMatch(/bad\s+queue cutover-lease\s+no worker polls it/);
    expect(stdout).toContain('start one: cutover worker cutover-lease');
    expect(stdout).toMatch(/bad\s+guardian\s+has no schedule/);
  });

  it('a worker brings the schedule of the guardian up to date that an earlier build made', async () => {
    const { schedule } = stage.temporal.client;
    await schedule.create({
      scheduleId: GUARDIAN_SCHEDULE,
      spec: { intervals: [{ every: '1 day' }] },
      action: { type: 'startWorkflow', workflowType: WORKFLOWS.guardian, taskQueue: QUEUES.main, args: [] },
    });
    await stage.startWorkers();
    const { action, spec } = await schedule.getHandle(GUARDIAN_SCHEDULE).describe();
    expect(action).toMatchObject({ workflowId: 'cutover-guardian', workflowRunTimeout: 600_000 });
    expect(spec.intervals).toEqual([expect.objectContaining({ every: 30_000 })]);
  });

  it('starts a run once; the same id again is refused with where to look', async () => {
    const first = await cutover(...START, '--id', ID);
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.stdout).toContain(`cutover/tiny/${ID}`);
    const again = await cutover(...START, '--id', ID);
    expect(again.exitCode).toBe(3);
    expect(again.stderr).toContain(`cutover ${ID} was started before`);
    expect((await cutover('list')).stdout).toMatch(new RegExp(`${ID}\\s+running\\s+tiny\\s+ada`));
  });

  it('takes a vote on the evidence shown, and refuses whoever may not vote', async () => {
    const shown = await seen((run) =>
      run.gates.some((gate) => gate.id === 'go-night' && gate.status === 'open' && gate.digest !== null),
    );
    const digest = shown.runs.find((run) => run.wave === 1)?.gates.find((gate) => gate.id === 'go-night')?.digest ?? '';
    const starter = await cutover('vote', ID, 'go-night', 'go', '--as', 'ada');
    expect(starter).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('whoever started the run does not vote'),
    });
    const unknown = await cutover('vote', ID, 'go-night', 'go', '--as', 'eve', '--output', 'json');
    expect(unknown.exitCode).toBe(3);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ accepted: false, answers: [{ wave: 1, message: 'castVote' }] });
    const outdated = await cutover('vote', ID, 'go-night', 'go', '--as', 'ben', '--digest', '0123456789ab');
    expect(outdated).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining('never showed evidence 0123456789ab'),
    });
    const vote = await cutover('vote', ID, 'go-night', 'go', '--as', 'ben', '--digest', digest.slice(0, 12));
    expect(vote).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('accepted') });
  });

  it('sends go to the wave that waits for it, and says what there is when a step is not known', async () => {
    await seen(waits('intake'));
    const nowhere = await cutover('go', ID, 'intakes', '--as', 'ada');
    expect(nowhere).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('steps: ') });
    expect(await cutover('go', ID, 'intake', '--as', 'ben')).toMatchObject({ exitCode: 3 });
    expect(await cutover('go', ID, 'intake', '--as', 'ada')).toMatchObject({ exitCode: 0 });
  });

  it('raises and resolves an incident in every open run, and pauses and resumes them', async () => {
    await seen(waits('freeze'));
    const raised = await cutover(
      'incident',
      'raise',
      ID,
      'slow',
      '--severity',
      'low',
      '--title',
      'Slow lookups',
      '--as',
      'cas',
      '-o',
      'json',
    );
    expect(JSON.parse(raised.stdout)).toMatchObject({ accepted: true, answers: [{ wave: null }, { wave: 1 }] });
    expect((await cutover('status', ID, '--brief')).stdout).toContain('Open incidents: slow (low): Slow lookups.');
    expect(await cutover('incident', 'resolve', ID, 'slow', '--as', 'cas')).toMatchObject({ exitCode: 0 });
    expect(await cutover('pause', ID, '--as', 'ada', '--reason', 'coffee')).toMatchObject({ exitCode: 0 });
    expect((await status()).status).toBe('paused');
    expect(await cutover('resume', ID, '--as', 'ada')).toMatchObject({ exitCode: 0 });
    expect(await cutover('resume', ID, '--as', 'ada')).toMatchObject({ exitCode: 3 });
  });

  it('says where a customer lives, and that all is well', async () => {
    expect(await cutover('lookup', ID, 't7')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('t7 lives in the source (wave 1, all) (by its wave: no system was asked)'),
    });
    const doctor = await cutover('doctor');
    expect(doctor.stdout).toContain('all well');
    expect(doctor.exitCode).toBe(0);
  });

  it('ends watch in order on Ctrl-C', async () => {
    const child = spawn(process.execPath, [path.join('dist', 'cli', 'main.js'), 'watch', ID], {
      env: { ...process.env, ...stage.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('goes back when asked, and watch follows it to its end', async () => {
    expect(await cutover('rollback', ID, '--as', 'ada', '--reason', 'the test asks for it')).toMatchObject({
      exitCode: 0,
    });
    const watched = await cutover('watch', ID);
    expect(watched.stdout).toContain('rollback asked by ada: the test asks for it');
    expect(watched.stdout).toMatch(/ended: rolled-back\n$/);
    expect(watched.exitCode).toBe(1);
    const ended = await status();
    expect(ended).toMatchObject({ outcome: 'rolled-back', source: 'live' });
    expect(ended.rollbacks).toEqual(expect.arrayContaining([expect.objectContaining({ wave: 1, status: 'done' })]));
    const late = await cutover('pause', ID, '--as', 'ada', '--reason', 'too late');
    expect(late).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('it is rolled-back') });
  });

  it('writes the report of it', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'cutover-report-'));
    const written = await cutover('report', ID, '--out', dir, '--output', 'json');
    expect(written).toMatchObject({ exitCode: 0, stderr: '' });
    const report: unknown = JSON.parse(await readFile(path.join(dir, ID, 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      outcome: 'rolled-back',
      population: { baseline: 50, moved: 0, remaining: 50, missing: 0, duplicated: 0 },
      waves: [{ id: 'all' }],
      votes: 'unsigned',
      audit: { brokenAt: null },
    });
    expect(await readFile(path.join(dir, ID, 'report.html'), 'utf8')).toContain('Rolled back');
  });

  it('proposes what its machine steps took for the next plan, which then plans with them', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'cutover-durations-'));
    const next = path.join(dir, 'plan.yaml');
    await copyFile(path.join(TINY, 'plan.yaml'), next);
    const proposed = await cutover('durations', ID, '--into', next, '--output', 'json');
    expect(proposed).toMatchObject({ exitCode: 0, stderr: '' });
    const measured = JSON.parse(proposed.stdout) as MachineDuration[];
    expect(measured.map(({ id }) => id)).toContain('preload');
    const planned = await cutover('plan', path.join(TINY, 'runbook.yaml'), '--plan', next, '--output', 'json');
    const { steps } = JSON.parse(planned.stdout) as Timeline;
    for (const { id, measuredMs } of measured) {
      const step = steps.find((each) => each.id === id);
      expect(step && step.plannedEnd - step.plannedStart).toBe(measuredMs);
    }
    expect((await cutover('durations', ID)).stdout).toMatch(/preload[^]*\n\ndurations:\n/);
    await rm(dir, { recursive: true });
  });

  it('shows an ended run as it ended when no worker runs', async () => {
    await stage.stopChildren();
    const saved = await status();
    expect(saved).toMatchObject({ outcome: 'rolled-back', source: 'live' });
    expect(saved.runs[0]?.steps.length).toBeGreaterThan(0);
  });

  it('says of a run that was terminated that it is dead, asks nobody for anything, and watch says it once', async () => {
    await stage.freshDatabases(50);
    await stage.startWorkers();
    const id = `${ID}-dead`;
    expect(await cutover(...START, '--id', id)).toMatchObject({ exitCode: 0 });
    const told = async (...options: string[]): Promise<string> => (await cutover('status', id, ...options)).stdout;
    await waitUntil(async () => /go-night\s+open/.test(await told()), 60_000);
    await stage.temporal.client.workflow.getHandle(`cutover/tiny/${id}`).terminate('the test ends it');
    const shown = async (): Promise<StatusShown> => JSON.parse(await told('--output', 'json')) as StatusShown;
    expect(await shown()).toMatchObject({ status: 'dead', source: 'dead', outcome: null });
    expect((await cutover('list')).stdout).toMatch(new RegExp(`${id}\\s+dead\\s+tiny\\s+ada`));
    // The wave lives, and waits, until the guardian has seen it.
    await waitUntil(async () => (await shown()).runs.every(({ waitsFor }) => waitsFor.length === 0), 90_000);
    expect(await told('--brief')).toMatch(/is dead: its run was terminated or failed; the guardian takes back/);
    const child = spawn(process.execPath, [path.join('dist', 'cli', 'main.js'), 'watch', id], {
      env: { ...process.env, ...stage.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let heard = '';
    child.stdout.on('data', (chunk) => (heard += String(chunk)));
    await waitUntil(() => /terminated or failed.*still watching/.test(heard), 60_000);
    await sleep(LOOKS_MS);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(heard.match(/still watching/g)).toHaveLength(1);
  });
});
