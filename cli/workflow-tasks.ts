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

/** What the run failed of, in a line, as the code that threw it said; null when it did not fail, or Temporal does not say. */
export async function whyFailed({ client, connection }: TemporalClient, workflowId: string): Promise<string | null> {
  try {
    await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () => client.workflow.getHandle(workflowId).result());
    return null;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowFailedError') return null;
    // Who terminated it, or that its time was up, is no failure of its own.
    if (!(error.cause instanceof Error) || ENDED_FROM_OUTSIDE.includes(error.cause.name)) return null;
    let cause = error.cause;
    // These say only that something failed; what was thrown is within. Further in may be a database's own words, with values.
    while (WRAPPERS.includes(cause.name) && cause.cause instanceof Error) cause = cause.cause;
    return cause.message.split('\n')[0] || null;
  }
}

const WRAPPERS: readonly string[] = ['ActivityFailure', 'ChildWorkflowFailure'];
const ENDED_FROM_OUTSIDE: readonly string[] = ['TerminatedFailure', 'CancelledFailure', 'TimeoutFailure'];

type Described = Awaited<ReturnType<ReturnType<TemporalClient['client']['workflow']['getHandle']>['describe']>>['raw'];

function troubleOf({ pendingWorkflowTask: task }: Described, nowMs: number): RunLook['trouble'] {
  if (!task) return null;
  if ((task.attempt ?? 1) > ATTEMPTS_AT_MOST) return 'fails';
  const since = Number((task.originalScheduledTime ?? task.scheduledTime)?.seconds ?? nowMs / 1_000) * 1_000;
  return nowMs - since < WAITS_AT_MOST_MS ? null : 'waits';
}
