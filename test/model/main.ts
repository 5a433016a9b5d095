import { explore, type Counterexample, type Options } from './explore';
import { RULES, type Rule } from './sql';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const RUNS: readonly Options[] = [
  { budget: { writes: 2, crashes: 1, sleeps: 1 }, beside: 'anybody' },
  { budget: { writes: 1, crashes: 1, sleeps: 0 }, beside: 'wave' },
  { budget: { writes: 0, crashes: 1, sleeps: 1 }, beside: 'wave' },
];

function show({ promise, steps }: Counterexample): void {
  say(`  ${promise}`);
  steps.forEach(({ wave, step: { who, what, side, outcome } }, at) =>
    say(`  ${at + 1}. wave ${wave}, ${who}: ${what}${side ? ` at the ${side}` : ''}${outcome ? ` → ${outcome}` : ''}`),
  );
}

/** Explores the model and each of its mutants. Exit code 1: a promise is broken, or a mutant is not caught. */
function main(): number {
  let wrong = 0;
  for (const options of RUNS) {
    const { writes, crashes, sleeps } = options.budget;
    const found = explore(options);
    const beside = options.beside === 'wave' ? 'two waves' : 'one wave beside any others';
    say(
      `${beside}, ${writes} writes, ${crashes} crash, ${sleeps} late attempt: ${found.states} states, ${found.transitions} transitions, ` +
        `${found.ends} ends, ${found.stuck} states without a way to an end`,
    );
    if (found.broken) show(found.broken);
    if (found.broken || found.stuck > 0) wrong++;
  }
  for (const rule of Object.keys(RULES) as Rule[]) {
    const found = explore({ budget: { writes: 1, crashes: 1, sleeps: 1 }, beside: 'anybody', broken: new Set([rule]) });
    say(`${rule} (${RULES[rule]}): ${found.broken ? 'caught' : 'NOT CAUGHT'}`);
    if (found.broken) show(found.broken);
    else wrong++;
  }
  return wrong > 0 ? 1 : 0;
}

process.exitCode = main();
