import { ANSWERS_WITHIN_MS, type TemporalClient } from './connect';

/** A task that waits longer than this, or failed so often, is not being served. */
const WAITS_AT_MOST_MS = 10_000;
const ATTEMPTS_AT_MOST = 2;
/** WORKFLOW_EXECUTION_STATUS_RUNNING of Temporal's API. */
const RUNNING = 1;
/** FAILED, CANCELED, TERMINATED and TIMED_OUT of the same. */
const DIED: readonly number[] = [3, 4, 5, 7];

/** What Temporal says of the run that holds a workflow id now, without waking it. */
export interface RunLook {
  /** The first run of the chain it continues. */
  chain: string | null;
  isRunning: boolean;
  /** It has closed, and not by coming to its end. */
  hasDied: boolean;
  /** Why it does not go on: nobody takes its workflow task up, or whoever does fails at it. Null when all is well. */
  trouble: 'waits' | 'fails' | null;
}

/** Null when Temporal keeps no such run. Throws what the client throws when the server does not answer in ten seconds. */
export async function lookAtRun(
  { client, connection }: TemporalClient,
  workflowId: string,
  nowMs: number,
): Promise<RunLook | null> {
  try {
    const { raw } = await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    const info = raw.workflowExecutionInfo;
    const isRunning = info?.status === RUNNING;
    return {
      chain: info?.firstRunId || null,
      isRunning,
      hasDied: DIED.includes(info?.status ?? RUNNING),
      trouble: isRunning ? troubleOf(raw, nowMs) : null,
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

type Described = Awaited<ReturnType<ReturnType<TemporalClient['client']['workflow']['getHandle']>['describe']>>['raw'];

function troubleOf({ pendingWorkflowTask: task }: Described, nowMs: number): RunLook['trouble'] {
  if (!task) return null;
  if ((task.attempt ?? 1) > ATTEMPTS_AT_MOST) return 'fails';
  const since = Number((task.originalScheduledTime ?? task.scheduledTime)?.seconds ?? nowMs / 1_000) * 1_000;
  return nowMs - since < WAITS_AT_MOST_MS ? null : 'waits';
}
