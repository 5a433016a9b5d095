import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios';

export interface Options {
  customers: number;
  rounds: number;
  only: string[];
  /** The document whose table is replaced; null: none. */
  save: string | null;
}

const help = (): string => `Usage: npm run bench -- [--customers N] [--rounds N] [--only NAME]... [--save FILE]

Measures the product beside the bare work it cannot do without, in turns, in one run and on the same data, and compares
ratios. Everything runs on loopback, in a folder of its own that is removed at the end.
Exit code 0: every bar was met. 1: one was missed. 2: it could not be measured.

  --customers N  how many customers the larger size has; the smaller has a tenth (1000000)
  --rounds N     rounds of each comparison (3)
  --only NAME    only this scenario; may be given more than once
  --save FILE    puts the table between the marks of this document, such as docs/bench.md

Scenarios:
${Object.entries(SCENARIOS)
  .map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`)
  .join('\n')}
`;

function whole(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${name} takes a whole number from ${least}, not ${text}`);
  return value;
}

/** Null when help was asked for and printed. Throws on anything it does not know. */
export function readOptions(argv: string[]): Options | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      customers: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', multiple: true, default: Object.keys(SCENARIOS) },
      save: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help());
    return null;
  }
  for (const name of values.only)
    if (!(name in SCENARIOS)) throw new Error(`--only takes one of ${Object.keys(SCENARIOS).join(', ')}, not ${name}`);
  return {
    customers: whole(values.customers, 'customers', 1_000),
    rounds: whole(values.rounds, 'rounds', 1),
    only: values.only,
    save: values.save ?? null,
  };
}
