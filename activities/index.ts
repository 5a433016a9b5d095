import type { Activities } from '../engine/contract';
import type { GuardianActivities } from '../workflows/guardian';
import { actionActivities } from './actions';
import { mapped } from './attempt';
import { bulkActivities } from './bulk';
import { checkActivities } from './checks';
import { copyActivities } from './copies';
import { custodyActivities } from './custody';
import { guardianActivities } from './guardian';
import { runActivities } from './runs';
import { workActivities } from './work';
import type { World } from './world';

/** Every activity of the engine's contract, and the guardian's, over the real systems. */
export function createActivities(world: World): Activities & GuardianActivities {
  return mapped({
    ...runActivities(world),
    ...actionActivities(world),
    ...bulkActivities(world),
    ...workActivities(world),
    ...custodyActivities(world),
    ...copyActivities(world),
    ...checkActivities(world),
    ...guardianActivities(world),
  });
}
