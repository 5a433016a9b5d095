import { STEPS_OF_EVERY_KIND } from '../e2e/support/every-kind';
import type { POLICIES } from '../../workflows/policies';
import type { Random } from '../support/random';

export type Activity = keyof typeof POLICIES;
export type When = 'before' | 'during' | 'after';

/** Every effect of a night that goes live. */
export const FORWARD = [
  'loadRun',
  'openCutover',
  'startPreload',
  'preloadStream',
  'catchUp',
  'holdIntake',
  'drain',
  'freeze',
  'convert',
  'verify',
  'switchWave',
  'releaseIntake',
  'runAction',
  'notify',
  'recordUndo',
  'raiseEpoch',
  'readMeasures',
  'follow',
  'holdFreeze',
  'appendLedger',
  'saveView',
] as const satisfies Activity[];

/** Every effect of the way back after a switch. */
export const BACK = [
  'returnCustody',
  'thaw',
  'purgeCopy',
  'listUndo',
  'completeUndo',
  'verifyReturned',
  'closeCutover',
  'runAction',
  'releaseIntake',
] as const satisfies Activity[];

/** The effects of steps, as far as they have one. */
export const STEP_EFFECTS = STEPS_OF_EVERY_KIND.flatMap(({ activity }) => activity ?? []);

/** These run until they are stopped: there is no moment after them. */
const UNENDING: readonly string[] = ['follow', 'holdFreeze'];

/** `activity:when`, for each of them in the moments that it has. */
export const momentsOf = (activities: readonly string[], whens: readonly When[]): string[] =>
  activities.flatMap((activity) =>
    whens.filter((when) => when !== 'after' || !UNENDING.includes(activity)).map((when) => `${activity}:${when}`),
  );

/** Each once, in an order of chance, in groups of `size`: what happens in one night. */
export function inGroups<T>(random: Random, all: readonly T[], size: number): T[][] {
  const left = [...all];
  const shuffled = all.map(() => left.splice(random.below(left.length), 1)[0]!);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => shuffled.slice(at * size, (at + 1) * size));
}
