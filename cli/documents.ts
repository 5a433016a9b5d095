import { checkDocuments, UnreadableFile, type CheckedDocuments } from '../runbooks/check-files';
import { formatFinding, hasErrors } from '../runbooks/finding';
import type { Plan } from '../runbooks/schema/plan';
import type { Conversion } from '../runbooks/schema/conversion';
import type { Runbook } from '../runbooks/schema/runbook';
import { sha256 } from '../systems/control/canonical';
import { CliError, EXIT, usage } from './exit';

/** Documents read from files and checked, with the hashes a run is started with. */
export interface CheckedFiles extends CheckedDocuments {
  runbookHash: string;
  planHash: string | null;
}

/** Reads a runbook, its conversion and a plan. Throws a CliError (usage) when a file cannot be read. */
export async function checkFiles(file: string, planFile: string | undefined, nowMs: number): Promise<CheckedFiles> {
  const checked = await checkDocuments(file, planFile, nowMs).catch((error: unknown) => {
    throw error instanceof UnreadableFile ? usage(error.message, 'give the path of a YAML file') : error;
  });
  return {
    ...checked,
    runbookHash: sha256(checked.packed),
    planHash: checked.planText === null ? null : sha256(checked.planText),
  };
}

export interface SoundDocuments {
  runbook: Runbook;
  conversion: Conversion;
  plan: Plan;
}

/** The documents, when nothing is wrong with them. Throws a CliError (findings) that lists every mistake otherwise. */
export function soundDocuments({ findings, runbook, conversion, plan }: CheckedFiles): SoundDocuments {
  if (hasErrors(findings) || !runbook || !conversion || !plan)
    throw new CliError(EXIT.failed, findings.map(formatFinding).join('\n'), 'mend what is listed, then try again');
  return { runbook, conversion, plan };
}
