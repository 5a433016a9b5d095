import type { Pool } from 'pg';
import { parseDocuments, unpackRunbook } from '../runbooks/load';
import type { ResolvedRun } from '../runbooks/resolved';
import { resolveRun } from '../runbooks/windows';
import { getCutover, type CutoverRow } from '../systems/control/cutovers';
import { getDocument } from '../systems/control/documents';
import { cutoverIdOf } from '../workflows/names';
import { CliError, EXIT } from './exit';

export interface StoredRun {
  row: CutoverRow;
  resolved: ResolvedRun;
}

/**
 * A registered cutover (id or workflow id) with its documents as `control` keeps them; null when it is not registered.
 * Throws a CliError when they are missing or can no longer be read.
 */
export async function storedRun(control: Pool, id: string, nowMs: number): Promise<StoredRun | null> {
  const row = await getCutover(control, id.includes('/') ? cutoverIdOf(id) : id);
  if (!row) return null;
  const [runbook, plan] = await Promise.all([
    getDocument(control, row.runbookHash),
    getDocument(control, row.planHash),
  ]);
  if (!runbook || !plan)
    throw new CliError(
      EXIT.failed,
      `the documents of ${row.cutover} are not in the control database`,
      'start it again',
    );
  const packed = unpackRunbook(runbook.body);
  const files = { ...packed.files, plan: 'plan.yaml' };
  const docs = parseDocuments({ runbook: packed.runbook, conversion: packed.conversion, plan: plan.body, files });
  if (!docs.runbook || !docs.conversion || !docs.plan)
    throw new CliError(EXIT.failed, `the documents of ${row.cutover} cannot be read by this version`);
  const hashes = { runbookHash: row.runbookHash, planHash: row.planHash };
  const sound = { runbook: docs.runbook, conversion: docs.conversion, plan: docs.plan };
  return { row, resolved: resolveRun(sound, hashes, nowMs) };
}
