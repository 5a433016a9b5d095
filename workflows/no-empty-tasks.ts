import { defaultPayloadConverter } from '@temporalio/common';
import { patched, type WorkflowInterceptors } from '@temporalio/workflow';

type Internals = NonNullable<WorkflowInterceptors['internals']>[number];
type Commands = Parameters<NonNullable<Internals['concludeActivation']>>[0]['commands'];

/** Runs that began before this was there go on without it. */
const PATCH = 'no-empty-tasks';

/** Sets a field of the run's memo to what it is already: the smallest thing a run can be told to do. */
const still = (): Commands[number] => ({
  modifyWorkflowProperties: { upsertedMemo: { fields: { still: defaultPayloadConverter.toPayload(true) } } },
});

const leavesNoEvent = (command: Commands[number]): boolean => command.updateResponse?.rejected != null;

/**
 * Lets no workflow task end without a command. The SDK may take an empty task and the next for one when it replays, and an Update in the next
 * task comes at another place then: the run would be stuck (docs/adr/0012-no-workflow-task-is-empty.md).
 */
export const interceptors = (): WorkflowInterceptors => {
  let applies = false;
  let isOpen = false;
  return {
    inbound: [
      {
        execute: (input, next) => {
          applies = patched(PATCH);
          return next(input);
        },
      },
    ],
    internals: [
      {
        activate: (input, next) => {
          // Queries change nothing, and what answers them may hold no command.
          isOpen ||= (input.activation.jobs ?? []).some((job) => !job.queryWorkflow && !job.removeFromCache);
          next(input);
        },
        concludeActivation: (input, next) => {
          const { commands } = next(input);
          const isEmpty = applies && isOpen && commands.every(leavesNoEvent);
          isOpen = false;
          return { commands: isEmpty ? [...commands, still()] : commands };
        },
      },
    ],
  };
};
