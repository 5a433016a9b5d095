import type { Side } from '../../../domain/custody';
import type { RunView } from '../../../engine/view';
import type { Script } from '../../e2e/support/people';

/** What both must say of a night. */
export interface Outcome {
  /** `live`, `rolled-back`, `aborted`, or `waiting`. */
  ending: string;
  /** Whom it waits for and for what, as `status` says it; empty when it ended. */
  waitsFor: string[];
  /** Status of each step and gate, of the cutover and of its wave. */
  steps: string[];
  gates: string[];
  /** What happened at steps and gates in its order, apart for the cutover and its wave. */
  told: { cutover: string[]; wave: string[] };
  /** Who owns each customer, in their order. */
  owners: string[];
}

export interface Views {
  cutover: RunView | null;
  wave: RunView | null;
}

export interface Told {
  action: string;
  subject: string;
}

const TOLD: readonly string[] = [
  ...['step done', 'gate opened', 'gate passed', 'gate refused'],
  ...['frozen', 'switched', 'wave live', 'wave stopped', 'wave rolled back', 'ended'],
];

/** The step or gate at which the script leaves it stands, or a gate that was held waits for somebody to think again. */
export function standsStill({ cutover, wave }: Views, { leave = [], rollbackAt }: Script): boolean {
  return [cutover, wave].some((view) => {
    if (view === null || view.rollback !== null || view.outcome !== null) return false;
    const left = (id: string): boolean => leave.includes(id) && id !== rollbackAt;
    return (
      view.steps.some(({ id, status }) => left(id) && ['waiting-go', 'waiting-people'].includes(status)) ||
      view.gates.some(({ id, status }) => status === 'held' || (status === 'open' && left(id)))
    );
  });
}

/** The ledger, which is written a moment later, has what the views show of steps and gates. */
export function isTold({ cutover, wave }: Views, ledger: readonly Told[]): boolean {
  const has = (action: string, subject: string): boolean =>
    ledger.some((entry) => entry.action === action && entry.subject === subject);
  return [cutover, wave]
    .filter((view) => view !== null)
    .every(
      ({ steps, gates }) =>
        steps.every(({ id, status }) => status !== 'done' || has('step done', id)) &&
        gates.every(({ id, status }) => status === 'pending' || has('gate opened', id)) &&
        gates.every(({ id, status }) => status !== 'held' || has('gate refused', id)),
    );
}

export function outcomeOf(views: Views, ledger: readonly Told[], owners: string[]): Outcome {
  const both = [views.cutover, views.wave].filter((view) => view !== null);
  const ending = views.cutover?.outcome ?? 'waiting';
  const ofWave = new Set([
    'wave-1',
    ...(views.wave ? [...views.wave.steps, ...views.wave.gates].map(({ id }) => id) : []),
  ]);
  const told = ledger.filter(({ action }) => TOLD.includes(action));
  const say = ({ action, subject }: Told): string => `${action} ${subject}`;
  return {
    ending,
    waitsFor: ending === 'waiting' ? both.flatMap(({ waitsFor }) => waitsFor).sort() : [],
    steps: both.flatMap(({ steps }) => steps.map(({ id, status }) => `${id}: ${status}`)),
    gates: both.flatMap(({ gates }) => gates.map(({ id, status }) => `${id}: ${status}`)),
    told: {
      cutover: told.filter(({ subject }) => !ofWave.has(subject)).map(say),
      wave: told.filter(({ subject }) => ofWave.has(subject)).map(say),
    },
    owners,
  };
}

/** By the states of a customer's wave on both sides. */
export function ownerBy(states: Record<Side, string>): string {
  if (states.source !== 'sealed') return states.target === 'sealed' ? 'source' : 'both';
  return states.target === 'sealed' ? 'neither' : 'target';
}

/** Where two outcomes differ, one line each. */
export function differences(simulated: Outcome, real: Outcome): string[] {
  const keys = Object.keys(real) as (keyof Outcome)[];
  return keys.flatMap((key) => {
    const [one, other] = [JSON.stringify(simulated[key]), JSON.stringify(real[key])];
    return one === other ? [] : [`${key}: simulated ${one}\n  ${' '.repeat(key.length)}real      ${other}`];
  });
}
