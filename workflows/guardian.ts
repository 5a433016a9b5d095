import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, proxyActivities, startChild } from '@temporalio/workflow';
import type { RollbackRequest } from '../engine/state';
import { stopWave } from './messages';
import { QUEUES, rollbackWorkflowId, WORKFLOWS } from './names';
import type { RollbackInput } from './rollback';

/** A wave that is neither at the source nor at the target in peace, and whose runs have all ended. */
export interface Orphan {
  cutover: string;
  cutoverWorkflowId: string;
  wave: number;
  /** The wave's own run when it outlived its cutover: it is stopped first. */
  liveRun: string | null;
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

/** Scheduled outside every run: ends the waves that a dead run left behind: stops what still runs, then rolls back. */
export async function guardian(): Promise<{ started: string[] }> {
  const started: string[] = [];
  for (const orphan of await findOrphans()) {
    if (orphan.liveRun !== null) {
      const reason = 'the run of the cutover has ended';
      const request: RollbackRequest = {
        by: 'guardian',
        reason,
        at: Date.now(),
        outcome: 'rolled-back',
        confirmedBy: [],
      };
      await getExternalWorkflowHandle(orphan.liveRun).signal(stopWave, request);
      continue;
    }
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
