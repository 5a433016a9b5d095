import { parseArgs } from 'node:util';
import { isRule, RULES, type Rule } from './mutants';

export interface Options {
  seconds: number;
  seed: number;
  writers: number;
  /** The rule of PROTOCOL.md to break in a copy of the product. */
  broken: Rule | null;
  /** Goes on until something breaks, at most four times as long as asked for. What a mutant is run with. */
  untilBroken: boolean;
}

const HELP = `Usage: npm run protocol -- [--seconds N] [--seed N] [--writers N] [--break RULE]

Runs the custody protocol under load on two PostgreSQL servers: writers at every isolation level, two-phase commit,
movers, membership changes, preloads, resolvers, sleepers that wake with old epochs, and killed processes.
Exit code 0: no acknowledged write lost or doubled, never two owners. 1: a promise was broken. 2: it could not be tried.

  --seconds N   how long the load lasts (60)
  --seed N      of every random choice; printed (random)
  --writers N   writers at the same time (8)
  --break RULE  breaks one rule (${RULES.join(', ')}) in a copy of the compiled product: the run must then end with 1
  --until-broken  goes on until a promise is broken, at most four times as long; --break implies it
`;

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1, not ${text}`);
  return value;
}

/** Null when help was asked for and printed. Throws on anything it does not know. */
export function readOptions(argv: string[]): Options | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
      writers: { type: 'string', default: '8' },
      break: { type: 'string' },
      'until-broken': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  if (values.break !== undefined && !isRule(values.break)) throw new Error(`--break takes one of ${RULES.join(', ')}`);
  return {
    seconds: positive(values.seconds, 'seconds'),
    seed: positive(values.seed, 'seed'),
    writers: positive(values.writers, 'writers'),
    broken: values.break ?? null,
    untilBroken: values['until-broken'],
  };
}
