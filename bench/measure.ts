/** One line of the table: what was measured, beside what, and what it must not exceed or fall below. */
export interface Line {
  scenario: string;
  what: string;
  /** What was measured and what it is measured against, in words with their figures. */
  figures: string;
  /** The figure the bar is about, with its unit; null: not measured here, `figures` says why. */
  value: number | null;
  bar: { atMost: number } | { atLeast: number } | null;
  unit: 'x' | 'ms' | 'MB' | '%' | 'rows' | 'runs';
  /** Lowest and highest of the rounds. */
  spread?: [number, number];
}

export const holds = ({ value, bar }: Line): boolean | null => {
  if (value === null || bar === null) return null;
  return 'atMost' in bar ? value <= bar.atMost : value >= bar.atLeast;
};

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) throw new Error('nothing was measured');
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const spreadOf = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];

/** Milliseconds `work` took, and what it returned. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = process.hrtime.bigint();
  const result = await work();
  return { ms: Number(process.hrtime.bigint() - start) / 1e6, result };
}

/** `1.23 s` or `456 ms`, of the median. */
export const seconds = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`);

/** Two things measured in turns; ratios are taken round by round, so that what slows the machine slows both. */
export interface Rounds {
  ours: number[];
  bare: number[];
}

/** The median of ours ÷ bare, round by round, with the lowest and the highest. */
export function ratioOf({ ours, bare }: Rounds): { value: number; spread: [number, number] } {
  const ratios = ours.map((ms, round) => ms / bare[round]!);
  return { value: median(ratios), spread: spreadOf(ratios) };
}
