import type { Bodies } from './activities';
import type { Attempt } from './world/attempt';
import type { WorldRule } from './world/world';

interface MutantParts {
  /** Rules of the world that are switched off. */
  world?: WorldRule[];
  /** Wraps activities. */
  activities?: (bodies: Bodies) => Bodies;
  /** Whom the engine takes for the starter. */
  starter?: string;
  /** Promises of which one must be seen broken. */
  breaks: string[];
}

const UNDO_FIRST: (keyof Bodies)[] = ['runAction', 'startPreload', 'holdIntake', 'freeze', 'switchWave'];

/** Effects first, their undo rows after: what is wrong with that shows when something happens in between. */
function effectBeforeUndoRow(bodies: Bodies): Bodies {
  const owed = new Map<string, (attempt: Attempt) => Promise<void>>();
  const swapped: Bodies = {
    ...bodies,
    recordUndo: async (attempt, input) => {
      await attempt.tick(20);
      owed.set(`${input.ref.wave}/${input.ref.step}`, (later) => bodies.recordUndo(later, input));
    },
  };
  for (const name of UNDO_FIRST) {
    const body = bodies[name] as (attempt: Attempt, input: { ref: { wave: number; step: string } }) => Promise<unknown>;
    Object.assign(swapped, {
      [name]: async (attempt: Attempt, input: { ref: { wave: number; step: string } }) => {
        const result = await body(attempt, input);
        const key = `${input.ref.wave}/${input.ref.step}`;
        const late = owed.get(key);
        owed.delete(key);
        await late?.(attempt);
        return result;
      },
    });
  }
  return swapped;
}

export type Mutant =
  | 'no-fence'
  | 'lease-ignored-in-seal'
  | 'unapplied-ignored-in-seal'
  | 'chunk-written-twice'
  | 'undo-order-reversed'
  | 'starter-may-vote'
  | 'effect-before-undo-row';

/** The product with one of its rules broken: a number of seeds must notice each. */
export const MUTANTS: Record<Mutant, MutantParts> = {
  'no-fence': { world: ['fence'], breaks: ['BACK', 'OWNER', 'CONTENT'] },
  'lease-ignored-in-seal': { world: ['lease-in-seal'], breaks: ['STILL'] },
  'unapplied-ignored-in-seal': { world: ['unapplied-in-seal'], breaks: ['CONTENT'] },
  'chunk-written-twice': { world: ['chunk-fence'], breaks: ['CONTENT', 'LIVE', 'BACK'] },
  'undo-order-reversed': {
    activities: (bodies) => ({
      ...bodies,
      listUndo: async (attempt, input) => (await bodies.listUndo(attempt, input)).reverse(),
    }),
    breaks: ['BACK', 'LIVE'],
  },
  'starter-may-vote': { starter: 'nobody', breaks: ['GATE'] },
  'effect-before-undo-row': { activities: effectBeforeUndoRow, breaks: ['BACK', 'LIVE'] },
};
