import type { Command } from 'commander';
import type { Cli } from '../cli';
import { asOption, examples, outputOption, waveOption, type CommonOptions } from '../command';
import { refused } from '../exit';
import { chooseRun, type Subject } from '../messages/choose-run';
import { deliver, type Delivery } from '../messages/deliver';
import type { RunShown, StatusShown } from '../run-status';

export interface PersonOptions extends CommonOptions {
  as: string;
  wave?: number;
}

/** The run that holds what the message is about. Throws a CliError (refused) when none does. */
export function runFor(
  status: StatusShown,
  subject: Subject,
  open: (status: string) => boolean,
  wave: number | undefined,
): RunShown {
  const choice = chooseRun(status.runs, subject, open, wave);
  if (choice.outcome === 'nowhere') throw refused(choice.reason, `see: cutover status ${status.cutover}`);
  return choice.run;
}

/** A verb about one step: `cutover VERB ID STEP --as PERSON`. */
function stepVerb<O extends PersonOptions>(
  program: Command,
  cli: Cli,
  verb: string,
  summary: string,
  message: (step: string, options: O) => Omit<Delivery, 'to'>,
  open: (status: string) => boolean,
): Command {
  return program
    .command(verb)
    .summary(summary)
    .argument('<id>', 'the cutover')
    .argument('<step>', 'the step')
    .addOption(asOption())
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, step: string, options: O) =>
      deliver(cli, id, options.output, (status) => [
        { to: runFor(status, { step }, open, options.wave), ...message(step, options) },
      ]),
    );
}

export function registerGo(program: Command, cli: Cli): void {
  const command = stepVerb(
    program,
    cli,
    'go',
    'say go for a step that waits for it',
    (step, options) => ({ name: 'sayGo', input: { person: options.as, step } }),
    (status) => status === 'waiting-go',
  ).description(
    'Says go for a step that asks a role before it starts (`go:` in the runbook). It lapses with the window it was given in.',
  );
  examples(command, ['cutover go night-1 freeze --as marit', 'cutover go night-1 intake --as sanne --wave 2']);
}

export function registerTask(program: Command, cli: Cli): void {
  const command = stepVerb<PersonOptions & { note?: string }>(
    program,
    cli,
    'task',
    'sign a task as done',
    (step, options) => ({ name: 'completeTask', input: { person: options.as, step, note: options.note } }),
    (status) => status === 'waiting-people',
  )
    .description('Signs a task. A task that several roles sign is done when each has.')
    .option('--note <text>', 'what to remember; no personal data of customers');
  examples(command, ['cutover task night-1 hold-debits --as joost --note "file 2211 held, 412 debits"']);
}

export function registerRetry(program: Command, cli: Cli): void {
  const command = stepVerb(
    program,
    cli,
    'retry',
    'try a failed step again',
    (step, options) => ({ name: 'retryStep', input: { person: options.as, step } }),
    (status) => status === 'failed',
  ).description(
    'Tries a failed step again, after what its problem names was mended (cutover status ID). Anybody in the plan may.',
  );
  examples(command, ['cutover retry night-1 preload --as ruben']);
}

export function registerSkip(program: Command, cli: Cli): void {
  const command = stepVerb<PersonOptions & { reason: string }>(
    program,
    cli,
    'skip',
    'skip a step the switch does not rest on',
    (step, options) => ({ name: 'skipStep', input: { person: options.as, step, reason: options.reason } }),
    (status) => status !== 'done' && status !== 'skipped' && status !== 'pending',
  )
    .description(
      'Skips a step. Refused for steps the switch rests on, and while it runs. The starter or the owner of the step may.',
    )
    .requiredOption('--reason <text>', 'why; it shows at the gate');
  examples(command, ['cutover skip night-1 announce --as marit --reason "told everybody by phone"']);
}
