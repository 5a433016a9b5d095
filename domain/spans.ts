/** How much of [from, to) the spans cover together, in the unit they are given in. */
export function coveredBy(spans: readonly (readonly [start: number, end: number])[], from: number, to: number): number {
  const cut = spans
    .map(([start, end]) => [Math.max(from, start), Math.min(to, end)] as const)
    .filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0]);
  let covered = 0;
  let reached = from;
  for (const [start, end] of cut) {
    covered += Math.max(0, end - Math.max(reached, start));
    reached = Math.max(reached, end);
  }
  return covered;
}
