import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { examples } from '../command';
import { CliError, EXIT } from '../exit';

/** Compiled beside this file; the worker is a process of its own so that its memory and signals are its own. */
const WORKER = path.join(__dirname, '..', '..', 'workers', 'main.js');

export function registerWorker(program: Command, cli: Cli): void {
  const command = program
    .command('worker')
    .summary('run a worker')
    .description(
      'Runs a worker until Ctrl-C. Give task queues to serve only those. Start two or\n' +
        'more, on two machines: when the only one dies, a freeze lapses.\n\n' +
        'Environment:\n' +
        '  CONTROL_URL           needed: the control database, postgres://…\n' +
        '  SOURCE_URL, …         needed: every variable its runbooks name as urlEnv\n' +
        '  TEMPORAL_ADDRESS, …   as for the stock temporal command\n' +
        '  CUTOVER_PAYLOAD_KEYS_FILE  encrypts what Temporal keeps (docs/connection.md)\n' +
        '  CUTOVER_DEPLOYMENT_NAME, CUTOVER_BUILD_ID  a run stays with its build (docs/connection.md)\n' +
        '  CUTOVER_WEBHOOK_URL   where notify steps post; without it they tell nobody\n' +
        '  CUTOVER_DOCUMENTS     folder of runbooks and plans that the stock temporal command may start\n' +
        '  CUTOVER_LOG_LEVEL     trace, debug, info (default), warn, error, silent\n' +
        '  CUTOVER_METRICS_PORT  metrics for Prometheus, on 127.0.0.1 or CUTOVER_METRICS_HOST (docs/observability.md)',
    )
    .argument('[queues...]', 'task queues, such as cutover-data; default: all')
    .action(async (queues: string[]) => {
      cli.exitCode = await runWorker(cli, queues);
    });
  examples(command, ['cutover worker', 'cutover worker cutover-data', 'cutover worker cutover cutover-lease']);
}

/** Resolves to the worker's exit code; 0 when it was asked to stop and did. */
async function runWorker(cli: Cli, queues: readonly string[]): Promise<number> {
  if (!existsSync(WORKER))
    throw new CliError(EXIT.failed, `the worker is not built: ${WORKER} is missing`, 'run: npm run build');
  const child = spawn(process.execPath, [WORKER], {
    stdio: 'inherit',
    env: { ...cli.env.all, ...(queues.length > 0 ? { CUTOVER_QUEUES: queues.join(',') } : {}) },
  });
  const stop = (): void => void child.kill('SIGTERM');
  cli.stop.addEventListener('abort', stop);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(cli.stop.aborted ? EXIT.ok : (code ?? EXIT.failed)));
    });
  } finally {
    cli.stop.removeEventListener('abort', stop);
  }
}
