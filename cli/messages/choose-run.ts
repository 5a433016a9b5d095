import { usage } from '../exit';
import { hasEnded } from '../kept-runs';
import type { RunShown } from '../run-status';

/** What a message is about: something a run holds. */
export type Subject = { step: string } | { gate: string };

export type Choice = { outcome: 'chosen'; run: RunShown } | { outcome: 'nowhere'; reason: string };

/**
 * The run a message goes to: the one that holds the step or gate and waits for this very message now (`open`); else the
 * newest that holds it, whose refusal says why. `wave` narrows it down. Throws a CliError (usage) when several wait.
 */
export function chooseRun(
  runs: readonly RunShown[],
  subject: Subject,
  open: (status: string) => boolean,
  wave: number | undefined,
): Choice {
  const among = wave === undefined ? runs : runs.filter((run) => run.wave === wave);
  if (among.length === 0) return { outcome: 'nowhere', reason: `wave ${wave} has not started` };
  const holding = among.flatMap((run) => {
    const status = statusOf(run, subject);
    return status === null ? [] : [{ run, waits: open(status) }];
  });
  const waiting = holding.filter(({ waits }) => waits).map(({ run }) => run);
  if (waiting.length > 1) {
    const waves = waiting.map((run) => run.wave).join(', ');
    throw usage(`${nameOf(subject)} is open in several waves: ${waves}`, 'say which: --wave N');
  }
  const run = waiting[0] ?? holding.at(-1)?.run;
  if (run) return { outcome: 'chosen', run };
  const known = among.flatMap((each) => ('step' in subject ? each.steps : each.gates).map(({ id }) => id));
  const kind = 'step' in subject ? 'steps' : 'gates';
  return {
    outcome: 'nowhere',
    reason: `no run that has started has a ${nameOf(subject)}; ${kind}: ${[...new Set(known)].join(', ')}`,
  };
}

const nameOf = (subject: Subject): string => ('step' in subject ? `step ${subject.step}` : `gate ${subject.gate}`);

function statusOf(run: RunShown, subject: Subject): string | null {
  const items: { id: string; status: string }[] = 'step' in subject ? run.steps : run.gates;
  const id = 'step' in subject ? subject.step : subject.gate;
  return items.find((item) => item.id === id)?.status ?? null;
}

/** Runs that can still hear something: not ended, for messages to the whole cutover. */
export function openRuns(runs: readonly RunShown[], wave: number | undefined): RunShown[] {
  return runs.filter((run) => !hasEnded(run) && (wave === undefined || run.wave === wave));
}
