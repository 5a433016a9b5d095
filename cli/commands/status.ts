import type { Command } from 'commander';
import type { Pool } from 'pg';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { connectClient, withControlIfThere, type TemporalClient } from '../connect';
import { CliError, EXIT, unreachable } from '../exit';
import { findCutover, type FoundCutover } from '../find-cutover';
import { withForecast } from '../forecast';
import { readStatus, type StatusShown } from '../run-status';
import { brief } from '../show/brief';
import { statusTables } from '../show/status-tables';

export function registerStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .summary('show where a cutover is')
    .description(
      'Shows steps, gates with their evidence, what is waited for, when the rest is expected (by late starts and measured ' +
        'durations so far), and until when going back fits.',
    )
    .argument('<id>', 'the cutover')
    .option('--brief', 'one paragraph to read out on the bridge')
    .addOption(outputOption())
    .action(async (id: string, options: CommonOptions & { brief?: boolean }) => {
      const status = await withFound(cli, id, async (found, temporal, control) =>
        withForecast(await readStatus(found, temporal, control), control, cli.now()),
      );
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

/** Throws a CliError when neither Temporal nor the control database knows it. */
export const fetchStatus = (cli: Cli, id: string): Promise<StatusShown> => withFound(cli, id, readStatus);

/** Finds the cutover where it can be found. Throws a CliError when neither Temporal nor the control database answers. */
async function withFound<T>(
  cli: Cli,
  id: string,
  body: (found: FoundCutover, temporal: TemporalClient | null, control: Pool | null) => Promise<T>,
): Promise<T> {
  const temporal = await connectClient(cli.env.all).catch((error: unknown) => {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return error;
    throw error;
  });
  if (temporal instanceof CliError)
    return withControlIfThere(cli, async (control) => {
      if (!control) throw unreachable(`${temporal.message}, nor the control database`, temporal.remedy);
      return body(await findCutover(id, control, null), null, control);
    });
  try {
    return await withControlIfThere(cli, async (control) =>
      body(await findCutover(id, control, temporal), temporal, control),
    );
  } finally {
    await temporal.close();
  }
}
