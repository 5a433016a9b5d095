import { runMutant } from '../support/mutants';
import { MUTANTS, type Rule } from './mutants';
import { readOptions, type Options } from './options';
import { leastMoves, run, type Result } from './run';

const MOST_SHOWN = 20;
const ENDINGS = ['SIGINT', 'SIGTERM'] as const;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A run that tried too little proves nothing. */
function tooLittle({ counts, operations, probes }: Result, { seconds }: Options): string | null {
  const wanted = {
    moves: [counts['moved'] ?? 0, leastMoves(seconds)],
    writes: [operations.done, seconds * 5],
    probes: [probes, seconds],
  };
  for (const [name, [had, least]] of Object.entries(wanted))
    if ((had ?? 0) < (least ?? 0)) return `only ${had} ${name} in ${seconds} s: too few to prove anything`;
  return null;
}

function show(options: Options, result: Result): number {
  const { findings, counts, operations, probes } = result;
  say(`operations: ${JSON.stringify(operations)}, probes: ${probes}`);
  say(`events: ${JSON.stringify(counts)}`);
  for (const finding of findings.slice(0, MOST_SHOWN)) say(`BROKEN ${finding}`);
  if (findings.length > MOST_SHOWN) say(`BROKEN ${findings.length - MOST_SHOWN} more`);
  if (findings.length > 0) return 1;
  const little = tooLittle(result, options);
  if (little !== null) {
    say(little);
    return 2;
  }
  say(`held: ${operations.done} acknowledged writes, none lost or doubled, never two owners`);
  return 0;
}

/** Runs the same test in a copy of the product with one rule broken. Resolves to its exit code. */
function runBroken(rule: Rule, { seconds, seed, writers }: Options): Promise<number> {
  say(`rule ${rule} is broken in this run`);
  const args = ['--seconds', seconds, '--seed', seed, '--writers', writers, '--until-broken'].map(String);
  return runMutant(`rule-${rule}`, MUTANTS[rule], 'test/protocol/main.js', args);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return 0;
  if (options.broken) return runBroken(options.broken, options);
  say(`protocol: ${options.seconds} s, ${options.writers} writers, seed ${options.seed}`);
  const ending = new AbortController();
  for (const signal of ENDINGS) process.once(signal, () => ending.abort());
  return show(options, await run(options, ending.signal));
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${String((error as Error).stack)}\n`);
    process.exit(2);
  },
);
