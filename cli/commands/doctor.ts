import type { Command } from 'commander';
import type { Pool } from 'pg';
import { listCutovers } from '../../systems/control/cutovers';
import { print, type Cli } from '../cli';
import { examples, outputOption, type CommonOptions } from '../command';
import { connectClient, withControl, type TemporalClient } from '../connect';
import { diagnosisText } from '../doctor/diagnosis-table';
import { bad, gone, looked, type Diagnosis } from '../doctor/finding';
import { lookAtClock } from '../doctor/look-at-clock';
import { lookAtEndpoints } from '../doctor/look-at-endpoints';
import { lookAtRuns } from '../doctor/look-at-runs';
import { lookAtServer, lookAtSystem, type SystemToLookAt } from '../doctor/look-at-system';
import { lookAtTemporal } from '../doctor/look-at-temporal';
import { CliError, EXIT } from '../exit';
import { lookAtState } from '../live/look-at-state';
import { storedRun } from '../stored-run';

export function registerDoctor(program: Command, cli: Cli): void {
  const command = program
    .command('doctor')
    .summary('look at everything a cutover needs')
    .description(
      'Looks at databases, Temporal, workers, the guardian and open runs; says what is wrong and what to do. It reads ' +
        'CONTROL_URL, the variables the runbooks of open runs name (else SOURCE_URL and TARGET_URL), TEMPORAL_ADDRESS, and, when set, ' +
        'CUTOVER_GATEWAY_URL and CUTOVER_METRICS_PORT.',
    )
    .addOption(outputOption())
    .action(async (options: CommonOptions) => {
      const found = await examine(cli);
      const wrong = found.filter((each) => each.verdict === 'bad');
      print(cli, options.output, { ok: wrong.length === 0, findings: found }, () => diagnosisText(cli, found));
      if (wrong.some((each) => each.unreachable)) cli.exitCode = EXIT.unreachable;
      else if (wrong.length > 0) cli.exitCode = EXIT.failed;
    });
  examples(command, ['cutover doctor', 'cutover doctor --output json']);
}

async function examine(cli: Cli): Promise<Diagnosis[]> {
  const temporal = await reach('Temporal', () => connectClient(cli.env.all));
  try {
    const withoutControl = (): Promise<Diagnosis[]> => lookAtSystems(cli, null);
    const databases = await reach('control (CONTROL_URL)', () =>
      withControl(cli, async (control) => [
        ...(await lookAtServer('control (CONTROL_URL)', control)),
        ...(await lookAtClock('control (CONTROL_URL)', control, cli.now)),
        ...(await lookAtSystems(cli, control)),
        ...('client' in temporal ? await looked('runs', 'see the message', () => lookAtRuns(control, temporal)) : []),
      ]),
    );
    const seen = 'client' in temporal ? await lookAtTemporal(temporal, cli.now()) : [temporal];
    return [
      ...(Array.isArray(databases) ? databases : [databases, ...(await withoutControl())]),
      ...seen,
      ...(await lookAtEndpoints(cli.env.all)),
    ];
  } finally {
    if ('client' in temporal) await temporal.close();
  }
}

/** What `open` gives, or the finding that it cannot be reached, must not be used, or keeps nothing (workers that run would have made it). */
async function reach<T extends TemporalClient | Diagnosis[]>(
  what: string,
  open: () => Promise<T>,
): Promise<T | Diagnosis> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return (error.exitCode === EXIT.refused ? bad : gone)(what, error.message, error.remedy ?? '');
  }
}

/** Source and target, and every database that the runbook of an open run names. */
async function lookAtSystems(cli: Cli, control: Pool | null): Promise<Diagnosis[]> {
  const named = new Map<string, string>();
  const open = control ? (await listCutovers(control)).filter((row) => row.outcome === null) : [];
  for (const row of control ? open : []) {
    const run = control ? await storedRun(control, row.cutover, cli.now()).catch(() => null) : null;
    for (const [name, system] of Object.entries(run?.resolved.runbook.systems ?? {}))
      if (system.adapter === 'postgres') named.set(system.urlEnv, name);
  }
  if (named.size === 0) {
    named.set('SOURCE_URL', 'source');
    named.set('TARGET_URL', 'target');
  }
  const ready = async (what: string, pool: Pool): Promise<Diagnosis[]> => [
    ...(await lookAtState(what, pool)),
    ...(await lookAtClock(what, pool, cli.now)),
  ];
  const systems = [...named].map(([urlEnv, name]): SystemToLookAt => ({ name, urlEnv, url: cli.env.all[urlEnv] }));
  return (await Promise.all(systems.map((system) => lookAtSystem(system, ready)))).flat();
}
