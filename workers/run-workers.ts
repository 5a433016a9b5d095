import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { createActivities } from '../activities';
import { World } from '../activities/world';
import { connect } from '../systems/postgres/connect';
import { installControl } from '../systems/control/schema';
import { OtherControlVersion } from '../systems/control/schema-version';
import { BUNDLE_PATH } from '../workflows/bundle';
import { QUEUES } from '../workflows/names';
import type { WorkerConfig } from './config';
import { ensureGuardian } from './guardian-schedule';
import { withSubject } from './log-fields';
import { createLogger, temporalLogger } from './logger';
import { collectMetrics } from './metrics/collect';
import { runDirectory } from './run-directory';
import { ensureSearchAttributes } from './search-attributes';
import { loadTemporalSettings, type TemporalSettings } from './temporal-settings';
import { startTracing, UNTRACED, type Tracing } from './tracing';
import { keepViews } from './view-keeper';
import { whyUnreachable } from './why-unreachable';

/** How many workers of one process poll each queue's tasks at once. */
const CONCURRENCY: Record<string, number> = {
  [QUEUES.main]: 40,
  [QUEUES.source]: 10,
  [QUEUES.target]: 10,
  [QUEUES.data]: 16,
  // One for each wave that is copied, or frozen, from then until its switch: none may wait for another's end.
  [QUEUES.follow]: 200,
  [QUEUES.lease]: 200,
};

export type WorkerActivities = ReturnType<typeof createActivities>;

/**
 * Serves the task queues until SIGINT or SIGTERM; then finishes what it has begun. `wrap` is for tests that break
 * activities on purpose.
 */
export async function runWorkers(
  config: WorkerConfig,
  wrap: (activities: WorkerActivities) => WorkerActivities = (activities) => activities,
): Promise<void> {
  const logger = createLogger(config.logLevel);
  Runtime.install({
    logger: temporalLogger(logger),
    ...(config.metricsPort === null
      ? {}
      : {
          telemetryOptions: { metrics: { prometheus: { bindAddress: `${config.metricsHost}:${config.metricsPort}` } } },
        }),
    shutdownSignals: [],
  });
  const tracing = await startTracing('cutover-worker', process.env);
  const settings = await loadTemporalSettings(process.env);
  const { namespace, dataConverter } = settings;
  const connection = await reach(settings, NativeConnection.connect(settings.connection));
  const client = new Client({
    connection: await reach(settings, Connection.connect(settings.connection)),
    namespace,
    dataConverter,
  });
  const control = connect(config.controlUrl, { applicationName: 'cutover control', max: 20 });
  await orSay('the control database cannot be used: look at CONTROL_URL', installControl(control));
  await ensureSearchAttributes(client.connection, namespace);
  await ensureGuardian(client);
  const world = new World({
    control,
    url: config.url,
    runs: runDirectory(client),
    webhookUrl: config.webhookUrl,
    documentsDir: config.documentsDir,
  });
  const activities = wrap(createActivities(world));
  const ending = new AbortController();
  const views = connect(config.controlUrl, { applicationName: 'cutover views', max: 4, patienceMs: 5_000 });
  const sinks = { ...(tracing?.sinks ?? UNTRACED), ...keepViews(views, logger, ending.signal) };
  const queues = config.queues ?? Object.values(QUEUES);
  const workers = await Promise.all(
    queues.map((taskQueue) =>
      Worker.create(
        optionsOf(
          taskQueue,
          { connection, namespace, dataConverter, activities, sinks, ...versioned(config) },
          tracing,
        ),
      ),
    ),
  );
  const stop = (): void =>
    workers.filter((worker) => worker.getState() === 'RUNNING').forEach((worker) => worker.shutdown());
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const running = Promise.all(workers.map((worker) => worker.run()));
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, queues })}\n`);
  const meter = Runtime.instance().metricMeter;
  const collected =
    config.metricsPort === null ? null : collectMetrics({ meter, client, world, logger }, ending.signal);
  await running;
  ending.abort();
  await collected;
  await world.close();
  await views.end();
  await control.end();
  await client.connection.close();
  await connection.close();
  await tracing?.stop();
}

/** What a newcomer meets first deserves words and a remedy before the driver's. */
async function orSay<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof OtherControlVersion) throw cause;
    throw new Error(`${what} (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}

async function reach<T>(settings: TemporalSettings, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const { said, remedy } = await whyUnreachable(settings, cause);
    throw new Error(`${said}\n→ ${remedy}`, { cause });
  }
}

/** Pinned: a night that began on one build ends on it, whatever becomes current meanwhile. */
const versioned = ({ version }: WorkerConfig): Pick<WorkerOptions, 'workerDeploymentOptions'> =>
  version === null
    ? {}
    : { workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' } };

function optionsOf(
  taskQueue: string,
  shared: Pick<
    WorkerOptions,
    'connection' | 'namespace' | 'dataConverter' | 'activities' | 'sinks' | 'workerDeploymentOptions'
  >,
  tracing: Tracing | null,
): WorkerOptions {
  const workflows = taskQueue === QUEUES.main ? { workflowBundle: { codePath: BUNDLE_PATH } } : {};
  return {
    ...shared,
    ...workflows,
    taskQueue,
    interceptors: { activity: tracing ? [tracing.activity, withSubject] : [withSubject] },
    maxConcurrentActivityTaskExecutions: CONCURRENCY[taskQueue] ?? 20,
    shutdownGraceTime: '5 seconds',
    stickyQueueScheduleToStartTimeout: '3 seconds',
    maxHeartbeatThrottleInterval: '2 seconds',
    defaultHeartbeatThrottleInterval: '1 second',
  };
}
