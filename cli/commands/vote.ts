import { Argument, type Command } from 'commander';
import type { Cli } from '../cli';
import { asOption, examples, outputOption, waveOption } from '../command';
import { usage } from '../exit';
import { deliver } from '../messages/deliver';
import type { RunShown } from '../run-status';
import { runFor, type PersonOptions } from './messages';

interface VoteOptions extends PersonOptions {
  reason?: string;
  digest?: string;
}

/** So many characters name the evidence as people read it. */
const SHORT_DIGEST = 8;

export function registerVote(program: Command, cli: Cli): void {
  const command = program
    .command('vote')
    .summary('vote go or no-go at a gate')
    .description(
      'Votes at a gate, on the evidence it shows (cutover status ID). The last vote of a person counts. One no-go decides. ' +
        'Whoever started the run does not vote. A vote is void when the evidence got worse: vote again.',
    )
    .argument('<id>', 'the cutover')
    .argument('<gate>', 'the gate')
    .addArgument(new Argument('<decision>', 'what you say').choices(['go', 'no-go']))
    .addOption(asOption())
    .option('--reason <text>', 'why; a no-go should have one')
    .option('--digest <hex>', `the evidence you saw, as status shows it (${SHORT_DIGEST} characters or more)`)
    .addOption(waveOption())
    .addOption(outputOption())
    .action((id: string, gate: string, decision: 'go' | 'no-go', options: VoteOptions) =>
      deliver(cli, id, options.output, (status) => {
        const open = (state: string): boolean => state === 'open' || state === 'held';
        const to = runFor(status, { gate }, open, options.wave);
        const digest = options.digest === undefined ? undefined : wholeDigest(to, gate, options.digest);
        return [
          { to, name: 'castVote', input: { person: options.as, gate, decision, reason: options.reason, digest } },
        ];
      }),
    );
  examples(command, [
    'cutover vote night-1 final go --as ingrid',
    'cutover vote night-1 final no-go --as joost --reason "balance differs" --digest 3f9a1c20 --wave 2',
  ]);
}

/** The digest a shortened one means; as given when the gate shows another, so that the run can say it is outdated. */
export function wholeDigest(run: Pick<RunShown, 'gates'>, gate: string, given: string): string {
  if (!/^[0-9a-f]+$/.test(given) || given.length < SHORT_DIGEST)
    throw usage(`--digest takes ${SHORT_DIGEST} or more hexadecimal characters`, 'copy it from cutover status');
  const shown = run.gates.find((each) => each.id === gate)?.digest;
  return shown?.startsWith(given) ? shown : given;
}
