import { CancellationScope, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { newRollback, runRollback, type RollbackState } from '../engine/run-rollback';
import { retryRollback, rollbackQuery } from './messages';
import { untilItSucceeds } from './policies';
import { temporalRuntime } from './temporal-runtime';
import { showing } from './views';

export interface RollbackInput {
  cutover: string;
  /** Null: the cutover's own steps. */
  wave: number | null;
  cutoverWorkflowId: string;
  /** The copy stays for the next run of this cutover, when it can be trusted. */
  keepCopy?: boolean;
}

/** Undoes a wave from the undo rows in `control`. Cannot be cancelled; a person's `retryRollback` tries a stuck step again. */
export async function rollback(input: RollbackInput): Promise<{ undone: RollbackState['done'] }> {
  const state = newRollback(input.cutover, input.wave, Date.now(), input.keepCopy);
  const { cutover, wave } = input;
  showing(() => ({ cutover, wave, kind: 'rollback', body: JSON.stringify(state) }));
  const publish = (): void =>
    setCurrentDetails(
      `**${state.status}**${state.problem ? ` · ${state.problem}` : ''}\n\n${state.done.map((row) => `- ${row.kind === 'copy kept' ? 'kept' : 'undone'}: ${row.step} (${row.kind})`).join('\n')}`,
    );
  setHandler(rollbackQuery, () => state, { description: 'what is undone, and what it is stuck at' });
  setHandler(retryRollback, () => void state.retries++, { description: 'Try the stuck step again: {"person"}' });
  await CancellationScope.nonCancellable(() =>
    runRollback(
      temporalRuntime(publish, () => state.problem ?? 'goes back', untilItSucceeds),
      state,
    ),
  );
  return { undone: state.done };
}
