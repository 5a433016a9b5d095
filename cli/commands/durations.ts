import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseDocument } from 'yaml';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { CliError, EXIT, usage } from '../exit';
import { machineDurations, withDurations, type MachineDuration } from '../machine-durations';
import { span, table } from '../show/format';
import { fetchStatus } from './status';

interface DurationsOptions extends CommonOptions {
  into?: string;
}

export function registerDurations(program: Command, cli: Cli): void {
  const command = program
    .command('durations')
    .summary('propose the durations a run measured for the next plan')
    .description(
      'Prints how long each machine step took beside what was planned, and the `durations:` of the next plan. Steps of ' +
        'people, windows and steps that have not ended are left out; of several waves the longest counts, of several ' +
        'attempts the one that ended it.',
    )
    .argument('<id>', 'the cutover')
    .option('--into <plan>', 'write them into this plan; its other durations and its comments stay')
    .addOption(outputOption())
    .action(async (id: string, options: DurationsOptions) => {
      const measured = machineDurations((await fetchStatus(cli, id)).runs);
      if (measured.length === 0)
        throw new CliError(EXIT.failed, `no machine step of ${id} has ended yet`, `watch it: cutover watch ${id}`);
      if (options.into !== undefined) await writeInto(options.into, measured);
      print(cli, options.output, measured, (value) => text(cli, value));
    });
  examples(command, ['cutover durations rehearsal-1', 'cutover durations rehearsal-1 --into plan.yaml']);
}

function text(cli: Cli, measured: readonly MachineDuration[]): string {
  const rows = measured.map((step) => [
    step.id,
    span(step.plannedMs),
    span(step.measuredMs),
    step.wave === null ? '' : String(step.wave),
  ]);
  const proposed = withDurations(parseDocument(''), measured).trimEnd();
  return [table(cli, ['step', 'planned', 'measured', 'wave'], rows), proposed].join('\n\n');
}

async function writeInto(file: string, measured: readonly MachineDuration[]): Promise<void> {
  const plan = parseDocument(
    await readFile(file, 'utf8').catch(() => {
      throw usage(`${file} cannot be read`, 'name the plan file: --into plan.yaml');
    }),
  );
  if (plan.errors.length > 0 || !plan.has('plan'))
    throw usage(`${file} is no plan`, 'see what is wrong with it: cutover check RUNBOOK --plan PLAN');
  await writeFile(file, withDurations(plan, measured));
}
