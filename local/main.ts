import { Command } from 'commander';
import { DEFAULT_STACK, readStack, removeStack, stackStatus, startStack, stopStack, type StackState } from './stack';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const positive = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`--customers takes a whole number of 1 or more, not ${text}`);
  return number;
};

function show(state: StackState): void {
  for (const [name, value] of Object.entries(state.env)) say(`${name}=${value}`);
  if (state.temporal.uiUrl) say(`# Temporal UI: ${state.temporal.uiUrl}`);
}

async function up(options: { name: string; customers?: string; customersCsv?: string }): Promise<void> {
  const stack = await startStack({
    name: options.name,
    ...(options.customers === undefined ? {} : { customers: positive(options.customers) }),
    ...(options.customersCsv === undefined ? {} : { customersCsv: options.customersCsv }),
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  show(stack);
}

function status(options: { name: string }): void {
  const state = readStack(options.name);
  const parts = stackStatus(options.name);
  if (!state || !parts) {
    say(`The stack ${options.name} was never started.`);
    process.exitCode = 3;
    return;
  }
  for (const [part, runs] of Object.entries(parts)) say(`${part.padEnd(9)}${runs ? 'runs' : 'does not run'}`);
  show(state);
  if (Object.values(parts).includes(false)) process.exitCode = 3;
}

/** `status | head -1` closes our output early; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('local')
  .description('The local stack: source, target and control databases (PostgreSQL) and a Temporal server, on loopback.')
  .addHelpText(
    'after',
    `
Examples:
  node dist/local/main.js up --customers 10000
  node dist/local/main.js up --name csv --customers-csv ../shared/data/telco-customers.csv
  export $(node dist/local/main.js status | grep =)
  node dist/local/main.js reset`,
  );

const command = (name: string, description: string): Command =>
  program.command(name).description(description).option('--name <stack>', 'which stack', DEFAULT_STACK);

command('up', 'start the stack, or what is missing of it; prints the environment to work with')
  .option('--customers <n>', 'how many customers the legacy system gets (default: 2000)')
  .option('--customers-csv <file>', 'load the customers from this file instead')
  .action(up);
command('down', 'stop everything; the data stays').action(async (options: { name: string }) => {
  await stopStack(options.name);
  say(`The stack ${options.name} is stopped.`);
});
command('status', 'what runs, and where; exit code 3 unless everything does').action(status);
command('reset', 'stop everything and remove its data').action(async (options: { name: string }) => {
  await removeStack(options.name);
  say(`The stack ${options.name} is gone.`);
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
