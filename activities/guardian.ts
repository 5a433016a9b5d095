import type { GuardianActivities, LostWave, Orphan } from '../workflows/guardian';
import { rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import { STAYS_WAVE } from '../domain/custody';
import { listCutovers, type CutoverRow } from '../systems/control/cutovers';
import { append } from '../systems/control/ledger';
import { keptForNobody, listUndo } from '../systems/control/undo';
import { listWaves } from '../systems/control/routing';
import type { World } from './world';

/** Finds what dead runs left behind. A wave that lives in the target with its cutover dead is for a person: ledger and `doctor` say so. */
export function guardianActivities(world: World): GuardianActivities {
  return {
    findOrphans: async () => {
      const orphans: Orphan[] = [];
      for (const cutover of await listCutovers(world.control)) {
        if (cutover.outcome !== null || (await world.options.runs.isOpen(cutover.workflowId))) continue;
        orphans.push(...(await orphansOf(world, cutover)));
      }
      for (const { cutover, workflowId, wave } of await keptForNobody(world.control))
        if (!(await world.options.runs.isOpen(rollbackWorkflowId(workflowId, wave))))
          orphans.push({ cutover, cutoverWorkflowId: workflowId, wave, liveRun: null, keepCopy: false });
      return orphans;
    },
    findLostWaves: async () => {
      const lost: LostWave[] = [];
      for (const { cutover, workflowId, outcome } of await listCutovers(world.control)) {
        if (outcome !== null || !(await world.options.runs.isOpen(workflowId))) continue;
        for (const { wave } of await listWaves(world.control, cutover)) {
          const run = waveWorkflowId(workflowId, wave);
          if (wave === STAYS_WAVE || !(await world.options.runs.hasDied(run))) continue;
          const endedAt = await world.options.runs.closedAt(run);
          // Null: it has begun anew meanwhile.
          if (endedAt !== null) lost.push({ cutoverWorkflowId: workflowId, wave, endedAt: endedAt.getTime() });
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
    const left = (await listUndo(world.control, cutover, wave)).filter(({ kept }) => !kept);
    const back = custody === 'source' && left.length === 0;
    const run = waveWorkflowId(workflowId, wave);
    const [runs, rollsBack] = await areOpen(world, run, rollbackWorkflowId(workflowId, wave));
    wavesAreBack &&= back && !runs && !rollsBack;
    if (custody === 'target' && !runs && !rollsBack) await leaveToPerson(world, cutover, workflowId, wave);
    if (rollsBack || custody === 'target' || (back && !runs)) continue;
    orphans.push({ cutover, cutoverWorkflowId: workflowId, wave, liveRun: runs ? run : null, keepCopy: true });
  }
  if (!wavesAreBack || (await listUndo(world.control, cutover, null)).length === 0) return orphans;
  const [rollsBack] = await areOpen(world, rollbackWorkflowId(workflowId, null));
  return rollsBack ? [] : [{ cutover, cutoverWorkflowId: workflowId, wave: null, liveRun: null, keepCopy: true }];
}

/** Once for each end of the cutover's run, however often the guardian looks. */
async function leaveToPerson(world: World, cutover: string, workflowId: string, wave: number): Promise<void> {
  const endedAt = await world.options.runs.closedAt(workflowId);
  if (endedAt === null) return;
  const entry = { at: endedAt.getTime(), actor: 'system', action: 'left to a person', subject: `wave-${wave}` };
  await append(world.control, cutover, [
    { ...entry, detail: { why: 'the wave lives in the target and the run of its cutover has ended' } },
  ]);
}

const areOpen = (world: World, ...runs: string[]): Promise<boolean[]> =>
  Promise.all(runs.map((run) => world.options.runs.isOpen(run)));
