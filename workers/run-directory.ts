import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunDirectory } from '../activities/world';

type Status = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['status']['name'];

const DIED: readonly Status[] = ['TERMINATED', 'FAILED', 'TIMED_OUT', 'CANCELLED'];

/** Asks Temporal how runs are. */
export function runDirectory(client: Client): RunDirectory {
  const describe = async (workflowId: string): Promise<{ status: Status; closedAt: Date | null } | null> => {
    try {
      const { status, closeTime } = await client.workflow.getHandle(workflowId).describe();
      return { status: status.name, closedAt: closeTime ?? null };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  };
  return {
    isOpen: async (workflowId) => (await describe(workflowId))?.status === 'RUNNING',
    hasDied: async (workflowId) => DIED.includes((await describe(workflowId))?.status ?? 'UNKNOWN'),
    closedAt: async (workflowId) => (await describe(workflowId))?.closedAt ?? null,
  };
}
