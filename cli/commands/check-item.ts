import type { Command } from 'commander';
import type { Cli } from '../cli';
import { asOption, examples, outputOption, waveOption } from '../command';
import { deliver } from '../messages/deliver';
import { runFor, type PersonOptions } from './messages';

interface CheckItemOptions extends PersonOptions {
  notOk?: boolean;
  evidence?: string;
}

export function registerCheckItem(program: Command, cli: Cli): void {
  const command = program
    .command('check-item')
    .summary('record one item of a checklist')
    .description('Records one item of a checklist as in order, or not. Recording it again replaces what was said.')
    .argument('<id>', 'the cutover')
    .argument('<step>', 'the checklist')
    .argument('<item>', 'the item, as the checklist words it')
    .addOption(asOption())
    .option('--not-ok', 'it is not in order')
    .option('--evidence <text>', 'what shows it: a link, a number; no personal data of customers')
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, step: string, item: string, options: CheckItemOptions) =>
      deliver(cli, id, options.output, (status) => {
        const input = { person: options.as, step, item, ok: !options.notOk, evidence: options.evidence };
        const to = runFor(status, { step }, (state) => state === 'waiting-people', options.wave);
        return [{ to, name: 'recordCheck', input }];
      }),
    );
  examples(command, [
    'cutover check-item night-1 roll-call "Sponsor reachable" --as marit',
    'cutover check-item night-1 smoke "Business customer looked up" --as sanne --not-ok --evidence "ticket 71"',
  ]);
}
