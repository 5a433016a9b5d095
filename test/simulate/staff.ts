import type { StepState } from '../../engine/state';
import type { MISCHIEF } from './mischief';
import { EVERYBODY } from './mischief';
import type { Prng } from './prng';
import { STARTER } from './runbook';
import type { Run } from './runs';

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
};
