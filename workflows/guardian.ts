import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  type SignalDefinition,
} from '@temporalio/workflow';
import type { RollbackRequest } from '../engine/state';
import { stopWave, waveLost } from './messages';
import { QUEUES, rollbackWorkflowId, WORKFLOWS } from './names';
import type { RollbackInput } from './rollback';

/** A wave that is neither at the source nor at the target in peace, and whose cutover's run has ended. */
export interface Orphan {
  cutover: string;
  cutoverWorkflowId: string;
  /** Null: the cutover's own steps, once its waves are back. */
  wave: number | null;
  /** The wave's own run when it outlived its cutover: it is stopped first. */
  liveRun: string | null;
  /** False once the cutover has ended: no run comes that could go on from the copy. */
  keepCopy: boolean;
}

/** A wave whose run died while its cutover's lives. A cutover that continued as new does not hear it from its child. */
export interface LostWave {
  cutoverWorkflowId: string;
  wave: number;
  /** When its run ended, ms since 1970. */
  endedAt: number;
}

export interface GuardianActivities {
  findLostWaves(): Promise<LostWave[]>;
  /**
   * What is not undone (undo rows, or a custody of `moving`) of cutovers whose run is closed without an outcome, and copies that were
   * kept for a cutover which has ended since.
   */
  findOrphans(): Promise<Orphan[]>;
}

const { findLostWaves, findOrphans } = proxyActivities<GuardianActivities>({
  taskQueue: QUEUES.main,
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

/** Scheduled outside every run: ends the waves that a dead run left behind: stops what still runs, then rolls back. */
export async function guardian(): Promise<{ started: string[] }> {
  const started: string[] = [];
  for (const { cutoverWorkflowId, wave, endedAt } of await findLostWaves())
    await tell(cutoverWorkflowId, waveLost, wave, endedAt);
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
      await tell(orphan.liveRun, stopWave, request);
      continue;
    }
    const workflowId = rollbackWorkflowId(orphan.cutoverWorkflowId, orphan.wave);
    const args: [RollbackInput] = [
      {
        cutover: orphan.cutover,
        wave: orphan.wave,
        cutoverWorkflowId: orphan.cutoverWorkflowId,
        keepCopy: orphan.keepCopy,
      },
    ];
    try {
      await startChild(WORKFLOWS.rollback, {
        workflowId,
        taskQueue: QUEUES.main,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        args,
        staticSummary: `${orphan.wave === null ? 'rollback' : `rollback of wave ${orphan.wave}`} of ${orphan.cutoverWorkflowId}, whose run has ended`,
      });
      started.push(workflowId);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
  return { started };
}

/** A run that has ended meanwhile hears nothing: the guardian looks again at its next turn. */
async function tell<T extends unknown[]>(workflowId: string, signal: SignalDefinition<T>, ...about: T): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, ...about);
  } catch (error) {
    log.info(`${workflowId} does not hear the guardian: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}
