/** Failure types that cross the activity boundary. Retryable ones are retried by policy; the others stop the step. */
const FAILURES = {
  InvalidRunbook: { retryable: false, remedy: 'mend the runbook, run `cutover check`, and start again' },
  StaleEpoch: { retryable: false, remedy: 'nothing to do: a newer attempt has taken over' },
  SystemUnavailable: { retryable: true, remedy: 'bring the system back; the step goes on by itself' },
  SystemRefused: { retryable: false, remedy: 'mend what the message names, then `cutover retry`' },
  DataConflict: { retryable: false, remedy: 'clean the rows the message names, then `cutover retry`' },
  ActionRefused: { retryable: false, remedy: 'look at the called system, then `cutover retry`' },
} as const;

export type FailureType = keyof typeof FAILURES;

export const isFailureType = (name: string | undefined | null): name is FailureType => !!name && name in FAILURES;
