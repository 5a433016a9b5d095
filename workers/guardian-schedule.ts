import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { GUARDIAN_SCHEDULE, QUEUES, WORKFLOWS } from '../workflows/names';

const EVERY = '30 seconds';

/** The guardian lives in a schedule of its own, outside every run. Idempotent. */
export async function ensureGuardian(client: Client): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: GUARDIAN_SCHEDULE,
      spec: { intervals: [{ every: EVERY }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOWS.guardian,
        taskQueue: QUEUES.main,
        workflowId: 'cutover-guardian',
        args: [],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
