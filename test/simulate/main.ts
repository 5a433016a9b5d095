import { MISCHIEF } from './mischief';
import { STAFF } from './staff';
import { MUTANTS, type Mutant } from './mutants';
import { readOptions, type Options } from './options';
import type { Broken } from './promises/broken';
import { playSeeds, type Played } from './seeds';
import { playBoth } from './real/both';
import { simulate } from './simulate';
import { addAll, countOf, linesOf, type Tally } from './tally';

const PROGRESS_EVERY = 1_000;
const MOST_SHOWN = 20;
/** A run of so many seeds in which something of this never happened has tried too little. */
const ENOUGH_SEEDS = 1_000;
const MUST_HAPPEN: readonly string[] = [
  ...['live', 'rolled-back', 'aborted', 'waiting', 'terminated'].map((ending) => `ending/${ending}`),
  ...[
    'no answer',
    'refused for good',
    'reply lost',
    'died',
    'fell asleep',
    'woke late',
    'slow',
    'stale epoch refused',
  ].map((fault) => `fault/${fault}`),
  ...Object.keys({ ...MISCHIEF, ...STAFF }).map((name) => `mischief/${name}`),
  ...[
    'frozen',
    'sealed',
    'unsealed',
    'carried back',
    'seal refused',
    'lease lapsed',
    'copy purged',
    'freeze blocked',
  ].map((what) => `custody/${what}`),
  ...['amended', 'continued as new', 'terminated', 'rollback', 'rollback by the guardian'].map((what) => `run/${what}`),
  ...['told', 'request held', 'held request replayed', 'forward reply lost', 'forward refused by the guard'].map(
    (what) => `work/${what}`,
  ),
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function show(seed: number, broken: readonly Broken[]): void {
  for (const { promise, text, at } of broken.slice(0, 5))
    say(`seed ${seed}: ${promise} at ${new Date(at).toISOString()}: ${text}`);
}

async function playOne(seed: number, { trace, mutant }: Options): Promise<number> {
  const result = await simulate(seed, { trace, ...(mutant ? { mutant } : {}) });
  for (const line of result.trace) say(line);
  show(seed, result.broken);
  say(
    `seed ${seed}: ${result.ending}, ${result.events} events, ${result.writes} writes, ${result.mischief.join(', ')}`,
  );
  return result.broken.length > 0 ? 1 : 0;
}

async function playMany(options: Options, stop: AbortSignal): Promise<number> {
  const tally: Tally = new Map();
  const total = { seeds: 0, failed: 0, events: 0, writes: 0 };
  const startedAt = performance.now();
  const cpuAt = process.cpuUsage();
  await playSeeds(options, { ...options, stop }, ({ seed, broken, events, writes, happened }) => {
    total.seeds++;
    total.events += events;
    total.writes += writes;
    addAll(tally, happened);
    if (broken.length > 0 && ++total.failed <= MOST_SHOWN) show(seed, broken);
    if (total.seeds % PROGRESS_EVERY === 0)
      say(`${total.seeds} of ${options.seeds} seeds, ${total.failed} broke a promise`);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuAt);
  if (stop.aborted) say(`stopped after ${total.seeds} of ${options.seeds} seeds; so far:`);
  for (const line of linesOf(tally)) say(line);
  say(
    `${total.seeds} seeds from ${options.from} in ${seconds.toFixed(1)} s (${(total.seeds / seconds).toFixed(0)} a second, ` +
      `${options.threads} threads, ${((user + system) / 1e6).toFixed(0)} s of processor time): ${total.events} events, ${total.writes} writes acknowledged`,
  );
  if (total.failed > 0) {
    say(`${total.failed} seeds broke a promise; replay one with --seed N --trace`);
    return 1;
  }
  if (stop.aborted) return 130;
  const never = MUST_HAPPEN.filter((what) => countOf(tally, what) === 0);
  if (total.seeds >= ENOUGH_SEEDS && options.mutant === null && never.length > 0) {
    say(`too little was tried: never ${never.join(', ')}`);
    return 2;
  }
  say('every promise held');
  return 0;
}

/** The first seed that sees the mutant break one of the promises it must break; null when none does. */
async function caughtAt(mutant: Mutant, options: Options, stop: AbortSignal): Promise<Played | null> {
  let caught: Played | null = null;
  const found = new AbortController();
  const either = AbortSignal.any([stop, found.signal]);
  await playSeeds(options, { ...options, mutant, stop: either }, (played) => {
    if (!played.broken.some(({ promise }) => MUTANTS[mutant].breaks.includes(promise))) return;
    if (caught === null || played.seed < caught.seed) caught = played;
    found.abort();
  });
  return caught;
}

async function playMutants(options: Options, stop: AbortSignal): Promise<number> {
  let missed = 0;
  for (const mutant of Object.keys(MUTANTS) as Mutant[]) {
    const caught = await caughtAt(mutant, options, stop);
    if (stop.aborted) return 130;
    if (!caught) missed++;
    const first = caught?.broken.find(({ promise }) => MUTANTS[mutant].breaks.includes(promise));
    say(`${mutant}: ${caught ? `seed ${caught.seed}: ${first?.promise}: ${first?.text}` : 'NOT CAUGHT'}`);
  }
  say(missed === 0 ? 'every mutant was caught' : `${missed} mutants were not caught in ${options.seeds} seeds`);
  return missed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return 0;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  if (options.real !== null) return playBoth({ from: options.from, seeds: options.real }, ending.signal, say);
  if (options.seed !== null) return playOne(options.seed, options);
  return options.mutants ? playMutants(options, ending.signal) : playMany(options, ending.signal);
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
