import { Cancelled, ContinueRun } from './runtime';

/**
 * Like Promise.all, but waits until everything has ended, so that no effect is still under way when undo starts. Rejects with
 * a Cancelled before other errors, and with ContinueRun only when there is nothing else.
 */
export async function settleAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const first =
    errors.find((error) => error instanceof Cancelled) ??
    errors.find((error) => !(error instanceof ContinueRun)) ??
    errors[0];
  if (first !== undefined) throw first;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
