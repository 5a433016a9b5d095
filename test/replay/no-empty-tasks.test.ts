import type { temporal } from '@temporalio/proto';
import { rollbackWorkflowId, waveWorkflowId } from '../../workflows/names';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';
import { stuckRuns } from './replayed';

jest.setTimeout(300_000);

type History = temporal.api.history.v1.IHistory;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('no-empty-tasks');
  await stage.freshDatabases(20);
  await stage.startWorkers();
});
afterAll(() => stage.close());

/** Tasks that ended without a command, by the event that says so; the events of a command name it, or tell of an Update. */
function emptyTasks({ events }: History): string[] {
  const told = events ?? [];
  return told.flatMap((event, at) => {
    if (!event.workflowTaskCompletedEventAttributes) return [];
    const next = told[at + 1];
    if (
      !next ||
      next.workflowExecutionUpdateAcceptedEventAttributes ||
      next.workflowExecutionUpdateCompletedEventAttributes
    )
      return [];
    const made = Object.values(next).some(
      (value: unknown) =>
        typeof value === 'object' &&
        value !== null &&
        'workflowTaskCompletedEventId' in value &&
        String(value.workflowTaskCompletedEventId) === String(event.eventId),
    );
    return made ? [] : [String(event.eventId)];
  });
}

it('no task of a run ends without a command, there and back, and the runs replay', async () => {
  const night = new Night(stage, 'there-and-back', { rollbackAt: 'hypercare' });
  await night.start((runbook) => runbook.setIn(['after', 0, 'steps', 0, 'atLeast'], 'PT10M'));
  expect((await night.play(200_000))?.outcome).toBe('rolled-back');
  const runs = await Promise.all(
    [night.workflowId, waveWorkflowId(night.workflowId, 1), rollbackWorkflowId(night.workflowId, 1)].map(
      async (workflowId) => ({
        workflowId,
        history: await stage.temporal.client.workflow.getHandle(workflowId).fetchHistory(),
      }),
    ),
  );
  expect(runs.map(({ workflowId, history }) => [workflowId, emptyTasks(history)])).toEqual(
    runs.map(({ workflowId }) => [workflowId, []]),
  );
  expect(await stuckRuns(runs)).toEqual({ replayed: 3, stuck: [] });
});
