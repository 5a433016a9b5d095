import type { ResolvedRun } from '../../runbooks/resolved';
import type { Phase, Step } from '../../runbooks/schema/step';

type Change = (phase: Phase) => Phase;

const inPhase =
  (name: string, change: Change): ((run: ResolvedRun) => ResolvedRun) =>
  (run) => {
    const all = (phases: Phase[]): Phase[] => phases.map((phase) => (phase.phase === name ? change(phase) : phase));
    const { before, perWave, after } = run.runbook;
    return { ...run, runbook: { ...run.runbook, before: all(before), perWave: all(perWave), after: all(after) } };
  };

const withSteps = (phase: Phase, steps: Step[]): Phase => ({ ...phase, steps });
const added =
  (step: Step): Change =>
  (phase) =>
    withSteps(phase, [...phase.steps, step]);
const changed =
  (id: string, change: Partial<Step>): Change =>
  (phase) =>
    withSteps(
      phase,
      phase.steps.map((step) => ((step.id ?? step.kind) === id ? ({ ...step, ...change } as Step) : step)),
    );

/** What people may want to change in a running cutover, by the hash of the runbook it makes. */
const CHANGES: Record<string, (run: ResolvedRun) => ResolvedRun> = {
  'second-look': inPhase(
    'live',
    added({ id: 'second-look', kind: 'checklist', items: ['bill'], evidence: 'optional', owner: 'care' }),
  ),
  'other-words': inPhase('night', changed('announce', { text: 'it begins late' } as Partial<Step>)),
  'ops-freezes': inPhase('night', changed('freeze', { go: 'ops' })),
  'no-call': inPhase('night', (phase) =>
    withSteps(
      phase,
      phase.steps.filter((step) => step.id !== 'roll-call'),
    ),
  ),
  'vendor-votes': inPhase('live', (phase) =>
    phase.gate ? { ...phase, gate: { ...phase.gate, votes: [...phase.gate.votes, 'vendor'] } } : phase,
  ),
  letter: inPhase('close', added({ id: 'letter', kind: 'task', needs: [] })),
  briefing: (run) => ({
    ...run,
    runbook: {
      ...run.runbook,
      before: [...run.runbook.before, { phase: 'briefing', owner: 'ops', steps: [{ id: 'brief', kind: 'task' }] }],
    },
  }),
  /** What a run stands on: never adopted. */
  'other-target': (run) => ({ ...run, runbook: { ...run.runbook, pointOfNoReturn: 'closed' } }),
};

export const CHANGED = Object.keys(CHANGES);
/** Stands for documents that `cutover check` finds mistakes in. */
export const UNSOUND = 'unsound';

/** The documents of a simulated cutover by the hash of the runbook: as it starts, and amended. */
export function catalogue(run: ResolvedRun): ReadonlyMap<string, ResolvedRun> {
  const amended = Object.entries(CHANGES).map(
    ([hash, change]) => [hash, { ...change(run), runbookHash: hash }] as const,
  );
  return new Map([[run.runbookHash, run], ...amended]);
}
