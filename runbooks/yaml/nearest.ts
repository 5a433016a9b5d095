/** The candidate a reader most likely meant, or undefined when none is close (at most a third of its letters differ). */
function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (!best || distance < best.distance) best = { candidate, distance };
  }
  if (!best) return undefined;
  return best.distance <= Math.max(1, Math.floor(Math.max(word.length, best.candidate.length) / 3))
    ? best.candidate
    : undefined;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours (Damerau, 1964). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = distance;
    }
  }
  return at(a.length, b.length);
}

/** `did you mean X?`-style ending for a remedy, or the list of what exists. */
export function suggest(word: string, candidates: Iterable<string>): string {
  const known = [...candidates];
  const guess = nearest(word, known);
  if (guess) return `write \`${guess}\``;
  if (known.length === 0) return 'none is declared yet: declare it first';
  if (known.length === 1) return `write \`${known[0]}\`, the only one there is`;
  return `write one of ${known
    .slice(0, 12)
    .map((item) => `\`${item}\``)
    .join(', ')}${known.length > 12 ? ', …' : ''}`;
}
