import { existsSync } from 'node:fs';
import { markerFile } from '../../e2e/support/break-files';
import type { Random } from '../../support/random';
import { NotHappened, type Field } from '../field';
import { BACK, FORWARD, inGroups, momentsOf, STEP_EFFECTS, type When } from '../moments';
import type { Trial } from '../trial';

const IN_A_NIGHT = 7;
const TWICE_IN_A_NIGHT = 3;
const WHENS: readonly When[] = ['before', 'during', 'after'];

/** Worker processes killed before, during and after every effect, forward and back. */
export const kills = (random: Random): Trial[] => [
  ...inGroups(random, momentsOf(FORWARD, WHENS), IN_A_NIGHT).map((breakAt, at): Trial => ({
    name: `kill-forward-${at + 1}`,
    fault: 'worker killed',
    options: { breakAt },
    play: (field) => survive(field, 'live'),
  })),
  ...inGroups(random, momentsOf(BACK, WHENS), IN_A_NIGHT).map((breakAt, at): Trial => ({
    name: `kill-back-${at + 1}`,
    fault: 'worker killed',
    options: { breakAt, script: { rollbackAt: 'hypercare' } },
    play: (field) => survive(field, 'rolled-back'),
  })),
  {
    name: 'kill-short-forward',
    fault: 'worker killed',
    short: true,
    options: { breakAt: ['freeze:after', 'convert:during', 'switchWave:after'] },
    play: (field) => survive(field, 'live'),
  },
  {
    name: 'kill-short-back',
    fault: 'worker killed',
    short: true,
    options: { breakAt: ['returnCustody:during', 'purgeCopy:after'], script: { rollbackAt: 'hypercare' } },
    play: (field) => survive(field, 'rolled-back'),
  },
  ...inGroups(random, momentsOf(STEP_EFFECTS, [random.pick(WHENS)]), TWICE_IN_A_NIGHT).map((moments, at): Trial => ({
    name: `kill-twice-${at + 1}`,
    fault: 'worker killed twice in a row',
    options: { breakAt: moments.flatMap((moment) => [moment, moment]) },
    play: (field) => survive(field, 'live'),
  })),
  ...STEP_EFFECTS.map((activity) => killedOnTheWayBack(random, activity)),
];

async function survive(field: Field, ending: 'live' | 'rolled-back'): Promise<'live' | 'rolled-back'> {
  await field.finish();
  allBroke(field);
  return ending;
}

/** Every moment at which a worker was to die has come. */
export function allBroke(field: Field): void {
  const due = field.breakAt.map((moment, at) =>
    markerFile(field.breakDir, moment, field.breakAt.slice(0, at).filter((each) => each === moment).length),
  );
  const missing = due.filter((marker) => !existsSync(marker));
  if (missing.length > 0) throw new NotHappened(`no worker died at ${missing.join(', ')}`);
}

/** The worker dies inside a step, the lead asks for the way back, and the workers of the rollback die too. */
function killedOnTheWayBack(random: Random, activity: string): Trial {
  const first = `${activity}:during`;
  const later = momentsOf(['purgeCopy', 'completeUndo', 'verifyReturned'], [random.pick(WHENS)]);
  return {
    name: `kill-${activity}-then-its-rollback`,
    fault: 'worker killed in the rollback of a killed step',
    options: { breakAt: [first, ...later] },
    play: async (field) => {
      const died = (): boolean => existsSync(markerFile(field.breakDir, first));
      await field.play(died);
      if (!died()) throw new NotHappened(`no worker died at ${first}`);
      await field.askForRollback(1);
      await field.finish();
      allBroke(field);
      return 'rolled-back';
    },
  };
}
