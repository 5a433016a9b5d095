import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { RunDirectory } from '../activities/world';

/** Asks Temporal whether runs are open. */
export function runDirectory(client: Client): RunDirectory {
  return {
    isOpen: async (workflowId) => {
      try {
        return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
  };
}
