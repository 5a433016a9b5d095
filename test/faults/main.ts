import { catalogue } from './catalogue';
import { Ground } from './ground';
import { runMutant } from '../support/mutants';
import { MUTANTS } from './mutants';
import { readOptions, type Options } from './options';
import { PROMISES } from './promises';
import { attempt, type Result } from './run';
import { table } from './table';
import type { Trial } from './trial';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const MOST_SHOWN = 10;
const MINUTE_MS = 60_000;

const isBroken = ({ judgement }: Result): boolean => Object.values(judgement).some((findings) => findings.length > 0);

function chosen({ seed, only, short }: Options): Trial[] {
  return catalogue(seed)
    .filter((trial) => !short || trial.short === true)
    .filter(({ name }) => only.length === 0 || only.some((prefix) => name.startsWith(prefix)));
}

/** What is wrong, and how to see it again. */
function report(result: Result, seed: number): void {
  const { trial, judgement, unproven } = result;
  for (const promise of PROMISES)
    for (const finding of (judgement[promise] ?? []).slice(0, MOST_SHOWN)) say(`  BROKEN ${promise}: ${finding}`);
  if (unproven !== null) say(`  ERROR: ${unproven}`);
  say(`  again: npm run faults -- --only ${trial.name} --seed ${seed}`);
}

/** What all stacks share. */
interface Nights {
  left: Trial[];
  /** Proved nothing when they were played: they are played once more, after all others. */
  again: Set<Trial>;
  results: Result[];
}

/** Plays what is left, night after night on one ground, until there is nothing left or it is told to stop. */
async function work(name: string, nights: Nights, options: Options, stop: AbortSignal): Promise<void> {
  const { left, again, results } = nights;
  if (left.length === 0) return;
  const ground = await Ground.open(name);
  const stopped = aborted(stop);
  try {
    for (let trial = left.shift(); trial && !stop.aborted; trial = left.shift()) {
      const result = await Promise.race([attempt(ground, trial, options.seed), stopped]);
      if (result === null) break;
      const verdict = result.unproven !== null ? 'ERROR' : isBroken(result) ? 'BROKEN' : 'held';
      const once = verdict === 'ERROR' && !again.has(trial);
      if (once) {
        again.add(trial);
        left.push(trial);
      } else results.push(result);
      say(
        `${verdict} ${trial.name}: ${result.ending ?? 'no end'} in ${result.seconds.toFixed(0)} s (${left.length} to play)${once ? '; it is played once more' : ''}`,
      );
      if (verdict !== 'held') report(result, options.seed);
    }
  } finally {
    await ground.close();
  }
}

const aborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), Object.keys(MUTANTS));
  if (!options) return 0;
  const mutant = options.mutant === null ? undefined : MUTANTS[options.mutant];
  if (options.mutant !== null && mutant) {
    say(`${options.mutant}: ${mutant.promise} is broken in this run, in ${mutant.file}`);
    return runMutant(options.mutant, mutant, mutant.program, mutant.args);
  }
  const trials = chosen(options);
  if (trials.length === 0) throw new Error('no trial has such a name; --list says all');
  if (options.list) for (const { name, fault } of trials) say(`${name}  (${fault})`);
  if (options.list) return 0;
  say(
    `faults: ${trials.length} nights, ${options.stacks} at a time, at most ${options.minutes} minutes, seed ${options.seed}`,
  );
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  // What a night that was cut short still asks of servers that are gone fails, some of it in timers of the client.
  process.on('uncaughtException', (error) => {
    if (stop.signal.aborted) return;
    process.stderr.write(`${error.stack ?? error.message}\n`);
    process.exit(2);
  });
  const clock = setTimeout(() => stop.abort(), options.minutes * MINUTE_MS);
  const nights: Nights = { left: [...trials], again: new Set(), results: [] };
  const { results } = nights;
  const stacks = Array.from({ length: Math.min(options.stacks, trials.length) }, (_, n) =>
    work(`stack-${n + 1}`, nights, options, stop.signal),
  );
  const ends = await Promise.allSettled(stacks);
  clearTimeout(clock);
  say(table(results));
  for (const end of ends) if (end.status === 'rejected') say(`ERROR: a stack failed: ${String(end.reason)}`);
  return verdict(trials, results, options.seed);
}

function verdict(trials: readonly Trial[], results: readonly Result[], seed: number): number {
  const broken = results.filter(isBroken).length;
  const unproven = results.filter((result) => result.unproven !== null).length;
  const untried = trials.length - results.length;
  say(`seed ${seed}: ${results.length} nights, ${broken} broken, ${unproven} errors, ${untried} not tried`);
  if (broken > 0) return 1;
  return unproven + untried > 0 ? 2 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
