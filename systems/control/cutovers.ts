import type { Pool } from 'pg';
import { pendingUndo } from './undo';
import { inTransaction } from './transaction';

export interface CutoverRegistration {
  cutover: string;
  runbook: string;
  runbookHash: string;
  planHash: string;
  startedBy: string;
  workflowId: string;
}

export interface CutoverRow extends CutoverRegistration {
  startedAt: Date;
  /** Null while it runs. */
  outcome: string | null;
  closedAt: Date | null;
}

const COLUMNS = `cutover, runbook, runbook_hash as "runbookHash", plan_hash as "planHash", started_by as "startedBy",
  workflow_id as "workflowId", started_at as "startedAt", outcome, closed_at as "closedAt"`;

/**
 * Registers a run. Doing it twice changes nothing; `refused` when the id is taken by a run of another runbook or plan.
 */
export async function registerCutover(
  pool: Pool,
  run: CutoverRegistration,
): Promise<{ outcome: 'registered' } | { outcome: 'refused'; reason: string }> {
  await pool.query(
    `insert into control.cutover (cutover, runbook, runbook_hash, plan_hash, started_by, workflow_id)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [run.cutover, run.runbook, run.runbookHash, run.planHash, run.startedBy, run.workflowId],
  );
  const found = await getCutover(pool, run.cutover);
  if (found?.runbookHash === run.runbookHash && found.planHash === run.planHash) return { outcome: 'registered' };
  return {
    outcome: 'refused',
    reason: `cutover ${run.cutover} is registered with another runbook or plan (${found?.runbookHash.slice(0, 12)}, ${found?.planHash.slice(0, 12)}); choose another id`,
  };
}

/** Why no run of this id may be started, and what to do; null when one may. */
export async function whyNotStart(pool: Pool, cutover: string): Promise<{ reason: string; remedy: string } | null> {
  const before = await getCutover(pool, cutover);
  if (!before) return null;
  if (before.outcome) return { reason: `cutover ${cutover} has ended: ${before.outcome}`, remedy: 'choose another id' };
  if ((await pendingUndo(pool, cutover)) === 0) return null;
  return {
    reason: `cutover ${cutover} was started before, and what it did stands: it runs, or the guardian is bringing it back`,
    remedy: `look at it: cutover status ${cutover}; start it when it is back, or choose another id`,
  };
}

/** Writes how the run ended. The first outcome stays when it is called again. */
export async function closeCutover(pool: Pool, cutover: string, outcome: string): Promise<void> {
  await pool.query(
    'update control.cutover set outcome = $2, closed_at = clock_timestamp() where cutover = $1 and outcome is null',
    [cutover, outcome],
  );
}

export async function getCutover(pool: Pool, cutover: string): Promise<CutoverRow | null> {
  const { rows } = await pool.query<CutoverRow>(`select ${COLUMNS} from control.cutover where cutover = $1`, [cutover]);
  return rows[0] ?? null;
}

/** All runs, newest first. */
export async function listCutovers(pool: Pool): Promise<CutoverRow[]> {
  const { rows } = await pool.query<CutoverRow>(
    `select ${COLUMNS} from control.cutover order by started_at desc, cutover`,
  );
  return rows;
}

/**
 * The documents a running cutover goes by from now on. `number` orders its amendments: an attempt that comes after a later one,
 * or a second time, changes nothing.
 */
export async function amendCutover(
  pool: Pool,
  amendment: { cutover: string; number: number; runbookHash: string; planHash: string },
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { cutover, number, runbookHash, planHash } = amendment;
    await client.query('select from control.cutover where cutover = $1 for update', [cutover]);
    await client.query(
      'insert into control.amendment (cutover, number, runbook_hash, plan_hash) values ($1, $2, $3, $4) on conflict do nothing',
      [cutover, number, runbookHash, planHash],
    );
    await client.query(
      `update control.cutover set runbook_hash = $3, plan_hash = $4
       where cutover = $1 and $2 = (select max(number) from control.amendment where cutover = $1)`,
      [cutover, number, runbookHash, planHash],
    );
  });
}
