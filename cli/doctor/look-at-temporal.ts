import { GUARDIAN_SCHEDULE, QUEUES, WORKFLOWS } from '../../workflows/names';
import type { TemporalClient } from '../connect';
import { CliError } from '../exit';
import { pollers, type Poller } from '../pollers';
import { registerSearchAttributes, searchAttributeCommand } from '../search-attributes';
import { span } from '../show/format';
import { bad, looked, ok, warn, type Diagnosis } from './finding';
import { lookAtRun, type RunLook } from '../workflow-tasks';
import { lookAtBuilds } from './look-at-builds';

/** A lease must be taken over at once when its holder dies. */
const LEASE_HOLDERS = 2;
/** It looks twice a minute. */
const GUARDIAN_AWAY_MS = 300_000;

export async function lookAtTemporal(temporal: TemporalClient, nowMs: number): Promise<Diagnosis[]> {
  const remedy = 'see the message; the server may need a newer version or other rights';
  return [
    ...(await looked('Temporal', remedy, () => lookAtServer(temporal))),
    ...(await looked('search attributes', remedy, () => lookAtSearchAttributes(temporal))),
    ...(await looked('task queues', remedy, () => lookAtQueues(temporal, nowMs))),
    ...(await looked('builds', remedy, async () =>
      lookAtBuilds(temporal, await pollers(temporal, QUEUES.main, 'workflow', nowMs)),
    )),
    ...(await looked('workflow tasks', remedy, () => lookAtWorkflowTasks(temporal, nowMs))),
    ...(await looked('guardian', remedy, () => lookAtGuardian(temporal, nowMs))),
  ];
}

async function lookAtServer({ connection, address, namespace }: TemporalClient): Promise<Diagnosis[]> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  await connection.workflowService.describeNamespace({ namespace });
  return [ok('Temporal', `server ${serverVersion} at ${address}, namespace ${namespace}`)];
}

async function lookAtSearchAttributes(temporal: TemporalClient): Promise<Diagnosis[]> {
  try {
    const registered = await registerSearchAttributes(temporal);
    if (registered.length > 0) return [ok('search attributes', `registered now: ${registered.join(', ')}`)];
    return [ok('search attributes', 'registered')];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [
      bad(
        'search attributes',
        `${error.message}; without them each run stands still at its first step`,
        `let an operator run: ${searchAttributeCommand(temporal.namespace)}`,
      ),
    ];
  }
}

async function lookAtQueues(temporal: TemporalClient, nowMs: number): Promise<Diagnosis[]> {
  const looks = Object.values(QUEUES).map(async (queue) => {
    const activity = identities(await pollers(temporal, queue, 'activity', nowMs));
    const workflow = queue === QUEUES.main ? identities(await pollers(temporal, queue, 'workflow', nowMs)) : activity;
    const workers = Math.min(activity, workflow);
    const what = `queue ${queue}`;
    const start = `start one: cutover worker ${queue}`;
    if (workers === 0) return bad(what, 'no worker polls it: what needs it stands still', start);
    if (queue === QUEUES.lease && workers < LEASE_HOLDERS)
      return warn(
        what,
        'only one worker: if it dies, a freeze may lapse',
        `start a second one: cutover worker ${queue}`,
      );
    return ok(what, `${workers} ${workers === 1 ? 'worker' : 'workers'}`);
  });
  return Promise.all(looks);
}

const identities = (found: readonly Poller[]): number => new Set(found.map((poller) => poller.identity)).size;

/** Each run Temporal calls running must be served by somebody who can go on with it. */
async function lookAtWorkflowTasks(temporal: TemporalClient, nowMs: number): Promise<Diagnosis[]> {
  const types = [WORKFLOWS.cutover, WORKFLOWS.wave, WORKFLOWS.rollback].map((type) => `'${type}'`).join(', ');
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN (${types})`;
  const found: Diagnosis[] = [];
  for await (const { workflowId } of temporal.client.workflow.list({ query })) {
    const trouble = (await lookAtRun(temporal, workflowId, nowMs))?.trouble;
    if (trouble) found.push(bad(`run ${workflowId}`, ...TROUBLES[trouble]));
  }
  return found;
}

const TROUBLES: Readonly<Record<NonNullable<RunLook['trouble']>, [said: string, remedy: string]>> = {
  waits: [
    'no worker takes up its task: none runs, none has time, or none is of the build it began with',
    'start one of that build: cutover worker',
  ],
  fails: [
    'whoever takes up its task fails at it, again and again: it stands still',
    'its last event in the Temporal UI says why; then docs/operating.md, "A run stands still"',
  ],
};

async function lookAtGuardian({ client }: TemporalClient, nowMs: number): Promise<Diagnosis[]> {
  const remedy = 'a worker creates it when it starts: cutover worker';
  try {
    const schedule = await client.schedule.getHandle(GUARDIAN_SCHEDULE).describe();
    if (schedule.state.paused)
      return [
        bad(
          'guardian',
          'its schedule is paused: customers a dead run leaves frozen stay between two systems',
          `temporal schedule toggle --schedule-id ${GUARDIAN_SCHEDULE} --unpause`,
        ),
      ];
    const last = schedule.info.recentActions.at(-1)?.takenAt;
    if (!last) return [ok('guardian', 'scheduled, has not looked yet')];
    const agoMs = nowMs - last.getTime();
    const said = `looked ${span(agoMs)} ago`;
    if (agoMs <= GUARDIAN_AWAY_MS) return [ok('guardian', said)];
    const stuck =
      'a run of it stands still or no worker serves it: customers a dead run leaves frozen stay between two systems';
    return [bad('guardian', `${said}: ${stuck}`, 'start a worker; terminate the run cutover-guardian-… that is open')];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ScheduleNotFoundError') throw error;
    return [bad('guardian', 'has no schedule: waves of a dead run would not be looked after', remedy)];
  }
}
