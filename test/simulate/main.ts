import { simulate, type Result } from './simulate';
import { MUTANTS, type Mutant } from './mutants';

const PROGRESS_EVERY = 1_000;

interface Arguments {
  seeds: number;
  from: number;
  seed: number | null;
  trace: boolean;
  mutant: Mutant | null;
}

function parse(argv: readonly string[]): Arguments {
  const value = (name: string): string | undefined => {
    const at = argv.indexOf(`--${name}`);
    return at < 0 ? undefined : argv[at + 1];
  };
  const mutant = value('mutant');
  if (mutant !== undefined && !(mutant in MUTANTS))
    throw new Error(`--mutant takes one of ${Object.keys(MUTANTS).join(', ')}`);
  return {
    seeds: Number(value('seeds') ?? 1_000),
    from: Number(value('from') ?? 1),
    seed: value('seed') === undefined ? null : Number(value('seed')),
    trace: argv.includes('--trace'),
    mutant: (mutant as Mutant | undefined) ?? null,
  };
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function show(result: Result): void {
  for (const line of result.trace) say(line);
  for (const { promise, text, at } of result.broken.slice(0, 5))
    say(`seed ${result.seed}: ${promise} at ${new Date(at).toISOString()}: ${text}`);
}

/** Plays seeds `from` to `from + seeds - 1`, or one with its trace. Exit code 1 when a promise broke. */
async function main(): Promise<number> {
  const { seeds, from, seed, trace, mutant } = parse(process.argv.slice(2));
  const options = { trace, ...(mutant ? { mutant } : {}) };
  if (seed !== null) {
    const result = await simulate(seed, options);
    show(result);
    say(
      `seed ${seed}: ${result.ending}, ${result.events} events, ${result.writes} writes, ${result.mischief.join(', ')}`,
    );
    return result.broken.length > 0 ? 1 : 0;
  }
  const endings = new Map<string, number>();
  let failed = 0;
  let events = 0;
  let writes = 0;
  const startedAt = process.hrtime.bigint();
  for (let next = from; next < from + seeds; next++) {
    const result = await simulate(next, options);
    endings.set(result.ending, (endings.get(result.ending) ?? 0) + 1);
    events += result.events;
    writes += result.writes;
    if (result.broken.length > 0) {
      failed++;
      show(result);
    }
    if ((next - from + 1) % PROGRESS_EVERY === 0)
      say(`${next - from + 1} of ${seeds} seeds, ${failed} broke a promise`);
  }
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const counts = [...endings].map(([ending, count]) => `${ending} ${count}`).join(', ');
  say(
    `${seeds} seeds from ${from} in ${seconds.toFixed(1)} s: ${counts}; ${events} events, ${writes} writes acknowledged`,
  );
  say(failed === 0 ? 'every promise held' : `${failed} seeds broke a promise; replay one with --seed N --trace`);
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 2;
  },
);
