import type { GuardianActivities, Orphan } from '../workflows/guardian';
import { rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import { listCutovers } from '../systems/control/cutovers';
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
        for (const wave of await listWaves(world.control, cutover.cutover)) {
          if (wave.wave === 0 || wave.custody === 'target') continue;
          if ((await listUndo(world.control, cutover.cutover, wave.wave)).length === 0) continue;
          const runs = [
            waveWorkflowId(cutover.workflowId, wave.wave),
            rollbackWorkflowId(cutover.workflowId, wave.wave),
          ];
          const open = await Promise.all(runs.map((run) => world.options.runs.isOpen(run)));
          if (open[1]) continue;
          orphans.push({
            cutover: cutover.cutover,
            cutoverWorkflowId: cutover.workflowId,
            wave: wave.wave,
            liveRun: open[0] ? (runs[0] ?? null) : null,
          });
        }
      }
      return orphans;
    },
  };
}
