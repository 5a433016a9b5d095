import type { Command } from 'commander';
import { formatFinding, hasErrors, type Finding } from '../../runbooks/finding';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { checkFiles } from '../documents';
import { EXIT } from '../exit';

export function registerCheck(program: Command, cli: Cli): void {
  const command = program
    .command('check')
    .summary('find what is wrong with a runbook')
    .description('Checks a runbook, its conversion and a plan without any system: each finding as file:line:column.')
    .argument('<file>', 'the runbook')
    .option('--plan <file>', 'the plan: people, dates, waves')
    .addOption(outputOption())
    .action(async (file: string, options: CommonOptions & { plan?: string }) => {
      const { findings } = await checkFiles(file, options.plan, cli.now());
      const ok = !hasErrors(findings);
      print(cli, options.output, { ok, findings }, text);
      if (!ok) cli.exitCode = EXIT.failed;
    });
  examples(command, [
    'cutover check runbooks/billing-oss/runbook.yaml',
    'cutover check runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --output json',
  ]);
}

function text({ ok, findings }: { ok: boolean; findings: Finding[] }): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const summary = ok ? 'nothing wrong' : `${errors} ${errors === 1 ? 'error' : 'errors'}`;
  const warnings = findings.length - errors;
  return [...findings.map(formatFinding), `${summary}${warnings > 0 ? `, ${warnings} to look at` : ''}`].join('\n');
}
