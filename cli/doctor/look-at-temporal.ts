import { GUARDIAN_SCHEDULE, QUEUES } from '../../workflows/names';
import type { TemporalClient } from '../connect';
import { CliError } from '../exit';
import { registerSearchAttributes, searchAttributeCommand } from '../search-attributes';
import { span } from '../show/format';
import { bad, looked, ok, warn, type Diagnosis } from './finding';
import { lookAtBuilds, type Poller } from './look-at-builds';

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const TYPES = { workflow: 1, activity: 2 } as const;
/** A lease must be taken over at once when its holder dies. */
const LEASE_HOLDERS = 2;
/** Pollers are remembered for minutes; one that has not asked for this long is gone. */
const POLLER_FRESH_MS = 70_000;

export async function lookAtTemporal(temporal: TemporalClient, nowMs: number): Promise<Diagnosis[]> {
  const remedy = 'see the message; the server may need a newer version or other rights';
  return [
    ...(await looked('Temporal', remedy, () => lookAtServer(temporal))),
    ...(await looked('search attributes', remedy, () => lookAtSearchAttributes(temporal))),
    ...(await looked('task queues', remedy, () => lookAtQueues(temporal, nowMs))),
    ...(await looked('builds', remedy, async () =>
      lookAtBuilds(temporal, await pollers(temporal, QUEUES.main, 'workflow', nowMs)),
    )),
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

/** Who has asked lately. */
async function pollers(
  { connection, namespace }: TemporalClient,
  queue: string,
  type: keyof typeof TYPES,
  nowMs: number,
): Promise<Poller[]> {
  const { pollers: known } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: TYPES[type],
  });
  return (known ?? []).filter(
    ({ lastAccessTime }) => nowMs - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLER_FRESH_MS,
  );
}

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
    return [ok('guardian', last ? `looked ${span(nowMs - last.getTime())} ago` : 'scheduled, has not looked yet')];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ScheduleNotFoundError') throw error;
    return [bad('guardian', 'has no schedule: waves of a dead run would not be looked after', remedy)];
  }
}
