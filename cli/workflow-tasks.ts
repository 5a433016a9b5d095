import type { TemporalClient } from './connect';

/** A task that waits longer than this, or failed so often, is not being served. */
const WAITS_AT_MOST_MS = 10_000;
const ATTEMPTS_AT_MOST = 2;

/** Why a run does not go on: nobody takes its workflow task up, or whoever does fails at it. */
export type Trouble = 'waits' | 'fails';

/** What Temporal says of a run's workflow task, without waking the run; null when all is well, or Temporal keeps no such run. */
export async function troubleOf(
  { client }: TemporalClient,
  workflowId: string,
  nowMs: number,
): Promise<Trouble | null> {
  const task = (await described(client, workflowId))?.pendingWorkflowTask;
  if (!task) return null;
  if ((task.attempt ?? 1) > ATTEMPTS_AT_MOST) return 'fails';
  const since = Number((task.originalScheduledTime ?? task.scheduledTime)?.seconds ?? nowMs / 1_000) * 1_000;
  return nowMs - since < WAITS_AT_MOST_MS ? null : 'waits';
}

/** The first run of the chain that holds a workflow id now; null when Temporal does not keep it any more. */
export const chainOf = async ({ client }: TemporalClient, workflowId: string): Promise<string | null> =>
  (await described(client, workflowId))?.workflowExecutionInfo?.firstRunId ?? null;

async function described({ workflow }: TemporalClient['client'], workflowId: string) {
  try {
    return (await workflow.getHandle(workflowId).describe()).raw;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}
