import { randomUUID } from 'node:crypto';
import type { MessageAnswer } from '../../engine/state';
import type { UpdateInput, UpdateName } from '../../workflows/messages';
import type { TemporalClient } from '../connect';
import { CliError, EXIT, unreachable, usage } from '../exit';

const UPDATE_TIMEOUT_MS = 30_000;

/**
 * Sends one message to one run as an Update and resolves to its answer. The message carries an id of its own, so that
 * sending it again after a lost answer does it once. A run that has ended is a refusal; a malformed message throws a
 * CliError (usage), a run no worker serves one (not reachable), and so does `stop` while the answer is waited for (interrupted).
 */
export async function sendUpdate<N extends UpdateName>(
  temporal: TemporalClient,
  workflowId: string,
  name: N,
  input: UpdateInput<N>,
  stop?: AbortSignal,
): Promise<MessageAnswer> {
  const updateId = randomUUID();
  const handle = temporal.client.workflow.getHandle(workflowId);
  try {
    return await unlessStopped(stop, workflowId, (signal) =>
      temporal.connection.withAbortSignal(signal, () =>
        temporal.connection.withDeadline(Date.now() + UPDATE_TIMEOUT_MS, () =>
          handle.executeUpdate<MessageAnswer, [unknown]>(name, {
            updateId,
            args: [{ id: updateId, ...withoutUndefined(input) }],
          }),
        ),
      ),
    );
  } catch (error) {
    return answerOf(error, workflowId);
  }
}

/** Ctrl-C is told as what it is: a message on its way is not called back by it. The signal ends the call, so that nothing holds the process. */
async function unlessStopped<T>(
  stop: AbortSignal | undefined,
  workflowId: string,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const call = new AbortController();
  let onStop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onStop = () => {
      reject(
        new CliError(
          EXIT.interrupted,
          `interrupted before the run ${workflowId} answered; the message may still be taken`,
          'look at `cutover status`',
        ),
      );
      call.abort();
    };
  });
  stop?.addEventListener('abort', onStop);
  try {
    return await Promise.race([send(call.signal), stopped]);
  } finally {
    stop?.removeEventListener('abort', onStop);
  }
}

const withoutUndefined = (input: object): object =>
  Object.fromEntries(Object.entries(input).filter((entry) => entry[1] !== undefined));

function answerOf(error: unknown, workflowId: string): MessageAnswer {
  if (error instanceof CliError) throw error;
  const name = error instanceof Error ? error.name : '';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  if (name === 'WorkflowNotFoundError') return { accepted: false, reason: `the run ${workflowId} has ended` };
  if (name === 'WorkflowUpdateFailedError') throw usage(`the run did not understand the message: ${cause}`);
  if (name === 'WorkflowUpdateRPCTimeoutOrCancelledError' || /DEADLINE_EXCEEDED/.test(cause))
    throw unreachable(
      `the run ${workflowId} did not answer within ${UPDATE_TIMEOUT_MS / 1000} s; the message may still be taken`,
      'look at `cutover status`; if no worker runs, start one: cutover worker',
    );
  throw error;
}
