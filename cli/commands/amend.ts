import type { Command } from 'commander';
import { putDocument } from '../../systems/control/documents';
import type { Cli } from '../cli';
import { asOption, examples, outputOption, type CommonOptions } from '../command';
import { withControl } from '../connect';
import { checkFiles, soundDocuments } from '../documents';
import { refused, usage } from '../exit';
import { deliver } from '../messages/deliver';
import type { StatusShown } from '../run-status';

interface AmendOptions extends CommonOptions {
  as: string;
  plan?: string;
  approve?: boolean;
  reason?: string;
}

interface Hashes {
  runbook: string;
  plan: string;
}

export function registerAmend(program: Command, cli: Cli): void {
  const command = program
    .command('amend')
    .summary('change what a running cutover goes by')
    .description(
      'Proposes another runbook or plan for the steps that have not started, or approves what was proposed. Two people of the own ' +
        'company must say so; whoever proposes counts as one. The documents are checked as at the start. Steps that have ' +
        'started, gates that have opened and what the run stands on stay as they are. Open votes are void then: vote again.',
    )
    .argument('<id>', 'the cutover')
    .argument('[file]', 'the runbook as it should be')
    .option('--plan <file>', 'the plan as it should be')
    .option('--approve', 'approve what is proposed, as `cutover status` shows it')
    .option('--reason <text>', 'why; it is in the ledger')
    .addOption(asOption())
    .addOption(outputOption())
    .action(async (id: string, file: string | undefined, options: AmendOptions) => {
      const stored = await proposed(cli, file, options);
      const input = (hashes: Hashes) => ({ person: options.as, ...hashes, reason: options.reason });
      await deliver(cli, id, options.output, (status) =>
        status.runs
          .filter((run) => run.wave === null)
          .map((to) => ({ to, name: 'amend', input: input(stored ?? open(status)) })),
      );
    });
  examples(command, [
    'cutover amend night-1 runbooks/billing-oss/runbook.yaml --plan runbooks/billing-oss/plan.yaml --as marit --reason "second look at bills"',
    'cutover amend night-1 --approve --as joost',
  ]);
}

/** Checks the files and keeps them in `control`; null when what is proposed already is meant. */
async function proposed(cli: Cli, file: string | undefined, options: AmendOptions): Promise<Hashes | null> {
  if (options.approve && (file !== undefined || options.plan !== undefined))
    throw usage('--approve is said of what was proposed', 'leave out the files');
  if (options.approve) return null;
  if (file === undefined || options.plan === undefined)
    throw usage('an amendment is a runbook and a plan', 'give the runbook and --plan FILE, or --approve');
  const files = await checkFiles(file, options.plan, cli.now());
  soundDocuments(files);
  return withControl(cli, async (control) => ({
    runbook: await putDocument(control, 'runbook', files.packed),
    plan: await putDocument(control, 'plan', files.planText ?? ''),
  }));
}

function open(status: StatusShown): Hashes {
  const amendment = status.runs.find((run) => run.wave === null)?.amendment;
  if (amendment?.status !== 'proposed')
    throw refused(`nothing is proposed for ${status.cutover}`, 'propose it: cutover amend ID RUNBOOK --plan FILE');
  return { runbook: amendment.runbookHash, plan: amendment.planHash };
}
