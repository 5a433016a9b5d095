import type { Command } from 'commander';
import { resolveRun } from '../../runbooks/windows';
import { planTimeline, type Timeline } from '../../runbooks/plan-timeline/plan-timeline';
import { colorsOf, print, type Cli } from '../cli';
import { examples, instantMs, outputOption, type CommonOptions } from '../command';
import { checkFiles, soundDocuments } from '../documents';
import { clock, span, table } from '../show/format';

interface PlanOptions extends CommonOptions {
  plan: string;
  from?: number;
}

export function registerPlan(program: Command, cli: Cli): void {
  const command = program
    .command('plan')
    .summary('show the planned timeline')
    .description(
      'Shows when each step is planned, the critical path, how long customers are frozen, and the last moment to back out. ' +
        'Times are UTC. The openings of the plan replace the pattern of the runbook: compare them with your business hours.',
    )
    .argument('<file>', 'the runbook')
    .requiredOption('--plan <file>', 'the plan: people, dates, waves')
    .option('--from <instant>', 'when the run starts; default: now', instantMs)
    .addOption(outputOption())
    .action(async (file: string, options: PlanOptions) => {
      const startMs = options.from ?? cli.now();
      const files = await checkFiles(file, options.plan, startMs);
      const documents = soundDocuments(files);
      const hashes = { runbookHash: files.runbookHash, planHash: files.planHash ?? '' };
      const timeline = planTimeline(resolveRun(documents, hashes, startMs), startMs);
      print(cli, options.output, timeline, (value) => text(cli, value));
    });
  examples(command, [
    'cutover plan runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml',
    'cutover plan runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --from 2026-11-27T09:00:00+01:00',
  ]);
}

function text(cli: Cli, timeline: Timeline): string {
  const { bold, yellow } = colorsOf(cli);
  const rows = timeline.steps.map((step) => [
    step.wave === null ? '' : String(step.wave),
    step.phase,
    step.id,
    clock(step.plannedStart, cli.now()),
    span(step.plannedEnd - step.plannedStart),
    step.owner,
    step.critical ? '●' : '',
  ]);
  const waves = timeline.waves.map((wave) => [
    `${wave.wave} (${wave.name})`,
    wave.expectedFrozenMs === null ? 'not frozen' : span(wave.expectedFrozenMs),
    wave.opening ? `${clock(wave.opening.opensAt, cli.now())} to ${clock(wave.opening.closesAt, cli.now())}` : 'none',
    clock(wave.backOutBy, cli.now()),
  ]);
  const unplaced = timeline.unplaced.map((step) => yellow(`no opening has time enough for ${step}`));
  return [
    `${bold('Planned')} from ${clock(timeline.plannedStart, cli.now())} to ${clock(timeline.plannedEnd, cli.now())} (UTC)`,
    table(cli, ['wave', 'phase', 'step', 'start', 'takes', 'owner', 'critical'], rows),
    table(cli, ['wave', 'expected frozen time', 'window', 'back out by'], waves),
    `${bold('Critical path')}: ${timeline.criticalPath.join(' → ')}`,
    ...unplaced,
  ].join('\n\n');
}
