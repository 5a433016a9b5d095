import type { Document } from 'yaml';
import { everyKind } from '../../e2e/support/every-kind';
import type { Script } from '../../e2e/support/people';
import { Prng } from '../prng';

export const CUSTOMERS = 4;

const MOMENTS = ['before', 'during', 'after'] as const;
const KILLED = ['startPreload', 'catchUp', 'holdIntake', 'freeze', 'convert', 'verify', 'switchWave', 'releaseIntake'];
const KILLED_ON_THE_WAY_BACK = ['listUndo', 'returnCustody', 'purgeCopy', 'verifyReturned'];

/** What waits for people, in its order; `only`: the runbook of every kind has it. Nobody is waited for while customers are frozen: that ends by the clock. */
const POINTS: readonly { id: string; only?: true; gate?: true; frozen?: true }[] = [
  { id: 'task', only: true },
  { id: 'checklist', only: true },
  { id: 'prepared', only: true, gate: true },
  { id: 'go-night', gate: true },
  { id: 'stop-jobs', only: true },
  { id: 'intake' },
  { id: 'freeze' },
  { id: 'final', gate: true, frozen: true },
  { id: 'switch', frozen: true },
  { id: 'open-doors', gate: true },
  { id: 'accept', gate: true },
];

/** A moment of an activity at which its worker dies, once. */
export interface Kill {
  activity: string;
  moment: (typeof MOMENTS)[number];
}

/** One night that both a real stack and the simulator can play. */
export interface Decisions {
  /** The runbook has every kind of step. */
  everyKind: boolean;
  /** Customers, counted from 1, who cannot be mapped and stay behind. */
  unmappable: number[];
  script: Script;
  kills: Kill[];
}

/** The night of a seed: how it goes, its runbook, who cannot be mapped, where workers die. */
export function decide(seed: number): Decisions {
  const prng = new Prng(seed);
  const script = scriptOf(prng);
  const at = script.noGo ?? script.rollbackAt ?? script.leave?.[0];
  const needsEveryKind = POINTS.some(({ id, only }) => id === at && only);
  const doomed = script.rollbackAt || script.noGo ? [...KILLED, ...KILLED_ON_THE_WAY_BACK] : KILLED;
  return {
    everyKind: prng.chance(0.6) || needsEveryKind,
    unmappable: [2, 3, 4].filter(() => prng.chance(0.15)),
    script,
    kills: prng.chance(0.35) ? [{ activity: prng.pick(doomed), moment: prng.pick([...MOMENTS]) }] : [],
  };
}

function scriptOf(prng: Prng): Script {
  const way = prng.pick(['live', 'noGo', 'absent', 'rollback', 'rollback']);
  switch (way) {
    case 'noGo':
      return { noGo: prng.pick(POINTS.filter(({ gate }) => gate)).id };
    case 'absent':
      return { leave: [prng.pick(POINTS.filter(({ frozen }) => !frozen)).id] };
    case 'rollback': {
      const { id } = prng.pick([...POINTS]);
      return { rollbackAt: id, leave: [id] };
    }
    default:
      return {};
  }
}

/** Changes the tiny runbook to what was decided. */
export function shape(runbook: Document, decisions: Decisions): void {
  if (decisions.everyKind) everyKind(runbook);
  runbook.setIn(['after', 0, 'steps', 0, 'atLeast'], 'PT0S');
  runbook.setIn(['success', 0, 'atLeast'], 0.2);
}

/** In words, for whoever reads the progress. */
export function told({ everyKind: every, unmappable, script, kills }: Decisions): string {
  const way = script.rollbackAt
    ? `back at ${script.rollbackAt}`
    : script.noGo
      ? `no-go at ${script.noGo}`
      : script.leave
        ? `nobody at ${script.leave[0]}`
        : 'live';
  return [
    way,
    ...(every ? ['every kind'] : []),
    ...(unmappable.length > 0 ? [`${unmappable.length} unmappable`] : []),
    ...kills.map(({ activity, moment }) => `killed ${moment} ${activity}`),
  ].join(', ');
}
