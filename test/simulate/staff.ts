import type { StepState } from '../../engine/state';
import { CHANGED, UNSOUND } from './amendments';
import { EVERYBODY, type MISCHIEF, type Stage } from './mischief';
import type { Prng } from './prng';
import { STARTER } from './runbook';
import type { Run, Runs } from './runs';

/** A step that waits for people if there is one, else any. */
function someStep(prng: Prng, run: Run): StepState {
  const steps = Object.values(run.context.state.steps);
  const open = steps.filter((step) => ['waiting-people', 'waiting-go'].includes(step.status));
  return prng.pick(open.length > 0 && prng.chance(0.8) ? open : steps);
}

/** Who does what, changed at a moment the seed picks; people who may not try as well. */
export const STAFF: typeof MISCHIEF = {
  takeUp: ({ prng, say }, run) => {
    const step = someStep(prng, run).id;
    for (const person of EVERYBODY) say(run, { kind: 'startTask', person, step });
  },
  block: ({ prng, say }, run) => {
    const step = someStep(prng, run).id;
    for (const person of EVERYBODY) say(run, { kind: 'blockTask', person, step, reason: 'it is stuck' });
  },
  reassign: ({ prng, say }, run) => {
    const step = someStep(prng, run).id;
    for (const to of EVERYBODY) say(run, { kind: 'reassign', person: STARTER, step, to });
  },
  reassignByAnybody: ({ prng, say }, run) => {
    const step = someStep(prng, run).id;
    say(run, { kind: 'reassign', person: prng.pick(EVERYBODY), step, to: prng.pick(EVERYBODY) });
  },
  amend: ({ prng, say, runs, later }) => {
    const runbook = prng.pick(CHANGED);
    for (const person of [STARTER, prng.pick(['olga', 'sven', 'cara'])])
      later(prng.int(0, 60_000), () => amend(runs, say, person, runbook));
  },
  amendAlone: ({ prng, say, runs }) => {
    const runbook = prng.pick(CHANGED);
    for (const person of ['vera', 'olga', 'vera', 'olga']) amend(runs, say, person, runbook);
  },
  amendBadly: ({ prng, say, runs }, run) => {
    for (const person of EVERYBODY) amend(runs, say, person, UNSOUND);
    say(run, { kind: 'amend', person: 'olga', runbook: prng.pick(CHANGED), plan: 'p' });
  },
};

function amend(runs: Runs, say: Stage['say'], person: string, runbook: string): void {
  if (runs.cutover) say(runs.cutover, { kind: 'amend', person, runbook, plan: 'p' });
}
