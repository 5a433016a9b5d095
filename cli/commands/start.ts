import type { Command } from 'commander';
import type { Pool } from 'pg';
import { registerCutover, whyNotStart } from '../../systems/control/cutovers';
import { putDocument } from '../../systems/control/documents';
import { id as idSchema } from '../../runbooks/schema/common';
import type { CutoverInput } from '../../workflows/cutover';
import { cutoverWorkflowId, QUEUES, STATIC_DETAILS, WORKFLOWS } from '../../workflows/names';
import { print, type Cli } from '../cli';
import { asOption, examples, outputOption, type CommonOptions } from '../command';
import { withControlMade, withTemporal, type TemporalClient } from '../connect';
import { checkFiles, soundDocuments, type CheckedFiles, type SoundDocuments } from '../documents';
import { refused, usage } from '../exit';
import { registerSearchAttributes } from '../search-attributes';

interface StartOptions extends CommonOptions {
  plan: string;
  id: string;
  as: string;
}

interface Started {
  cutover: string;
  workflowId: string;
  runId: string;
  runbookHash: string;
  planHash: string;
}

export function registerStart(program: Command, cli: Cli): void {
  const command = program
    .command('start')
    .summary('start a cutover')
    .description('Checks the documents, keeps them in the control database and starts the run that executes them.')
    .argument('<file>', 'the runbook')
    .requiredOption('--plan <file>', 'the plan: people, dates, waves')
    .requiredOption('--id <id>', 'what this cutover is called from now on, such as night-1')
    .addOption(asOption())
    .addOption(outputOption())
    .action(async (file: string, options: StartOptions) => {
      const started = await start(cli, file, options);
      print(cli, options.output, started, (value) =>
        [`started ${value.cutover} as ${value.workflowId}`, `follow it: cutover watch ${value.cutover}`].join('\n'),
      );
    });
  examples(command, [
    'cutover start runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --id night-1 --as marit',
  ]);
}

async function start(cli: Cli, file: string, options: StartOptions): Promise<Started> {
  if (!idSchema.safeParse(options.id).success)
    throw usage(
      `--id ${JSON.stringify(options.id.slice(0, 80))} is no id`,
      'letters, digits and dashes, beginning with a letter; 63 at most',
    );
  const files = await checkFiles(file, options.plan, cli.now());
  const documents = soundDocuments(files);
  const person = documents.plan.people.find((each) => each.id === options.as);
  if (!person)
    throw usage(
      `nobody in the plan is called ${JSON.stringify(options.as)}`,
      `people: ${documents.plan.people.map((each) => each.id).join(', ')}`,
    );
  return withTemporal(cli, (temporal) =>
    withControlMade(cli, async (control) => {
      await registerSearchAttributes(temporal);
      const run = await register(control, documents, files, options);
      return { ...run, runId: await startRun(temporal, run, options) };
    }),
  );
}

/** Keeps the documents and takes the id. */
async function register(
  control: Pool,
  { runbook }: SoundDocuments,
  files: CheckedFiles,
  options: StartOptions,
): Promise<Omit<Started, 'runId'>> {
  const cutover = options.id;
  const workflowId = cutoverWorkflowId(runbook.runbook, cutover);
  const refusal = await whyNotStart(control, cutover);
  if (refusal) throw refused(refusal.reason, refusal.remedy);
  const runbookHash = await putDocument(control, 'runbook', files.packed);
  const planHash = await putDocument(control, 'plan', files.planText ?? '');
  const registered = await registerCutover(control, {
    cutover,
    runbook: runbook.runbook,
    runbookHash,
    planHash,
    startedBy: options.as,
    workflowId,
  });
  if (registered.outcome === 'refused') throw refused(registered.reason, 'see: cutover list');
  return { cutover, workflowId, runbookHash, planHash };
}

async function startRun(
  { client }: TemporalClient,
  run: Omit<Started, 'runId'>,
  options: StartOptions,
): Promise<string> {
  const input: CutoverInput = { runbook: run.runbookHash, plan: run.planHash, startedBy: options.as };
  try {
    const handle = await client.workflow.start(WORKFLOWS.cutover, {
      workflowId: run.workflowId,
      taskQueue: QUEUES.main,
      // One that was terminated may be started again, once the guardian has brought it back.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      workflowIdConflictPolicy: 'FAIL',
      args: [input],
      staticSummary: `cutover ${run.cutover}, started by ${options.as}`,
      staticDetails: STATIC_DETAILS,
    });
    return handle.firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    throw refused(
      `cutover ${run.cutover} was started before (${run.workflowId})`,
      `look at it: cutover status ${run.cutover}; or choose another --id`,
    );
  }
}
