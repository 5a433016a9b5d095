import { parseArgs } from 'node:util';

export interface Options {
  minutes: number;
  seed: number;
  stacks: number;
  /** Trials whose names begin with one of these; empty: all. */
  only: string[];
  short: boolean;
  list: boolean;
  mutant: string | null;
}

const MOST_MINUTES = 60;

const help = (mutants: readonly string[]): string => `Usage: npm run faults -- [options]

Plays nights of the tiny runbook on real PostgreSQL and Temporal servers while something breaks, and judges every promise after each.
Exit code 0: every promise held under every fault. 1: one was broken. 2: something could not be tried, or options are wrong.

  --minutes N     ends after N minutes, at most ${MOST_MINUTES} (${MOST_MINUTES}); what was not tried then is said
  --seed N        of every choice (random, printed)
  --only NAME     only trials whose name begins so; may be given several times
  --stacks N      nights at the same time, each with servers of its own (3)
  --short         the selection that belongs to every test run
  --mutant NAME   in a copy of the product with one line broken, which must be seen; one of
                  ${mutants.join(', ')}
  --list          says what would be tried

Examples:
  npm run faults
  npm run faults -- --only kill- --minutes 15
  npm run faults -- --only source-killed-committed --seed 4711
  npm run faults -- --mutant ${mutants[0] ?? 'NAME'}
`;

function whole(text: string, name: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new Error(`--${name} takes a whole number from 1 to ${most}, not ${text}`);
  return value;
}

/** Null when help was asked for and printed. Throws on anything it does not know. */
export function readOptions(argv: string[], mutants: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      minutes: { type: 'string', default: String(MOST_MINUTES) },
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
      stacks: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: [] },
      short: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help(mutants));
    return null;
  }
  if (values.mutant !== undefined && !mutants.includes(values.mutant))
    throw new Error(`--mutant takes one of ${mutants.join(', ')}, not ${values.mutant}`);
  return {
    minutes: whole(values.minutes, 'minutes', MOST_MINUTES),
    seed: whole(values.seed, 'seed', 1_000_000_000),
    stacks: whole(values.stacks, 'stacks', 8),
    only: values.only,
    short: values.short,
    list: values.list,
    mutant: values.mutant ?? null,
  };
}
