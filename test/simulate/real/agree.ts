import type { Stage } from '../../e2e/support/stage';
import { decide } from './decisions';
import { documentsOf } from './documents';
import { differences, type Outcome } from './outcome';
import { playReal } from './real';
import { playSimulated } from './simulated';

const AT = Date.UTC(2026, 10, 27, 9);

/** What the simulator says of the night of the seed. */
export function simulated(seed: number): Promise<Outcome> {
  const decisions = decide(seed);
  return playSimulated(seed, decisions, documentsOf(decisions, AT), AT);
}

/** Plays the night of the seed in both; returns how it ended in the simulator and where they differ, no line when they agree. A night that fails in either is a difference. */
export async function disagreements(stage: Stage, seed: number): Promise<{ ending: string; differ: string[] }> {
  const one = await simulated(seed);
  try {
    return { ending: one.ending, differ: differences(one, await playReal(stage, seed, decide(seed))) };
  } catch (error) {
    return { ending: one.ending, differ: [said(error)] };
  }
}

/** An error with what caused it. */
function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${said(error.cause)}`;
}
