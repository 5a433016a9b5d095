import { Prng } from '../simulate/prng';
import { movesOf, type Budget, type Move, type Step } from './moves';
import { firstWave, type Wave } from './wave';

/** A path through the model: each step with the wave before and after it. */
export interface Walked {
  step: Step;
  before: Wave;
  after: Wave;
}

const BUDGET: Budget = { writes: 3, crashes: 1, sleeps: 1 };
const MOST_STEPS = 70;
const AROUND = { broken: new Set<never>(), passElsewhere: () => false };

/** A step as a kind of step: who does what where, and what it answers. */
export const kindOf = ({ step: { who, what, side, outcome } }: { step: Step }): string =>
  [who, what, side, outcome].filter(Boolean).join(' ');

/** The clock cannot be turned: a lease is ended by writing its row, which would refuse a snapshot that time alone does not refuse. */
const playable = ({ step }: Move, { writer }: Wave): boolean =>
  !(step.what === 'lapses' && writer.at === 'snapshot' && writer.side === step.side && !writer.stale);

/** A random path from a seed, until an end or long enough. */
function walk(prng: Prng): Walked[] {
  const left = { ...BUDGET };
  const walked: Walked[] = [];
  let wave = firstWave();
  while (walked.length < MOST_STEPS) {
    const may = movesOf(wave, AROUND).filter((move) => (!move.spends || left[move.spends] > 0) && playable(move, wave));
    const calls = may.filter((move) => move.step.who === 'mover' || move.step.who === 'zombie');
    const move = prng.pick(calls.length > 0 && prng.chance(0.55) ? calls : may);
    if (move.spends) left[move.spends]--;
    walked.push({ step: move.step, before: wave, after: move.wave });
    wave = move.wave;
    if ((wave.mover.next === 'live' || wave.mover.next === 'back') && !wave.zombie && prng.chance(0.5)) return walked;
  }
  return walked;
}

/** Of `candidates` random paths those that together have every kind of step any of them has, the richest first. */
export function sample(seed: number, candidates: number): Walked[][] {
  const prng = new Prng(seed);
  const paths = Array.from({ length: candidates }, () => {
    const path = walk(prng);
    return { path, kinds: new Set(path.map(kindOf)) };
  });
  const missing = new Set(paths.flatMap(({ kinds }) => [...kinds]));
  const chosen: Walked[][] = [];
  while (missing.size > 0) {
    const gains = paths.map(({ kinds }) => [...kinds].filter((kind) => missing.has(kind)).length);
    const best = paths[gains.indexOf(Math.max(...gains))]!;
    chosen.push(best.path);
    for (const kind of best.kinds) missing.delete(kind);
  }
  return chosen;
}
