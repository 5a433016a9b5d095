import type { Side } from '../../domain/custody';
import { holdsFence } from './calls';
import { movesOf, type Budget, type Move, type Scarce, type Step } from './moves';
import type { Rule } from './sql';
import { firstWave, keyOf, type Wave } from './wave';

export interface Options {
  broken?: ReadonlySet<Rule>;
  budget: Budget;
  /**
   * What the first wave shares the systems with: another wave of the same kind, or anybody who may hold either pass lock at any moment. All
   * that a wave feels of another is whose pass it is, so the second stands for any number of waves, whatever they do.
   */
  beside: 'wave' | 'anybody';
}

export interface Counterexample {
  promise: string;
  /** The shortest there is. */
  steps: { wave: number; step: Step }[];
}

export interface Exploration {
  states: number;
  transitions: number;
  /** Different states of one wave. */
  waves: number;
  /** States in which both waves are at an end. */
  ends: number;
  broken: Counterexample | null;
  /** States from which no end can be reached, LIVE. */
  stuck: number;
}

/** A move of one wave with the wave's number instead of the wave. */
interface Edge {
  step: Step;
  to: number;
  spends: Scarce | null;
  broke: string | null;
}

const MOST_WAVES = 1 << 20;
const LEVELS = { writes: 8, crashes: 2, sleeps: 2 };

/** One of the two whose steps are interleaved; its states are numbers. */
interface Part {
  first: number;
  edgesOf(number: number, elsewhere: Side | null): Edge[];
  /** The side it holds the pass lock of. */
  passOf(number: number): Side | null;
  isEnd(number: number): boolean;
}

const PASSES = [null, 'target', 'source'] as const;

/** Takes a free pass lock, or gives it back. */
const ANYBODY: Part = {
  first: 0,
  edgesOf: (number, elsewhere) =>
    PASSES.flatMap((side, to) => {
      if ((number === 0) === (to === 0) || (side !== null && side === elsewhere)) return [];
      const step: Step = {
        who: 'other',
        what: to === 0 ? 'ends its pass' : 'begins a pass',
        outcome: '',
        ...(side ? { side } : {}),
      };
      return [{ step, to, spends: null, broke: null }];
    }),
  passOf: (number) => PASSES[number] ?? null,
  isEnd: (number) => number === 0,
};

/** Waves by number; each wave's moves are computed once for what is around it. */
class Waves implements Part {
  private readonly numbers = new Map<string, number>();
  readonly all: Wave[] = [];
  private readonly edges = new Map<number, Edge[]>();

  readonly first: number;

  constructor(private readonly broken: ReadonlySet<Rule>) {
    this.first = this.number(firstWave());
  }

  number(wave: Wave): number {
    const key = keyOf(wave);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.all.length);
    return this.all.push(wave) - 1;
  }

  passOf(number: number): Side | null {
    const wave = this.all[number]!;
    if (holdsFence(wave, 'target')) return 'target';
    return holdsFence(wave, 'source') ? 'source' : null;
  }

  edgesOf(number: number, elsewhere: Side | null): Edge[] {
    const around = PASSES.indexOf(elsewhere);
    const key = number * PASSES.length + around;
    const known = this.edges.get(key);
    if (known) return known;
    const moves = movesOf(this.all[number]!, { broken: this.broken, passElsewhere: (side) => side === elsewhere });
    const edges = moves.map((move: Move) => ({
      step: move.step,
      to: this.number(move.wave),
      spends: move.spends ?? null,
      broke: move.broke,
    }));
    this.edges.set(key, edges);
    return edges;
  }

  isEnd(number: number): boolean {
    const { next } = this.all[number]!.mover;
    return next === 'live' || next === 'back';
  }
}

const pack = ({ writes, crashes, sleeps }: Budget): number =>
  (writes * LEVELS.crashes + crashes) * LEVELS.sleeps + sleeps;
const unpack = (packed: number): Budget => ({
  writes: Math.floor(packed / (LEVELS.crashes * LEVELS.sleeps)),
  crashes: Math.floor(packed / LEVELS.sleeps) % LEVELS.crashes,
  sleeps: packed % LEVELS.sleeps,
});
const PACKED = LEVELS.writes * LEVELS.crashes * LEVELS.sleeps;

/**
 * Every interleaving of two waves' movers, leases, writers and late attempts, breadth first. Stops at the first broken promise: the trace
 * to it is as short as can be.
 */
export function explore({ broken = new Set<Rule>(), budget, beside }: Options): Exploration {
  const waves = new Waves(broken);
  const parts: readonly [Part, Part] = [waves, beside === 'wave' ? waves : ANYBODY];
  const index = new Map<number, number>();
  const keys: number[] = [];
  const parents: number[] = [];
  const steps: { wave: number; step: Step }[] = [];
  const from: number[] = [];
  const to: number[] = [];
  let transitions = 0;
  const reach = (key: number, parent: number, wave: number, step: Step | null): void => {
    let at = index.get(key);
    if (at === undefined) {
      at = keys.push(key) - 1;
      index.set(key, at);
      parents.push(parent);
      if (step) steps[at] = { wave, step };
    }
    if (parent === at) return;
    from.push(parent);
    to.push(at);
  };
  const traceTo = (at: number): Counterexample['steps'] => {
    const trace: Counterexample['steps'] = [];
    for (let each = at; each > 0; each = parents[each]!) trace.unshift(steps[each]!);
    return trace;
  };
  reach((parts[0].first * MOST_WAVES + parts[1].first) * PACKED + pack(budget), -1, 0, null);
  from.pop();
  to.pop();
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    const left = unpack(key % PACKED);
    const pair = Math.floor(key / PACKED);
    const both = [Math.floor(pair / MOST_WAVES), pair % MOST_WAVES] as const;
    for (const wave of [0, 1] as const) {
      const others = both[1 - wave]!;
      for (const edge of parts[wave].edgesOf(both[wave], parts[1 - wave]!.passOf(others))) {
        if (edge.spends !== null && left[edge.spends] === 0) continue;
        transitions++;
        if (edge.broke !== null) {
          const trace = [...traceTo(at), { wave: wave + 1, step: edge.step }];
          return {
            states: keys.length,
            transitions,
            waves: waves.all.length,
            ends: 0,
            broken: { promise: edge.broke, steps: trace },
            stuck: 0,
          };
        }
        const rest = edge.spends ? { ...left, [edge.spends]: left[edge.spends] - 1 } : left;
        const next = wave === 0 ? edge.to * MOST_WAVES + others : others * MOST_WAVES + edge.to;
        reach(next * PACKED + pack(rest), at, wave + 1, edge.step);
      }
    }
  }
  const isEnd = (key: number): boolean => {
    const pair = Math.floor(key / PACKED);
    return parts[0].isEnd(Math.floor(pair / MOST_WAVES)) && parts[1].isEnd(pair % MOST_WAVES);
  };
  const ends = keys.map(isEnd);
  return {
    states: keys.length,
    transitions,
    waves: waves.all.length,
    ends: ends.filter(Boolean).length,
    broken: null,
    stuck: keys.length - reaching(ends, from, to),
  };
}

/** How many states an end can be reached from: backwards from the ends. */
function reaching(ends: readonly boolean[], from: readonly number[], to: readonly number[]): number {
  const starts = new Int32Array(ends.length + 1);
  for (const at of to) starts[at + 1]!++;
  for (let at = 0; at < ends.length; at++) starts[at + 1]! += starts[at]!;
  const fill = starts.slice();
  const backwards = new Int32Array(from.length);
  to.forEach((at, edge) => (backwards[fill[at]!++] = from[edge]!));
  const seen = Uint8Array.from(ends, Number);
  const queue = ends.flatMap((end, at) => (end ? [at] : []));
  for (let head = 0; head < queue.length; head++) {
    const at = queue[head]!;
    for (let edge = starts[at]!; edge < starts[at + 1]!; edge++) {
      const before = backwards[edge]!;
      if (seen[before]) continue;
      seen[before] = 1;
      queue.push(before);
    }
  }
  return queue.length;
}
