import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants';

export interface Options {
  seeds: number;
  from: number;
  threads: number;
  /** Play this one, with its trace when asked for. */
  seed: number | null;
  trace: boolean;
  mutant: Mutant | null;
  /** Play every mutant until it is caught, at most `seeds` seeds each. */
  mutants: boolean;
  /** So many seeds are played on a real stack too, and must end as in the simulator; null: none. */
  real: number | null;
}

const HELP = `Usage: npm run simulate -- [--seeds N] [--from N] [--threads N] [--mutant NAME | --mutants]
       npm run simulate -- --seed N [--trace] [--mutant NAME]
       npm run simulate -- --real N [--from N]

Plays cutovers of the real engine and domain over systems in memory, with a virtual clock, from seeds: people, faults, zombies,
writers, requests and mischief come from the seed. Exit code 0: every promise held and everything that can happen did.
1: a promise broke (with --mutants: a mutant was not caught; with --real: the two disagreed). 2: it could not be tried, or a long run tried too little.

  --seeds N     how many (1000)
  --from N      the first (1)
  --threads N   at the same time (one for each core)
  --seed N      one seed alone; --trace prints what happened in it
  --mutant NAME breaks one rule of the product first: ${Object.keys(MUTANTS).join(', ')}
  --mutants     every mutant, each until it is caught
  --real N      N seeds decide nights of the tiny runbook (how it ends, who waits, who cannot be mapped, where a worker dies); each is
                played in the simulator and on real servers, which must agree. About half a minute for each
`;

function whole(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1, not ${text}`);
  return value;
}

const isMutant = (text: string): text is Mutant => Object.hasOwn(MUTANTS, text);

/** Null when help was asked for and printed. Throws on anything it does not know. */
export function readOptions(argv: string[]): Options | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      real: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  const { mutant } = values;
  if (mutant !== undefined && !isMutant(mutant))
    throw new Error(`--mutant takes one of ${Object.keys(MUTANTS).join(', ')}`);
  return {
    seeds: whole(values.seeds, 'seeds'),
    from: whole(values.from, 'from'),
    threads: whole(values.threads, 'threads'),
    seed: values.seed === undefined ? null : whole(values.seed, 'seed'),
    trace: values.trace,
    mutant: mutant ?? null,
    mutants: values.mutants,
    real: values.real === undefined ? null : whole(values.real, 'real'),
  };
}
