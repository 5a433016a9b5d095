import type { GuardianActivities, LostWave, Orphan } from '../workflows/guardian';
import { rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import { STAYS_WAVE } from '../domain/custody';
import { listCutovers, type CutoverRow } from '../systems/control/cutovers';
import { listUndo } from '../systems/control/undo';
import { listWaves } from '../systems/control/routing';
import type { World } from './world';

/** Finds what dead runs left behind. A wave that lives in the target with its cutover dead is for a person: `doctor` lists it. */
export function guardianActivities(world: World): GuardianActivities {
  return {
    findOrphans: async () => {
      const orphans: Orphan[] = [];
      for (const cutover of await listCutovers(world.control)) {
        if (cutover.outcome !== null || (await world.options.runs.isOpen(cutover.workflowId))) continue;
        orphans.push(...(await orphansOf(world, cutover)));
      }
      return orphans;
    },
    findLostWaves: async () => {
      const lost: LostWave[] = [];
      for (const { cutover, workflowId, outcome } of await listCutovers(world.control)) {
        if (outcome !== null || !(await world.options.runs.isOpen(workflowId))) continue;
        for (const { wave } of await listWaves(world.control, cutover)) {
          if (wave !== STAYS_WAVE && (await world.options.runs.hasDied(waveWorkflowId(workflowId, wave))))
            lost.push({ cutoverWorkflowId: workflowId, wave });
        }
      }
      return lost;
    },
  };
}

/** The waves first: the cutover's own steps came before them, and are undone after them. */
async function orphansOf(world: World, { cutover, workflowId }: CutoverRow): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  let wavesAreBack = true;
  for (const { wave, custody } of await listWaves(world.control, cutover)) {
    if (wave === STAYS_WAVE) continue;
    const back = custody === 'source' && (await listUndo(world.control, cutover, wave)).length === 0;
    const run = waveWorkflowId(workflowId, wave);
    const [runs, rollsBack] = await areOpen(world, run, rollbackWorkflowId(workflowId, wave));
    wavesAreBack &&= back && !runs && !rollsBack;
    if (rollsBack || custody === 'target' || (back && !runs)) continue;
    orphans.push({ cutover, cutoverWorkflowId: workflowId, wave, liveRun: runs ? run : null });
  }
  if (!wavesAreBack || (await listUndo(world.control, cutover, null)).length === 0) return orphans;
  const [rollsBack] = await areOpen(world, rollbackWorkflowId(workflowId, null));
  return rollsBack ? [] : [{ cutover, cutoverWorkflowId: workflowId, wave: null, liveRun: null }];
}

const areOpen = (world: World, ...runs: string[]): Promise<boolean[]> =>
  Promise.all(runs.map((run) => world.options.runs.isOpen(run)));
