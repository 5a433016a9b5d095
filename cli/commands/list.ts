import type { Command } from 'commander';
import { listCutovers } from '../../systems/control/cutovers';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { withControl } from '../connect';
import { clock, statusWord, table } from '../show/format';

export function registerList(program: Command, cli: Cli): void {
  const command = program
    .command('list')
    .summary('list every cutover')
    .description('Lists the cutovers the control database (CONTROL_URL) knows, newest first.')
    .addOption(outputOption())
    .action(async (options: CommonOptions) => {
      const rows = await withControl(cli, listCutovers);
      print(cli, options.output, rows, (cutovers) => {
        if (cutovers.length === 0) return 'no cutover was started yet';
        const now = cli.now();
        const lines = cutovers.map((row) => [
          row.cutover,
          statusWord(cli, row.outcome ?? 'running'),
          row.runbook,
          row.startedBy,
          clock(row.startedAt.getTime(), now),
          clock(row.closedAt?.getTime() ?? null, now),
        ]);
        return table(cli, ['id', 'outcome', 'runbook', 'started by', 'started', 'ended'], lines);
      });
    });
  examples(command, ['cutover list', 'cutover list --output json']);
}
