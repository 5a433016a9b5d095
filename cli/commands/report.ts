import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { connect } from '../../systems/postgres/connect';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { withControl } from '../connect';
import { CliError, EXIT, unreachable, usage } from '../exit';
import { collectReport } from '../report-input';
import { buildReport } from '../report/build-report';
import { renderReport } from '../report/render-report';
import { storedRun, type StoredRun } from '../stored-run';
import { fetchStatus } from './status';

interface ReportOptions extends CommonOptions {
  out: string;
  findings?: string;
}

export function registerReport(program: Command, cli: Cli): void {
  const command = program
    .command('report')
    .summary('write the report of a cutover')
    .description(
      'Writes report.html (one self-contained page) and report.json. Exit code 1 when a promise did not hold. It needs ' +
        'CONTROL_URL, and SOURCE_URL and TARGET_URL as the runbook names them.',
    )
    .argument('<id>', 'the cutover')
    .option('--out <dir>', 'the folder that gets a folder named after the cutover', 'out')
    .option('--findings <file>', 'what an audit found: a JSON list of sentences, shown in the report')
    .addOption(outputOption())
    .action(async (id: string, options: ReportOptions) => {
      const written = await writeReport(cli, id, options);
      print(cli, options.output, written, ({ html, json, verdict }) =>
        [`${html}`, `${json}`, ...verdict.problems.map((problem) => `problem: ${problem}`)].join('\n'),
      );
      if (!written.verdict.ok) cli.exitCode = EXIT.failed;
    });
  examples(command, ['cutover report night-1', 'cutover report night-1 --out /srv/reports --findings audit.json']);
}

interface Written {
  html: string;
  json: string;
  outcome: string | null;
  verdict: { ok: boolean; problems: string[] };
}

async function writeReport(cli: Cli, id: string, options: ReportOptions): Promise<Written> {
  const findings = options.findings === undefined ? [] : await readFindings(options.findings);
  const report = await withControl(cli, async (control) => {
    const stored = await storedRun(control, id, cli.now());
    if (!stored) throw usage(`no cutover ${JSON.stringify(id)} is known`, 'list those there are: cutover list');
    const status = await fetchStatus(cli, stored.row.cutover);
    if (!status.runs.some((run) => run.wave === null))
      throw unreachable(
        `the run of ${stored.row.cutover} does not answer, and nothing of it was saved`,
        'start a worker: cutover worker',
      );
    const pools = { source: systemPool(cli, stored, 'source'), target: systemPool(cli, stored, 'target') };
    try {
      return buildReport(await collectReport({ status, stored, control, pair: pools, nowMs: cli.now(), findings }));
    } finally {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    }
  });
  const dir = path.resolve(options.out, report.cutover);
  await mkdir(dir, { recursive: true });
  const [html, json] = [path.join(dir, 'report.html'), path.join(dir, 'report.json')];
  await writeFile(html, renderReport(report));
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  return { html, json, outcome: report.outcome, verdict: report.verdict };
}

function systemPool(cli: Cli, { resolved }: StoredRun, side: 'source' | 'target'): ReturnType<typeof connect> {
  const system = resolved.runbook.systems[side];
  if (!system) throw new CliError(EXIT.failed, `the runbook names no system called ${side}`);
  const url = cli.env.all[system.urlEnv];
  if (url === undefined)
    throw unreachable(`${system.urlEnv} is not set`, `the report counts customers in the ${side}: set its URL`);
  return connect(url, { applicationName: 'cutover report', max: 4 });
}

async function readFindings(file: string): Promise<string[]> {
  try {
    return z.array(z.string()).parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    throw usage(`${file} is no JSON list of sentences`, 'such as ["one payment is missing"]');
  }
}
