import type { Pool } from 'pg';
import { listCutovers, type CutoverRow } from '../../systems/control/cutovers';
import { listUndo } from '../../systems/control/undo';
import { rollbackWorkflowId, waveWorkflowId } from '../../workflows/names';
import type { TemporalClient } from '../connect';
import { whyFailed } from '../workflow-tasks';
import { bad, looked, ok, type Diagnosis } from './finding';

/** Open runs, waves that no run looks after, and undo rows that were left behind. */
export async function lookAtRuns(control: Pool, temporal: TemporalClient): Promise<Diagnosis[]> {
  const cutovers = await listCutovers(control);
  const open = cutovers.filter((row) => row.outcome === null);
  const looks = open.map((row) =>
    looked(`cutover ${row.cutover}`, 'see the message', () => lookAtRun(row, control, temporal)),
  );
  const found = (await Promise.all(looks)).flat();
  return open.length === 0 ? [ok('runs', 'no cutover is under way')] : found;
}

async function lookAtRun(row: CutoverRow, control: Pool, temporal: TemporalClient): Promise<Diagnosis[]> {
  const what = `cutover ${row.cutover}`;
  const main = await runStatus(temporal, row.workflowId);
  const waves = await openWaves(control, row.cutover);
  const orphans: Diagnosis[] = [];
  for (const wave of waves) {
    const runs = await Promise.all(
      [waveWorkflowId(row.workflowId, wave.wave), rollbackWorkflowId(row.workflowId, wave.wave)].map((id) =>
        runStatus(temporal, id),
      ),
    );
    if (main === 'RUNNING' || runs.includes('RUNNING')) continue;
    if (wave.custody === 'target')
      orphans.push(
        bad(
          `${what}, wave ${wave.wave}`,
          'lives in the target, and the run of its cutover has ended: the guardian leaves it to a person',
          `its customers work there; to bring them back, start its rollback by hand as docs/operating.md says, unless the point of no return has passed`,
        ),
      );
    else if (wave.undo === 0 && wave.custody === 'source' && wave.intake === 'open')
      orphans.push(
        ok(`${what}, wave ${wave.wave}`, 'back at the source; its copy is kept for a new run of this cutover'),
      );
    else
      orphans.push(
        bad(
          `${what}, wave ${wave.wave}`,
          `custody ${wave.custody}, intake ${wave.intake}, ${wave.undo} effects not undone, and no run that lives: its customers stay between two systems`,
          'the guardian rolls it back within a minute while a worker runs; if not, look at its schedule',
        ),
      );
  }
  if (main === 'RUNNING') return [ok(what, `runs as ${row.workflowId}`), ...orphans];
  const why = main === 'FAILED' ? await whyFailed(temporal, row.workflowId) : null;
  const said =
    main === null
      ? 'is registered, but its run was never started: nothing of it happens'
      : `its run has ended (${main}) without an outcome: nobody carries it on${why === null ? '' : `; it failed: ${why}`}`;
  const remedy =
    main === null
      ? 'start it again with the same documents'
      : 'once its waves are back, start it again with the same documents and id: it goes on from what was copied';
  return [bad(what, said, remedy), ...orphans];
}

interface OpenWave {
  wave: number;
  custody: string;
  intake: string;
  /** Not undone, a kept copy apart. */
  undo: number;
  kept: boolean;
}

/** Waves that were touched and are not at peace: something to undo or kept, moving, or with a held intake. */
async function openWaves(control: Pool, cutover: string): Promise<OpenWave[]> {
  const { rows } = await control.query<Omit<OpenWave, 'undo' | 'kept'>>(
    'select wave, custody, intake from control.wave where cutover = $1 and wave > 0 order by wave',
    [cutover],
  );
  const counted = rows.map(async (row) => {
    const effects = await listUndo(control, cutover, row.wave);
    const kept = effects.filter((effect) => effect.kept).length;
    return { ...row, undo: effects.length - kept, kept: kept > 0 };
  });
  return (await Promise.all(counted)).filter(
    (wave) => wave.undo > 0 || wave.kept || wave.custody === 'moving' || wave.intake === 'held',
  );
}

async function runStatus({ client }: TemporalClient, workflowId: string): Promise<string | null> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}
