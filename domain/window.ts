/** A span in which disruptive work may run; epoch milliseconds, UTC. Half-open: [opensAt, closesAt). */
export interface Opening {
  opensAt: number;
  closesAt: number;
}

/** The opening `nowMs` lies in, or null. `openings` are ascending and do not overlap, here and below. */
export function openingAt(openings: readonly Opening[], nowMs: number): Opening | null {
  return openings.find((opening) => opening.opensAt <= nowMs && nowMs < opening.closesAt) ?? null;
}

/** The first opening that has not started yet, or null. */
export function nextOpening(openings: readonly Opening[], nowMs: number): Opening | null {
  return openings.find((opening) => opening.opensAt > nowMs) ?? null;
}

/** True when work that starts now and takes `neededMs` (going back included) ends before the opening does. */
export function fits(opening: Opening, nowMs: number, neededMs: number): boolean {
  return opening.opensAt <= nowMs && nowMs + neededMs <= opening.closesAt;
}

/** The first opening, the present one included, with `neededMs` left from now or from its start; null when there is none. */
export function nextFitting(openings: readonly Opening[], nowMs: number, neededMs: number): Opening | null {
  return openings.find((opening) => fits(opening, Math.max(nowMs, opening.opensAt), neededMs)) ?? null;
}

/** Sorted, with overlapping and touching spans joined and empty ones dropped. */
export function mergeOpenings(openings: readonly Opening[]): Opening[] {
  const merged: Opening[] = [];
  for (const opening of [...openings].sort((a, b) => a.opensAt - b.opensAt)) {
    if (opening.closesAt <= opening.opensAt) continue;
    const last = merged.at(-1);
    if (last && opening.opensAt <= last.closesAt) last.closesAt = Math.max(last.closesAt, opening.closesAt);
    else merged.push({ ...opening });
  }
  return merged;
}

/** What is left of `openings` outside `closed`. */
export function cutOut(openings: readonly Opening[], closed: readonly Opening[]): Opening[] {
  return mergeOpenings(closed).reduce<Opening[]>(
    (left, gap) =>
      left.flatMap((opening) => {
        if (gap.closesAt <= opening.opensAt || opening.closesAt <= gap.opensAt) return [opening];
        const before = { opensAt: opening.opensAt, closesAt: Math.min(opening.closesAt, gap.opensAt) };
        const after = { opensAt: Math.max(opening.opensAt, gap.closesAt), closesAt: opening.closesAt };
        return [before, after].filter((part) => part.opensAt < part.closesAt);
      }),
    mergeOpenings(openings),
  );
}
