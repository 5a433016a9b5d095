import { Command, InvalidArgumentError, Option } from 'commander';

export interface DemoOptions {
  customers: number | null;
  customersCsv: string | null;
  /** You vote; scripted people do the rest. */
  interactive: boolean;
  /** A gate at which somebody votes no-go. */
  noGo: string | null;
  /** A step after (or during) which the lead asks for a rollback. */
  rollback: string | null;
  /** The night is first rehearsed on copies of the systems. */
  rehearse: boolean;
  /** The lead does not wait until every kind of operation was seen, and the load is not judged. */
  brief: boolean;
  /** Leaves everything running at the end. */
  keep: boolean;
  seed: number;
  rate: number;
  stack: string;
}

const DEFAULT_CUSTOMERS = 2_000;

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number of at least 1');
  return value;
};

const EXAMPLES = `
Examples:
  npm run demo
  npm run demo -- --customers 20000
  npm run demo -- --customers-csv ../shared/data/telco-customers.csv
  npm run demo -- --no-go final
  npm run demo -- --rollback hypercare
  npm run demo -- --rehearse
  npm run demo -- --interactive --keep

Exit code 0 only when every promise held.`;

/** Reads the command line. Prints help or what is wrong, and ends the process, as commander does. */
export function readOptions(argv: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description(
      'Cuts a telephone company over from its legacy billing system to a new one, with live traffic, and proves it.',
    )
    .addOption(
      new Option('--customers <n>', `how many customers to generate (default ${DEFAULT_CUSTOMERS})`)
        .argParser(count)
        .conflicts('customersCsv'),
    )
    .option('--customers-csv <file>', 'take the customers from this file instead')
    .option('--interactive', 'you vote at the gates: the commands are shown')
    .option('--no-go <gate>', 'somebody votes no-go at this gate')
    .option(
      '--rollback <step>',
      'ask for a rollback at this step; at hypercare after 500 writes to every table of the target',
    )
    .option(
      '--rehearse',
      'rehearse the night first, at pace 60 on copies of both systems, and say how far its forecast was off',
    )
    .option('--brief', 'do not wait until every kind of operation was seen; the load is not judged then')
    .option('--keep', 'leave the stack running at the end')
    .addOption(new Option('--seed <n>', 'seed of customers and traffic').argParser(count).default(1))
    .addOption(new Option('--rate <n>', 'operations a second').argParser(count).default(90))
    .addOption(new Option('--stack <name>', 'name of the stack').default('demo').hideHelp())
    .addHelpText('after', EXAMPLES)
    .parse([...argv], { from: 'user' });
  const given = command.opts<Record<string, unknown>>();
  const text = (name: string): string | null => (typeof given[name] === 'string' ? given[name] : null);
  const csv = text('customersCsv');
  return {
    customers: csv === null ? Number(given['customers'] ?? DEFAULT_CUSTOMERS) : null,
    customersCsv: csv,
    interactive: given['interactive'] === true,
    noGo: text('go'),
    rollback: text('rollback'),
    rehearse: given['rehearse'] === true,
    brief: given['brief'] === true,
    keep: given['keep'] === true,
    seed: Number(given['seed']),
    rate: Number(given['rate']),
    stack: String(given['stack']),
  };
}
