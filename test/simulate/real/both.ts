import { Stage } from '../../e2e/support/stage';
import { disagreements } from './agree';
import { decide, told } from './decisions';

/**
 * Plays the night of each seed in the simulator and on one real stack, and says how each ended. Returns 0 when all agree, 1 when
 * one does not, 130 when it was stopped.
 */
export async function playBoth(
  { from, seeds }: { from: number; seeds: number },
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<number> {
  const stage = await Stage.open('real-seeds');
  const failed: number[] = [];
  let played = 0;
  try {
    for (let seed = from; seed < from + seeds && !stop.aborted; seed++) {
      const startedAt = performance.now();
      const { ending, differ } = await disagreements(stage, seed);
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      const verdict = differ.length === 0 ? 'agree' : 'DISAGREE';
      say(`${++played} of ${seeds}: seed ${seed}: ${verdict}, ${ending} in ${seconds} s (${told(decide(seed))})`);
      for (const line of differ) say(`  ${line}`);
      if (differ.length > 0) failed.push(seed);
    }
  } finally {
    await stage.close();
  }
  for (const seed of failed) say(`again: npm run simulate -- --real 1 --from ${seed}`);
  if (failed.length > 0) return 1;
  if (stop.aborted) say(`stopped after ${played} of ${seeds} seeds`);
  else say(`the simulator and the real stack agree on ${played} seeds from ${from}`);
  return stop.aborted ? 130 : 0;
}
