import { Option, type Command } from 'commander';
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

interface TaskOptions extends PersonOptions {
  note?: string;
  start?: boolean;
  block?: string;
}

export function registerTask(program: Command, cli: Cli): void {
  const command = stepVerb<TaskOptions>(
    program,
    cli,
    'task',
    'sign a task as done, or say that you are on it or stuck',
    taskMessage,
    (status) => status === 'waiting-people',
  )
    .description(
      'Signs a task. A task that several roles sign is done when each has. With --start or --block it is not signed yet, and ' +
        'everybody sees who is on it, or what keeps it; that goes for checklists too. The lead is told of what is blocked.',
    )
    .addOption(new Option('--note <text>', 'what to remember; no personal data of customers'))
    .addOption(new Option('--start', 'you are on it').conflicts(['block', 'note']))
    .addOption(new Option('--block <reason>', 'it cannot be done now, and why').conflicts(['start', 'note']));
  examples(command, [
    'cutover task night-1 hold-debits --as joost --start',
    'cutover task night-1 hold-debits --as joost --block "the bank does not answer"',
    'cutover task night-1 hold-debits --as joost --note "file 2211 held, 412 debits"',
  ]);
}

function taskMessage(step: string, { as: person, start, block, note }: TaskOptions): Omit<Delivery, 'to'> {
  if (start) return { name: 'startTask', input: { person, step } };
  if (block !== undefined) return { name: 'blockTask', input: { person, step, reason: block } };
  return { name: 'completeTask', input: { person, step, note } };
}

export function registerReassign(program: Command, cli: Cli): void {
  const command = stepVerb<PersonOptions & { to: string; role?: string; reason?: string }>(
    program,
    cli,
    'reassign',
    'give a step to somebody else',
    (step, { as: person, to, role, reason }) => ({ name: 'reassign', input: { person, step, to, role, reason } }),
    (status) => status !== 'done' && status !== 'skipped',
  )
    .description(
      'Gives a task, a checklist or the go of a step to one person who holds its role; nobody else does it from then on. The ' +
        'starter, or who holds the role, may. What was overdue has its time anew.',
    )
    .requiredOption('--to <person>', 'who answers for it now')
    .option('--role <role>', 'of several roles, the one meant; default: each that person holds')
    .option('--reason <text>', 'why; it is in the ledger');
  examples(command, ['cutover reassign night-1 hold-debits --to femke --as joost --reason "joost is at the bank"']);
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
