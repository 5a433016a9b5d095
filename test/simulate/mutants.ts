import type { ResolvedRun } from '../../runbooks/resolved';
import type { Bodies } from './activities';
import type { Attempt } from './world/attempt';
import type { WorldRule } from './world/world';

interface MutantParts {
  /** Rules of the world that are switched off. */
  world?: WorldRule[];
  /** Wraps activities. */
  activities?: (bodies: Bodies) => Bodies;
  /** What the engine reads instead of the documents; the checks read the true ones. */
  documents?: (run: ResolvedRun) => ResolvedRun;
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

/** An attempt that does not know its key from the one before it. */
function keyOfItsOwn(bodies: Bodies): Bodies {
  let tries = 0;
  return {
    ...bodies,
    runAction: (attempt, { ref, direction }) =>
      bodies.runAction(attempt, { ref: { ...ref, occurrence: ref.occurrence + tries++ }, direction }),
  };
}

const HOUR_MS = 3_600_000;

const openLonger = (run: ResolvedRun): ResolvedRun => ({
  ...run,
  windows: Object.fromEntries(
    Object.entries(run.windows).map(([id, openings]) => [
      id,
      openings.map(({ opensAt, closesAt }) => ({ opensAt: opensAt - 2 * HOUR_MS, closesAt })),
    ]),
  ),
});

const oneVoteLess = (run: ResolvedRun): ResolvedRun => ({
  ...run,
  runbook: {
    ...run.runbook,
    perWave: run.runbook.perWave.map((phase) =>
      phase.gate ? { ...phase, gate: { ...phase.gate, votes: phase.gate.votes.slice(1), ownVotes: 1 } } : phase,
    ),
  },
});

export type Mutant =
  | 'no-fence'
  | 'open-without-fence'
  | 'freeze-waits-for-nobody'
  | 'epoch-for-every-attempt'
  | 'late-attempts-project'
  | 'lease-ignored-in-seal'
  | 'lapsed-lease-renewed'
  | 'lease-outlives-runs'
  | 'unapplied-ignored-in-seal'
  | 'chunk-written-twice'
  | 'kept-position-forgotten'
  | 'born-not-carried-back'
  | 'request-key-ignored'
  | 'requests-overtake'
  | 'held-requests-forgotten'
  | 'action-key-of-its-own'
  | 'undo-order-reversed'
  | 'effect-before-undo-row'
  | 'ledger-forgets'
  | 'starter-may-vote'
  | 'one-vote-less'
  | 'window-open-longer';

/** The product with one of its rules broken: a number of seeds must notice each. */
export const MUTANTS: Record<Mutant, MutantParts> = {
  'no-fence': { world: ['fence'], breaks: ['BACK', 'OWNER', 'CONTENT'] },
  'open-without-fence': { world: ['open-fence'], breaks: ['OWNER'] },
  'freeze-waits-for-nobody': { world: ['wave-lock'], breaks: ['STILL'] },
  'epoch-for-every-attempt': { world: ['epoch-key'], breaks: ['LIVE', 'BACK'] },
  'late-attempts-project': { world: ['late-projection'], breaks: ['LIVE', 'WORK'] },
  'lease-ignored-in-seal': { world: ['lease-in-seal'], breaks: ['STILL'] },
  'lapsed-lease-renewed': { world: ['lease-revival'], breaks: ['STILL'] },
  'lease-outlives-runs': { world: ['lease-runs'], breaks: ['LIVE'] },
  // The seal's count is the last of several lines: it is needed when a writer's transaction outlived the freeze.
  'unapplied-ignored-in-seal': { world: ['unapplied-in-seal', 'wave-lock'], breaks: ['CONTENT'] },
  'chunk-written-twice': { world: ['chunk-fence'], breaks: ['CONTENT', 'LIVE', 'BACK'] },
  'kept-position-forgotten': { world: ['kept-position'], breaks: ['CONTENT', 'LIVE'] },
  'born-not-carried-back': { world: ['born-carried-back'], breaks: ['CONSERVE'] },
  'request-key-ignored': { world: ['request-key'], breaks: ['ONCE'] },
  'requests-overtake': { world: ['held-order'], breaks: ['WORK'] },
  'held-requests-forgotten': { world: ['held-replay'], breaks: ['WORK'] },
  'action-key-of-its-own': { activities: keyOfItsOwn, breaks: ['ONCE'] },
  'undo-order-reversed': {
    activities: (bodies) => ({
      ...bodies,
      listUndo: async (attempt, input) => (await bodies.listUndo(attempt, input)).reverse(),
    }),
    breaks: ['BACK', 'LIVE'],
  },
  'effect-before-undo-row': { activities: effectBeforeUndoRow, breaks: ['BACK', 'LIVE'] },
  'ledger-forgets': {
    activities: (bodies) => ({
      ...bodies,
      appendLedger: (attempt, { cutover, entries }) =>
        bodies.appendLedger(attempt, { cutover, entries: entries.slice(0, 2) }),
    }),
    breaks: ['AUDIT'],
  },
  'starter-may-vote': { starter: 'nobody', breaks: ['GATE'] },
  'one-vote-less': { documents: oneVoteLess, breaks: ['GATE'] },
  'window-open-longer': { documents: openLonger, breaks: ['HOURS'] },
};
