import type { Command } from 'commander';
import type { Cli } from '../cli';
import { asOption, examples, instantMs, outputOption, waveOption } from '../command';
import { usage } from '../exit';
import { openRuns } from '../messages/choose-run';
import { deliver } from '../messages/deliver';
import type { PersonOptions } from './messages';

type Reasoned = PersonOptions & { reason: string };

export function registerPause(program: Command, cli: Cli): void {
  const command = program
    .command('pause')
    .summary('start no new step')
    .description(
      'Starts no new step, in the cutover and every wave that runs. What runs goes on; a freeze keeps its limits.',
    )
    .argument('<id>', 'the cutover')
    .addOption(asOption())
    .requiredOption('--reason <text>', 'why; everybody sees it')
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, options: Reasoned) =>
      deliver(cli, id, options.output, (status) =>
        openRuns(status.runs, options.wave).map((to) => ({
          to,
          name: 'pause',
          input: { person: options.as, reason: options.reason },
        })),
      ),
    );
  examples(command, ['cutover pause night-1 --as marit --reason "waiting for the supplier"']);
}

export function registerResume(program: Command, cli: Cli): void {
  const command = program
    .command('resume')
    .summary('go on after a pause')
    .description('Goes on, in every run of the cutover that is paused.')
    .argument('<id>', 'the cutover')
    .addOption(asOption())
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, options: PersonOptions) =>
      deliver(cli, id, options.output, (status) => {
        const open = openRuns(status.runs, options.wave);
        const paused = open.filter((run) => run.paused !== null);
        return (paused.length > 0 ? paused : open.slice(0, 1)).map((to) => ({
          to,
          name: 'resume',
          input: { person: options.as },
        }));
      }),
    );
  examples(command, ['cutover resume night-1 --as marit']);
}

export function registerRollback(program: Command, cli: Cli): void {
  const command = program
    .command('rollback')
    .summary('go back to the source')
    .description(
      'Takes the whole cutover back to the source system. Refused after the point of no return. A wave that has switched waits ' +
        'for its window, or goes back at once when two people of the own company have each given this command.',
    )
    .argument('<id>', 'the cutover')
    .addOption(asOption())
    .requiredOption('--reason <text>', 'why; it is in the ledger and the report')
    .addOption(outputOption())
    .action((id: string, options: Reasoned) =>
      deliver(cli, id, options.output, (status) =>
        status.runs
          .filter((run) => run.wave === null)
          .map((to) => ({ to, name: 'requestRollback', input: { person: options.as, reason: options.reason } })),
      ),
    );
  examples(command, ['cutover rollback night-1 --as marit --reason "the new system loses payments"']);
}

export function registerReschedule(program: Command, cli: Cli): void {
  const command = program
    .command('reschedule')
    .summary('move a window')
    .description(
      'Opens a window at another time. Two people of the own company each give the same command. What is agreed replaces every ' +
        'opening of that window in the plan, for the runs that are open; a wave that starts later asks for it anew.',
    )
    .argument('<id>', 'the cutover')
    .argument('<window>', 'the window')
    .requiredOption('--opens <instant>', 'an instant with its offset', instantMs)
    .requiredOption('--closes <instant>', 'an instant with its offset', instantMs)
    .addOption(asOption())
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, window: string, options: PersonOptions & { opens: number; closes: number }) => {
      if (options.closes <= options.opens)
        throw usage('a window closes after it opens', 'exchange --opens and --closes?');
      const input = { person: options.as, window, opensAt: options.opens, closesAt: options.closes };
      return deliver(cli, id, options.output, (status) =>
        openRuns(status.runs, options.wave).map((to) => ({ to, name: 'reschedule', input })),
      );
    });
  examples(command, [
    'cutover reschedule night-1 night --opens 2026-12-05T23:00:00+01:00 --closes 2026-12-06T05:00:00+01:00 --as marit',
    'cutover reschedule night-1 night --opens 2026-12-05T23:00:00+01:00 --closes 2026-12-06T05:00:00+01:00 --as joost',
  ]);
}
