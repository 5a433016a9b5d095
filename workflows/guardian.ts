import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, proxyActivities, startChild } from '@temporalio/workflow';
import { QUEUES, rollbackWorkflowId, WORKFLOWS } from './names';
import type { RollbackInput } from './rollback';

/** A wave that is neither at the source nor at the target in peace, and whose runs have all ended. */
export interface Orphan {
  cutover: string;
  cutoverWorkflowId: string;
  wave: number;
}

export interface GuardianActivities {
  /** Waves with undo rows not done (or a custody of `moving`) whose cutover's run is closed without an outcome. */
  findOrphans(): Promise<Orphan[]>;
}

const { findOrphans } = proxyActivities<GuardianActivities>({
  taskQueue: QUEUES.main,
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

/** Scheduled outside every run: ends the waves that a dead run left behind, by rolling them back. */
export async function guardian(): Promise<{ started: string[] }> {
  const started: string[] = [];
  for (const orphan of await findOrphans()) {
    const workflowId = rollbackWorkflowId(orphan.cutoverWorkflowId, orphan.wave);
    const args: [RollbackInput] = [
      { cutover: orphan.cutover, wave: orphan.wave, cutoverWorkflowId: orphan.cutoverWorkflowId },
    ];
    try {
      await startChild(WORKFLOWS.rollback, {
        workflowId,
        taskQueue: QUEUES.main,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        args,
      });
      started.push(workflowId);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
  return { started };
}
