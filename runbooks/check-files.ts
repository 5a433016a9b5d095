import { checkRunbook } from './check';
import type { Finding } from './finding';
import { loadPlan, loadRunbook, packRunbook, parseDocuments, type FileNames } from './load';
import type { Conversion } from './schema/conversion';
import type { Plan } from './schema/plan';
import type { Runbook } from './schema/runbook';

/** Documents read from files and checked. */
export interface CheckedDocuments {
  findings: Finding[];
  runbook: Runbook | null;
  conversion: Conversion | null;
  plan: Plan | null;
  files: FileNames;
  /** What `control` keeps. */
  packed: string;
  planText: string | null;
}

/** `code` is the file system's, such as ENOENT. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile';
  constructor(
    readonly file: string,
    readonly code: string,
  ) {
    super(`${file} cannot be read (${code})`);
  }
}

/**
 * Reads a runbook, its conversion and a plan, and checks them as every door to a run does. Throws UnreadableFile when the
 * runbook or the plan cannot be read; a conversion that cannot is a finding.
 */
export async function checkDocuments(
  file: string,
  planFile: string | undefined,
  nowMs: number,
): Promise<CheckedDocuments> {
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
  return {
    findings: missingFile ? loaded.findings : checkRunbook(docs, nowMs),
    runbook: docs.runbook,
    conversion: docs.conversion,
    plan: docs.plan,
    files,
    packed: packRunbook(loaded.runbookText, loaded.conversionText, files),
    planText: plan?.planText ?? null,
  };
}

async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UnreadableFile(file, code);
  }
}
