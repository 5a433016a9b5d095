import { Option, type Command } from 'commander';
import type { Cli } from '../cli';
import { asOption, examples, outputOption, waveOption } from '../command';
import { openRuns } from '../messages/choose-run';
import { deliver } from '../messages/deliver';
import type { PersonOptions } from './messages';

type RaiseOptions = PersonOptions & { severity: 'low' | 'high'; title: string };

export function registerIncident(program: Command, cli: Cli): void {
  const incident = program
    .command('incident')
    .summary('raise or resolve an incident')
    .description('An open incident shows at every gate; a high one turns it red and keeps hypercare open.');
  registerRaise(incident, cli);
  registerResolve(incident, cli);
  examples(incident, [
    'cutover incident raise night-1 slow-lookups --severity high --title "Lookups take a minute" --as sanne',
    'cutover incident resolve night-1 slow-lookups --as joost',
  ]);
}

function registerRaise(incident: Command, cli: Cli): void {
  const raise = incident
    .command('raise')
    .description('Raises an incident in every run of the cutover that is open, so that the next gate shows it.')
    .argument('<id>', 'the cutover')
    .argument('<incident>', 'what it is called, such as slow-lookups')
    .addOption(asOption())
    .addOption(new Option('--severity <severity>', 'how bad').choices(['low', 'high']).makeOptionMandatory())
    .requiredOption('--title <text>', 'one line for people; no personal data of customers')
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, name: string, options: RaiseOptions) =>
      deliver(cli, id, options.output, (status) =>
        openRuns(status.runs, options.wave).map((to) => ({
          to,
          name: 'raiseIncident',
          input: { person: options.as, incident: name, severity: options.severity, title: options.title },
        })),
      ),
    );
  examples(raise, [
    'cutover incident raise night-1 slow-lookups --severity high --title "Lookups take a minute" --as sanne',
  ]);
}

function registerResolve(incident: Command, cli: Cli): void {
  const resolve = incident
    .command('resolve')
    .description('Resolves an incident wherever it is open.')
    .argument('<id>', 'the cutover')
    .argument('<incident>', 'what it is called')
    .addOption(asOption())
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, name: string, options: PersonOptions) =>
      deliver(cli, id, options.output, (status) => {
        const open = openRuns(status.runs, options.wave);
        const holding = open.filter((run) => run.incidents[name]?.resolved === null);
        const to = holding.length > 0 ? holding : open.slice(0, 1);
        return to.map((run) => ({
          to: run,
          name: 'resolveIncident',
          input: { person: options.as, incident: name },
        }));
      }),
    );
  examples(resolve, ['cutover incident resolve night-1 slow-lookups --as joost']);
}
