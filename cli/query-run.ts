import { ANSWERS_WITHIN_MS, type TemporalClient } from './connect';

export type QueryAnswer<T> =
  | { outcome: 'answered'; value: T }
  /** `unknown`: no such run. `silent`: it exists (or may), but no worker answers for it. */
  | { outcome: 'unknown' | 'silent'; reason: string };

/** Asks a run for its `status`. A run that has closed answers too while a worker runs. */
export async function queryRun<T>(temporal: TemporalClient, workflowId: string): Promise<QueryAnswer<T>> {
  const { client, connection } = temporal;
  try {
    const value = await connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).query<T>('status'),
    );
    return { outcome: 'answered', value };
  } catch (error) {
    return failed(error);
  }
}

function failed(error: unknown): { outcome: 'unknown' | 'silent'; reason: string } {
  const name = error instanceof Error ? error.name : '';
  if (name === 'WorkflowNotFoundError') return { outcome: 'unknown', reason: 'Temporal knows no such run' };
  if (name === 'QueryNotRegisteredError' || name === 'QueryRejectedError')
    return { outcome: 'silent', reason: 'it has not started to answer' };
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  return {
    outcome: 'silent',
    reason: /DEADLINE|no poller|CANCELLED/i.test(cause) ? 'no worker answers' : cause || String(error),
  };
}
