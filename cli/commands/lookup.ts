import type { Command } from 'commander';
import { locate, sideOf, type Location } from '../../systems/control/routing';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { withControl } from '../connect';
import { usage } from '../exit';
import { storedRun } from '../stored-run';

interface Lookup extends Location {
  customer: string;
  /** The system of record; null while the customer is being moved. */
  system: string | null;
  /** What an agent reads out. */
  script: string | null;
}

export function registerLookup(program: Command, cli: Cli): void {
  const command = program
    .command('lookup')
    .summary('say where a customer lives now')
    .description(
      'Says which system serves a customer now, whether new work is held, and what an agent reads out. Needs CONTROL_URL.',
    )
    .argument('<id>', 'the cutover')
    .argument('<customer>', 'the key of the customer')
    .addOption(outputOption())
    .action(async (id: string, customer: string, options: CommonOptions) => {
      const found = await withControl(cli, async (control) => {
        const run = await storedRun(control, id, cli.now());
        if (!run) throw usage(`no cutover ${JSON.stringify(id)} is known`, 'list those there are: cutover list');
        const location = await locate(control, run.row.cutover, customer);
        const scriptOf = location.custody === 'retired' ? 'target' : location.custody;
        const script = run.resolved.runbook.script?.[scriptOf] ?? null;
        return { customer, ...location, system: sideOf(location.custody), script } satisfies Lookup;
      });
      print(cli, options.output, found, text);
    });
  examples(command, ['cutover lookup night-1 7590-VHVEG', 'cutover lookup night-1 7590-VHVEG --output json']);
}

function text(found: Lookup): string {
  const where = found.system === null ? 'is being moved' : `lives in the ${found.system}`;
  const held = found.intake === 'held' ? '; new work is held and carried out after the move' : '';
  return [
    // A number nobody has, or that was misheard, is placed too: whoever has no row belongs to the last wave.
    `${found.customer} ${where} (wave ${found.wave}, ${found.name}) (by its wave: no system was asked)${held}`,
    ...(found.script ? [found.script] : []),
  ].join('\n');
}
