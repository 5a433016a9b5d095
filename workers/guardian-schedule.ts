import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client } from '@temporalio/client';
import { GUARDIAN_SCHEDULE, QUEUES, WORKFLOWS } from '../workflows/names';

const EVERY = '30 seconds';
const RUN_AT_MOST = '10 minutes';

/** The guardian lives in a schedule of its own, outside every run. Idempotent; one that a build before made is brought up to date. */
export async function ensureGuardian(client: Client): Promise<void> {
  const schedule = {
    spec: { intervals: [{ every: EVERY }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' as const },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOWS.guardian,
      taskQueue: QUEUES.main,
      workflowId: 'cutover-guardian',
      // A run that cannot go on would keep every later one from running.
      workflowRunTimeout: RUN_AT_MOST,
      args: [],
    },
  };
  try {
    await client.schedule.create({ scheduleId: GUARDIAN_SCHEDULE, ...schedule });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(GUARDIAN_SCHEDULE).update((before) => ({ ...before, ...schedule }));
  }
}
