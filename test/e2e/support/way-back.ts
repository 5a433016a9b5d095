import type { RollbackState } from '../../../engine/run-rollback';
import { retryRollback } from '../../../workflows/messages';
import { rollbackWorkflowId } from '../../../workflows/names';
import { waitUntil } from '../../support/wait-until';
import type { Night } from './night';

/**
 * Waits until the first wave's way back is stuck at what `words` say, and nudges it on where it waits because the scheduler of a
 * billing stage refused: it refuses every first stop.
 */
export async function stuckAt(night: Night, words: RegExp, withinMs: number): Promise<void> {
  let last: RollbackState | null = null;
  const problem = async (): Promise<string> => {
    last = (await night.rollback(1)) ?? last;
    return last?.problem ?? '';
  };
  await waitUntil(async () => {
    if ((await problem()).includes('answered 422')) await retryWayBack(night);
    return words.test(await problem());
  }, withinMs).catch((cause: unknown) => {
    throw new Error(`The way back is not stuck at ${String(words)}: ${JSON.stringify(last)}`, { cause });
  });
}

export const retryWayBack = ({ stage, workflowId }: Night): Promise<void> =>
  stage.temporal.client.workflow.getHandle(rollbackWorkflowId(workflowId, 1)).signal(retryRollback, { person: 'ada' });
