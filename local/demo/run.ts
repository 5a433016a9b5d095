import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectClient, type TemporalClient } from '../../cli/connect';
import { findCutover } from '../../cli/find-cutover';
import { sendUpdate } from '../../cli/messages/send';
import { readStatus, type StatusShown } from '../../cli/run-status';
import { connect } from '../../systems/postgres/connect';
import { projectDir } from '../paths';
import { removeStack, startStack, type Stack } from '../stack';
import { ENTITIES } from '../traffic/journal';
import { summarise, type TrafficSummary } from '../traffic/counts';
import { Cast, startTraffic, urlOf, type TrafficStatus } from './cast';
import { refuseUnknown, writeDocuments } from './documents';
import { AT_LEAST, Lead } from './lead';
import type { DemoOptions } from './options';
import { people, LEAD, type Scripted } from './people';
import { progressLine } from './progress';
import { judgeDemo } from './verdict';

const LOOK_MS = 1_000;
const LONGEST_MS = 30 * 60_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Starts the stack and its people, lets the cutover run, and judges it. Resolves to whether every promise held. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  refuseUnknown(options);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  await removeStack(options.stack);
  const fill =
    options.customersCsv === null ? { customers: options.customers ?? 0 } : { customersCsv: options.customersCsv };
  const stack = await startStack({ name: options.stack, ...fill, seed: options.seed, log: say });
  const cast = new Cast(stack, {});
  try {
    const held = await night(options, stack, cast, stop.signal);
    if (options.keep) await untilInterrupted(stop.signal);
    return held;
  } finally {
    await cast.stopAll();
    await stack.stop();
  }
}

/** `--keep`: the stack, its workers and its people's gateway go on until Ctrl-C. */
function untilInterrupted(signal: AbortSignal): Promise<void> {
  say('Everything is left running. Ctrl-C ends it.');
  return new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

async function night(options: DemoOptions, stack: Stack, cast: Cast, signal: AbortSignal): Promise<boolean> {
  const id = `demo-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}`;
  const files = {
    journal: join(stack.dir, `${id}.journal.jsonl`),
    prober: join(stack.dir, `${id}.prober.jsonl`),
    baseline: join(stack.dir, `${id}.baseline.json`),
  };
  const documents = writeDocuments(join(stack.dir, 'documents'), new Date());
  await run(stack, 'local/audit/baseline.js', ['--source', stack.env['SOURCE_URL'] ?? '', '--out', files.baseline]);
  await startCompany(cast);
  await run(stack, 'cli/main.js', ['start', documents.runbook, '--plan', documents.plan, '--id', id, '--as', LEAD]);
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
    const outcome = await follow(stack, temporal, id, lead, () => traffic, signal);
    await trafficChild.stop(20_000);
    await prober.stop(20_000);
    return await conclude(options, stack, id, outcome, files);
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
  stack: Stack,
  temporal: TemporalClient,
  id: string,
  lead: Lead,
  traffic: () => TrafficStatus | null,
  signal: AbortSignal,
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
    if (outcome === null) await lead.look(status, traffic());
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
  options: DemoOptions,
  stack: Stack,
  id: string,
  outcome: string | null,
  files: { journal: string; prober: string; baseline: string },
): Promise<boolean> {
  const expected = options.noGo === null && options.rollback === null ? 'live' : 'rolled-back';
  const out = join(projectDir(), 'out');
  await run(stack, 'cli/main.js', ['report', id, '--out', out]);
  const audit = await run(
    stack,
    'local/audit/main.js',
    ['--baseline', files.baseline, '--journal', files.journal, '--expect', expected, '--cutover', id],
    [0, 1],
  );
  const probes = JSON.parse(readFileSync(files.prober, 'utf8').trim().split('\n').at(-1) ?? '{}') as {
    violations?: number;
    probes?: number;
  };
  const promises = await judgeDemo({
    expected,
    outcome,
    reportFile: join(out, id, 'report.json'),
    traffic: await summarise(files.journal),
    audit: JSON.parse(audit) as { ok: boolean; findings: { code: string; message: string; customers: number }[] },
    prober: { violations: probes.violations ?? 1, probes: probes.probes ?? 0 },
    fullNight: expected === 'live',
  });
  for (const { promise, held, shown } of promises) say(`${held ? 'held  ' : 'BROKEN'}  ${promise.padEnd(9)} ${shown}`);
  say(`Outcome: ${outcome ?? 'none'}. Report: out/${id}/report.html`);
  return promises.every(({ held }) => held);
}

const execute = promisify(execFile);

/** Runs a compiled entry point to its end and gives its output. Throws with its error output on another exit code. */
async function run(stack: Stack, entry: string, args: string[], codes: number[] = [0]): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, [join(projectDir(), 'dist', entry), ...args], {
      env: { ...process.env, ...stack.env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    if (codes.includes(failed.code ?? -1)) return failed.stdout ?? '';
    throw new Error(`${entry} ${args[0] ?? ''} failed:\n${failed.stderr ?? ''}${failed.stdout ?? ''}`, {
      cause: error,
    });
  }
}
