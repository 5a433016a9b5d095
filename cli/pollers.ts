import type { temporal as api } from '@temporalio/proto';
import { ANSWERS_WITHIN_MS, type TemporalClient } from './connect';

export type Poller = api.api.taskqueue.v1.IPollerInfo;

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const TYPES = { workflow: 1, activity: 2 } as const;
/** Pollers are remembered for minutes; one that has not asked for this long is gone. */
const POLLER_FRESH_MS = 70_000;

/** Who has asked a task queue for work lately. */
export async function pollers(
  { connection, namespace }: TemporalClient,
  queue: string,
  type: keyof typeof TYPES,
  nowMs: number,
): Promise<Poller[]> {
  const { pollers: known } = await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
    connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType: TYPES[type],
    }),
  );
  return (known ?? []).filter(
    ({ lastAccessTime }) => nowMs - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLER_FRESH_MS,
  );
}
