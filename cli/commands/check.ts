import type { Command } from 'commander';
import { formatFinding, hasErrors, type Finding } from '../../runbooks/finding';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { diagnosisText } from '../doctor/diagnosis-table';
import { checkFiles } from '../documents';
import { EXIT } from '../exit';
import { lookLive } from '../live/look-live';

interface CheckOptions extends CommonOptions {
  plan?: string;
  live: boolean;
}

export function registerCheck(program: Command, cli: Cli): void {
  const command = program
    .command('check')
    .summary('find what is wrong with a runbook')
    .description(
      'Checks a runbook, its conversion and a plan without any system: each finding as file:line:column. With --live also against the ' +
        'databases: credentials, versions, rights with the GRANT to run, disk, who is in the way, and what does not fit. It writes nothing there.',
    )
    .argument('<file>', 'the runbook')
    .option('--plan <file>', 'the plan: people, dates, waves')
    .option('--live', 'look at the databases too; reads CONTROL_URL and the variables the runbook names', false)
    .addOption(outputOption())
    .action((file: string, options: CheckOptions) => check(cli, file, options));
  examples(command, [
    'cutover check runbooks/billing-oss/runbook.yaml',
    'cutover check runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --output json',
    'cutover check runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --live',
  ]);
}

async function check(cli: Cli, file: string, options: CheckOptions): Promise<void> {
  const { findings, runbook, conversion, plan } = await checkFiles(file, options.plan, cli.now());
  const asked = options.live && runbook && conversion ? { runbook, conversion, plan } : null;
  const live = asked && (await lookLive(cli, asked));
  const wrong = (live ?? []).filter((each) => each.verdict === 'bad');
  const ok = !hasErrors(findings) && wrong.length === 0;
  const whole = { ok, findings, ...(live ? { live } : {}) };
  print(cli, options.output, whole, () => {
    const words = text({ ok: !hasErrors(findings), findings });
    if (live) return `${words}\n\n${diagnosisText(cli, live)}`;
    return options.live ? `${words}\nthe databases were not looked at: mend the documents first` : words;
  });
  if (wrong.some((each) => each.unreachable)) cli.exitCode = EXIT.unreachable;
  else if (!ok) cli.exitCode = EXIT.failed;
}

function text({ ok, findings }: { ok: boolean; findings: Finding[] }): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const summary = ok ? 'nothing wrong' : `${errors} ${errors === 1 ? 'error' : 'errors'}`;
  const warnings = findings.length - errors;
  return [...findings.map(formatFinding), `${summary}${warnings > 0 ? `, ${warnings} to look at` : ''}`].join('\n');
}
