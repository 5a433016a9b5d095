import type { Pool } from 'pg';
import { getCutover, type CutoverRow } from '../systems/control/cutovers';
import { cutoverIdOf, WORKFLOWS } from '../workflows/names';
import type { TemporalClient } from './connect';
import { usage } from './exit';

export interface FoundCutover {
  cutover: string;
  workflowId: string;
  /** Null when `control` was not asked or does not know it. */
  row: CutoverRow | null;
}

const MANY = 1_000;

/**
 * The run an id means: `night-1`, or the whole workflow id. Asked of `control` first; without it, of Temporal's own
 * list. Throws a CliError (usage) when nobody knows it.
 */
export async function findCutover(
  id: string,
  control: Pool | null,
  temporal: TemporalClient | null,
): Promise<FoundCutover> {
  const whole = id.split('/');
  const cutover = whole.length > 1 ? cutoverIdOf(id) : id;
  const row = control ? await getCutover(control, cutover) : null;
  if (row) return { cutover, workflowId: row.workflowId, row };
  if (whole.length >= 3) return { cutover, workflowId: whole.slice(0, 3).join('/'), row: null };
  const known = temporal ? await listedWorkflowIds(temporal) : [];
  const workflowId = known.find((candidate) => cutoverIdOf(candidate) === cutover);
  if (workflowId) return { cutover, workflowId, row: null };
  throw usage(`no cutover ${JSON.stringify(id)} is known`, 'list those there are: cutover list');
}

/** Workflow ids of cutovers Temporal still keeps, newest first. */
async function listedWorkflowIds({ client }: TemporalClient): Promise<string[]> {
  const ids: string[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowType = '${WORKFLOWS.cutover}'` })) {
    ids.push(run.workflowId);
    if (ids.length >= MANY) break;
  }
  return ids;
}
