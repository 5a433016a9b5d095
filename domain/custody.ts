/** The two sides of a cutover. */
export const SIDES = ['source', 'target'] as const;
export type Side = (typeof SIDES)[number];

/** Which system is the system of record for a wave, as routing sees it (DESIGN §2). */
export const CUSTODIES = ['source', 'moving', 'target', 'retired'] as const;
export type Custody = (typeof CUSTODIES)[number];

/**
 * What one system's own wave row says: `open` accepts writes, `frozen` refuses them while the lease lasts,
 * `sealed` refuses them for good (the other system owns the wave, or will).
 */
export const WAVE_STATES = ['open', 'frozen', 'sealed'] as const;
export type WaveState = (typeof WAVE_STATES)[number];

/** Excluded customers belong to this wave: always open at the source, never moved. */
export const STAYS_WAVE = 0;

/** Both wave rows read together. */
export interface BothStates {
  source: WaveState;
  target: WaveState;
}

/** How a wave that is found in these two states must be brought to one owner (PROTOCOL 14, 15). */
export type Resolution =
  { kind: 'owned-by-source' } | { kind: 'owned-by-target' } | { kind: 'sealed-not-open' } | { kind: 'two-owners' };

/** Pure reading of both wave rows. `frozen` still counts as owning: only a seal gives a wave up. */
export function readCustody(states: BothStates): Resolution {
  const sourceOwns = states.source !== 'sealed';
  const targetOwns = states.target !== 'sealed';
  if (sourceOwns && targetOwns) return { kind: 'two-owners' };
  if (sourceOwns) return { kind: 'owned-by-source' };
  if (targetOwns) return { kind: 'owned-by-target' };
  return { kind: 'sealed-not-open' };
}
