import type { Command } from 'commander';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { connectClient, withControlIfThere } from '../connect';
import { CliError, EXIT, unreachable } from '../exit';
import { findCutover } from '../find-cutover';
import { readStatus, type StatusShown } from '../run-status';
import { brief } from '../show/brief';
import { statusTables } from '../show/status-tables';

export function registerStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .summary('show where a cutover is')
    .description('Shows steps, gates with their evidence, what is waited for, and until when going back fits.')
    .argument('<id>', 'the cutover')
    .option('--brief', 'one paragraph to read out on the bridge')
    .addOption(outputOption())
    .action(async (id: string, options: CommonOptions & { brief?: boolean }) => {
      const status = await fetchStatus(cli, id);
      print(cli, options.output, status, (value) =>
        options.brief ? brief(value, cli.now()) : statusTables(cli, value),
      );
    });
  examples(command, [
    'cutover status night-1',
    'cutover status night-1 --brief',
    'cutover status night-1 --output json',
  ]);
}

/** Status from the runs; from what was saved when Temporal does not answer. Throws a CliError when neither does. */
export async function fetchStatus(cli: Cli, id: string): Promise<StatusShown> {
  const temporal = await connectClient(cli.env.all).catch((error: unknown) => {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return error;
    throw error;
  });
  if (temporal instanceof CliError)
    return withControlIfThere(cli, async (control) => {
      if (!control) throw unreachable(`${temporal.message}, nor the control database`, temporal.remedy);
      return readStatus(await findCutover(id, control, null), null, control);
    });
  try {
    return await withControlIfThere(cli, async (control) =>
      readStatus(await findCutover(id, control, temporal), temporal, control),
    );
  } finally {
    await temporal.close();
  }
}
