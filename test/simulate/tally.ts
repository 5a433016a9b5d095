/** How often things happened, by `group/what`. */
export type Tally = Map<string, number>;

const GROUPS = {
  ending: 'endings',
  fault: 'faults',
  mischief: 'mischief',
  custody: 'custody',
  run: 'runs',
  work: 'work',
} as const;
type Group = keyof typeof GROUPS;

/** Notes that something really happened. */
export type Happened = (what: `${Group}/${string}`) => void;

export const countOf = (tally: Tally, what: string): number => tally.get(what) ?? 0;

export function add(tally: Tally, what: string, count = 1): void {
  tally.set(what, countOf(tally, what) + count);
}

export function addAll(tally: Tally, more: Iterable<[string, number]>): void {
  for (const [what, count] of more) add(tally, what, count);
}

/** One line for each group, the most frequent first. */
export function linesOf(tally: Tally): string[] {
  return Object.entries(GROUPS).map(([group, title]) => {
    const mine = [...tally].filter(([what]) => what.startsWith(`${group}/`)).sort(([, a], [, b]) => b - a);
    const counts = mine.map(([what, count]) => `${what.slice(group.length + 1)} ${count}`);
    return `${title}: ${counts.join(', ') || 'none'}`;
  });
}
