import type { Command } from 'commander';
import { listCutovers, type CutoverRow } from '../../systems/control/cutovers';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { connectClient, withControl } from '../connect';
import { hasDied } from '../run-status';
import { clock, statusWord, table } from '../show/format';

export function registerList(program: Command, cli: Cli): void {
  const command = program
    .command('list')
    .summary('list every cutover')
    .description(
      'Lists the cutovers the control database (CONTROL_URL) knows, newest first. Whether the run of one that has not\n' +
        'ended is dead is asked of Temporal; where that cannot be reached, it is listed as running.',
    )
    .addOption(outputOption())
    .action(async (options: CommonOptions) => {
      const rows = await withDead(cli, await withControl(cli, listCutovers));
      print(cli, options.output, rows, (cutovers) => {
        if (cutovers.length === 0) return 'no cutover was started yet';
        const now = cli.now();
        const lines = cutovers.map((row) => [
          row.cutover,
          statusWord(cli, row.outcome ?? (row.isDead ? 'dead' : 'running')),
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

async function withDead(cli: Cli, rows: readonly CutoverRow[]): Promise<(CutoverRow & { isDead: boolean })[]> {
  const isOpen = (row: CutoverRow): boolean => row.outcome === null;
  const temporal = rows.some(isOpen) ? await connectClient(cli.env.all).catch(() => null) : null;
  try {
    return await Promise.all(
      rows.map(async (row) => ({ ...row, isDead: isOpen(row) && (await hasDied(temporal, row.workflowId)) })),
    );
  } finally {
    await temporal?.close();
  }
}
