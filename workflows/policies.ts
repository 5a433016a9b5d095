import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../engine/contract';
import { QUEUES, type Queue } from './names';

/** Effects are waited for when cancelled: undo never runs beside the effect it undoes. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

/** Every activity heartbeats by itself; a worker that died is noticed after this. */
const HEARTBEAT = '6 seconds';

/** One call: reads, single writes, single custody calls. Retried for ten minutes, then a person decides. */
const QUICK: ActivityOptions = {
  cancellationType,
  heartbeatTimeout: HEARTBEAT,
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '5 seconds' },
};

/** What happens outside steps, where no person can say retry: asked until it answers, for a run that gave up would be dead. */
const STAYING: ActivityOptions = { ...QUICK, scheduleToCloseTimeout: '30 days' };

/** Bulk work: bounded by its heartbeat, not by the clock. */
const BULK: ActivityOptions = {
  cancellationType,
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: HEARTBEAT,
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '10 seconds',
    maximumAttempts: 100,
  },
};

const MAXIMUM_INTERVAL = '1 minute';

/** No attempt is the last one: of a rollback, and of what goes on while people wait for days. */
export const untilItSucceeds = (options: ActivityOptions): ActivityOptions => {
  const { scheduleToCloseTimeout: _dropped, ...rest } = options;
  const { maximumAttempts: _unlimited, ...retry } = rest.retry ?? {};
  return { ...rest, retry: { ...retry, maximumInterval: MAXIMUM_INTERVAL } };
};

/** The lease must be taken up again well before it ends. */
const LEASE: ActivityOptions = {
  cancellationType,
  startToCloseTimeout: '30 days',
  heartbeatTimeout: HEARTBEAT,
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 1.5, maximumInterval: '2 seconds' },
};

/** Where each activity runs and how it is retried. */
export const POLICIES: Record<keyof Activities, { queue: Queue; options: ActivityOptions }> = {
  loadRun: { queue: QUEUES.main, options: STAYING },
  checkAmendment: { queue: QUEUES.main, options: QUICK },
  // `control` may have adopted them though nobody heard it.
  adoptDocuments: { queue: QUEUES.main, options: STAYING },
  openCutover: {
    queue: QUEUES.main,
    options: { ...QUICK, startToCloseTimeout: '10 minutes', scheduleToCloseTimeout: '1 hour' },
  },
  saveView: { queue: QUEUES.main, options: STAYING },
  closeCutover: { queue: QUEUES.main, options: STAYING },
  raiseEpoch: { queue: QUEUES.main, options: STAYING },
  recordUndo: { queue: QUEUES.main, options: QUICK },
  listUndo: { queue: QUEUES.main, options: QUICK },
  completeUndo: { queue: QUEUES.main, options: QUICK },
  appendLedger: { queue: QUEUES.main, options: STAYING },
  // No effect: whoever goes back does not wait for it.
  readMeasures: {
    queue: QUEUES.main,
    options: { ...QUICK, cancellationType: ActivityCancellationType.TRY_CANCEL, startToCloseTimeout: '5 minutes' },
  },
  notify: { queue: QUEUES.main, options: QUICK },
  runAction: { queue: QUEUES.main, options: QUICK },
  startPreload: { queue: QUEUES.data, options: BULK },
  preloadStream: { queue: QUEUES.data, options: BULK },
  catchUp: { queue: QUEUES.data, options: BULK },
  follow: { queue: QUEUES.follow, options: untilItSucceeds(BULK) },
  holdIntake: { queue: QUEUES.main, options: { ...QUICK, startToCloseTimeout: '5 minutes' } },
  releaseIntake: { queue: QUEUES.main, options: BULK },
  drain: { queue: QUEUES.source, options: BULK },
  freeze: { queue: QUEUES.source, options: { ...QUICK, startToCloseTimeout: '2 minutes' } },
  holdFreeze: { queue: QUEUES.lease, options: LEASE },
  thaw: { queue: QUEUES.source, options: QUICK },
  convert: { queue: QUEUES.data, options: BULK },
  verify: { queue: QUEUES.data, options: BULK },
  switchWave: { queue: QUEUES.source, options: { ...QUICK, startToCloseTimeout: '2 minutes' } },
  returnCustody: { queue: QUEUES.data, options: BULK },
  keepCopy: { queue: QUEUES.data, options: BULK },
  purgeCopy: { queue: QUEUES.data, options: BULK },
  verifyReturned: { queue: QUEUES.data, options: BULK },
};
