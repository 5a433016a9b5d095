import { checkRunbook } from '../runbooks/check';
import { formatFinding, hasErrors, type Finding } from '../runbooks/finding';
import { loadPlan, loadRunbook, packRunbook, parseDocuments, type FileNames } from '../runbooks/load';
import type { Plan } from '../runbooks/schema/plan';
import type { Conversion } from '../runbooks/schema/conversion';
import type { Runbook } from '../runbooks/schema/runbook';
import { sha256 } from '../systems/control/canonical';
import { CliError, EXIT, usage } from './exit';

/** Documents read from files and checked. */
export interface CheckedFiles {
  findings: Finding[];
  runbook: Runbook | null;
  conversion: Conversion | null;
  plan: Plan | null;
  /** What `control` keeps, and the hashes a run is started with. */
  packed: string;
  planText: string | null;
  runbookHash: string;
  planHash: string | null;
}

/** Reads a runbook, its conversion and a plan. Throws a CliError (usage) when a file cannot be read. */
export async function checkFiles(file: string, planFile: string | undefined, nowMs: number): Promise<CheckedFiles> {
  const loaded = await readable(file, () => loadRunbook(file));
  const plan = planFile === undefined ? null : await readable(planFile, () => loadPlan(planFile));
  const files: FileNames = { ...loaded.files, ...(planFile === undefined ? {} : { plan: planFile }) };
  const docs = parseDocuments({
    runbook: loaded.runbookText,
    conversion: loaded.conversionText,
    files,
    ...(plan ? { plan: plan.planText } : {}),
  });
  const missingFile = loaded.findings.some((finding) => finding.code === 'missing-file');
  const packed = packRunbook(loaded.runbookText, loaded.conversionText, files);
  return {
    findings: missingFile ? loaded.findings : checkRunbook(docs, nowMs),
    runbook: docs.runbook,
    conversion: docs.conversion,
    plan: docs.plan,
    packed,
    planText: plan?.planText ?? null,
    runbookHash: sha256(packed),
    planHash: plan ? sha256(plan.planText) : null,
  };
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    throw usage(`${file} cannot be read (${code})`, 'give the path of a YAML file');
  }
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
