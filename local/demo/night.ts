import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectClient, type TemporalClient } from '../../cli/connect';
import { findCutover } from '../../cli/find-cutover';
import { sendUpdate } from '../../cli/messages/send';
import { readStatus, type StatusShown } from '../../cli/run-status';
import { connect } from '../../systems/postgres/connect';
import { projectDir } from '../paths';
import type { Stack } from '../stack';
import { ENTITIES } from '../traffic/journal';
import { summarise, type TrafficSummary } from '../traffic/counts';
import { startTraffic, urlOf, type Cast, type TrafficStatus } from './cast';
import type { DemoDocuments } from './documents';
import { AT_LEAST, Lead } from './lead';
import type { DemoOptions } from './options';
import { people, LEAD, type Scripted } from './people';
import { progressLine } from './progress';
import { runProgram } from './run-program';
import { judgeDemo } from './verdict';

const LOOK_MS = 1_000;
const LONGEST_MS = 30 * 60_000;

/** One cutover of the demo: where, by which documents, and how it is watched. */
export interface Scene {
  id: string;
  stack: Stack;
  cast: Cast;
  documents: DemoDocuments;
  options: DemoOptions;
  /** The lead waits until every kind of operation was seen in each state of custody, and the load is judged. */
  thorough: boolean;
  signal: AbortSignal;
  say: (line: string) => void;
}

export interface Played {
  held: boolean;
  reportFile: string;
}

/** Plays one cutover from its start to its report, and judges it. */
export async function playNight(scene: Scene): Promise<Played> {
  const { id, stack, cast, documents, options, signal, say } = scene;
  const files = {
    journal: join(stack.dir, `${id}.journal.jsonl`),
    prober: join(stack.dir, `${id}.prober.jsonl`),
    baseline: join(stack.dir, `${id}.baseline.json`),
  };
  await runProgram(stack, 'local/audit/baseline.js', [
    '--source',
    stack.env['SOURCE_URL'] ?? '',
    '--out',
    files.baseline,
  ]);
  await startCompany(cast);
  await runProgram(stack, 'cli/main.js', [
    'start',
    documents.runbook,
    '--plan',
    documents.plan,
    '--id',
    id,
    '--as',
    LEAD,
  ]);
  say(`Cutover ${id} has started; its window opens at ${documents.opensAt.toISOString()}.`);
  say(`Temporal UI: ${stack.temporal.uiUrl ?? stack.temporal.address}`);
  const temporal = await connectClient(stack.env);
  try {
    await until(signal, async () => (await statusOf(stack, temporal, id))?.runs[0] !== undefined);
    const gateway = urlOf(
      (await cast.start('gateway', 'gateway/main.js', { env: { CUTOVER: id }, ready: /"ready"/ })).readyLine,
    );
    let traffic: TrafficStatus | null = null;
    const trafficChild = await startTraffic(
      cast,
      options,
      { journal: files.journal, gateway, cutover: id },
      (status) => (traffic = status),
    );
    const prober = await cast.start('prober', 'local/audit/prober.js', {
      args: ['--journal', files.prober, '--cutover', id],
      env: { GATEWAY_URL: gateway },
      ready: /"ready"/,
    });
    for (const person of people(options)) await startPerson(cast, id, person);
    if (options.interactive)
      say(
        `You vote: node dist/cli/main.js vote ${id} GATE go --as PERSON (environment: ${Object.entries(stack.env)
          .map(([key, value]) => `${key}=${value}`)
          .join(' ')})`,
      );
    const lead = new Lead({
      person: LEAD,
      role: 'lead',
      rollbackAt: options.rollback,
      enoughAtTarget: async () => enoughAtTarget(await summarise(files.journal)),
      send: async (workflowId, name, input) => {
        const answer = await sendUpdate(temporal, workflowId, name, input);
        if (!answer.accepted) say(`${name}: ${answer.reason}`);
      },
      say,
    });
    const outcome = await follow(scene, temporal, lead, () => traffic);
    await trafficChild.stop(20_000);
    await prober.stop(20_000);
    return await conclude(scene, outcome, files);
  } finally {
    await temporal.close();
  }
}

/** The company's own processes, and two workers: the lease is never in one process's hands. */
async function startCompany(cast: Cast): Promise<void> {
  const scheduler = await cast.start('scheduler', 'local/legacy/scheduler.js', { ready: /"ready"/ });
  cast.env['SCHEDULER_URL'] = urlOf(scheduler.readyLine);
  await cast.start('backoffice', 'local/legacy/backoffice.js', {});
  for (const name of ['worker-1', 'worker-2']) await cast.start(name, 'workers/main.js', { ready: /"ready":true/ });
}

const startPerson = (cast: Cast, id: string, { person, args }: Scripted): Promise<unknown> =>
  cast.start(`person-${person}`, 'local/people/main.js', { args: ['--person', person, '--cutover', id, ...args] });

function enoughAtTarget(traffic: TrafficSummary): boolean {
  const tables = ENTITIES.map((entity) => traffic.targetWrites[entity]);
  return (
    traffic.bornAtTarget >= AT_LEAST.bornAtTarget &&
    tables.every(
      (writes) =>
        writes !== undefined &&
        writes.insert > 0 &&
        writes.delete > 0 &&
        writes.insert + writes.update + writes.delete >= AT_LEAST.targetWrites,
    )
  );
}

async function statusOf(stack: Stack, temporal: TemporalClient, id: string): Promise<StatusShown | null> {
  const control = connect(stack.env['CONTROL_URL'] ?? '', { applicationName: 'cutover demo', max: 1 });
  try {
    return await readStatus(await findCutover(id, control, temporal), temporal, control);
  } catch {
    return null;
  } finally {
    await control.end();
  }
}

async function follow(
  { stack, id, thorough, signal, say }: Scene,
  temporal: TemporalClient,
  lead: Lead,
  traffic: () => TrafficStatus | null,
): Promise<string | null> {
  let outcome: string | null = null;
  let printed = '';
  await until(signal, async () => {
    const status = await statusOf(stack, temporal, id);
    if (!status) return false;
    outcome = status.outcome;
    const line = progressLine(status, traffic());
    if (line.key !== printed) say(line.text);
    printed = line.key;
    if (outcome === null) await lead.look(status, thorough ? traffic() : null);
    return outcome !== null;
  });
  return outcome;
}

/** Looks again and again until it holds. Throws after half an hour, or when the demo is interrupted. */
async function until(signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + LONGEST_MS;
  while (!(await holds())) {
    if (signal.aborted) throw new Error('The demo was interrupted; its processes are ended.');
    if (Date.now() > end) throw new Error('The demo took longer than 30 minutes; look at .cutover/demo/logs.');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function conclude(
  { options, stack, id, thorough, say }: Scene,
  outcome: string | null,
  files: { journal: string; prober: string; baseline: string },
): Promise<Played> {
  const expected = options.noGo === null && options.rollback === null ? 'live' : 'rolled-back';
  const out = join(projectDir(), 'out');
  await runProgram(stack, 'cli/main.js', ['report', id, '--out', out]);
  const audit = await runProgram(
    stack,
    'local/audit/main.js',
    ['--baseline', files.baseline, '--journal', files.journal, '--expect', expected, '--cutover', id],
    [0, 1],
  );
  const probes = JSON.parse(readFileSync(files.prober, 'utf8').trim().split('\n').at(-1) ?? '{}') as {
    violations?: number;
    probes?: number;
  };
  const reportFile = join(out, id, 'report.json');
  const promises = await judgeDemo({
    expected,
    outcome,
    reportFile,
    traffic: await summarise(files.journal),
    audit: JSON.parse(audit) as { ok: boolean; findings: { code: string; message: string; customers: number }[] },
    prober: { violations: probes.violations ?? 1, probes: probes.probes ?? 0 },
    fullNight: thorough && expected === 'live',
  });
  for (const { promise, held, shown } of promises) say(`${held ? 'held  ' : 'BROKEN'}  ${promise.padEnd(9)} ${shown}`);
  say(`Outcome: ${outcome ?? 'none'}. Report: out/${id}/report.html`);
  return { held: promises.every(({ held }) => held), reportFile };
}
