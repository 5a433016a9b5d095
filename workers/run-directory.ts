import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunDirectory } from '../activities/world';

type Status = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['status']['name'];

const DIED: readonly Status[] = ['TERMINATED', 'FAILED', 'TIMED_OUT', 'CANCELLED'];

/** Asks Temporal how runs are. */
export function runDirectory(client: Client): RunDirectory {
  const statusOf = async (workflowId: string): Promise<Status | null> => {
    try {
      return (await client.workflow.getHandle(workflowId).describe()).status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  };
  return {
    isOpen: async (workflowId) => (await statusOf(workflowId)) === 'RUNNING',
    hasDied: async (workflowId) => DIED.includes((await statusOf(workflowId)) ?? 'UNKNOWN'),
  };
}
