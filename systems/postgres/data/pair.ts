import type { Pool } from 'pg';

/** The two databases of a cutover. */
export interface Pair {
  source: Pool;
  target: Pool;
}

/** A range of customers of one entity, both ends included, as text; null has no end on that side. */
export interface CustomerRange {
  lo: string | null;
  hi: string | null;
}

export const EVERYONE: CustomerRange = { lo: null, hi: null };
