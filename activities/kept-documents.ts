import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { checkDocuments } from '../runbooks/check-files';
import { formatFinding, hasErrors } from '../runbooks/finding';
import { putDocument } from '../systems/control/documents';
import type { World } from './world';

const HASH = /^[0-9a-f]{64}$/;

/**
 * The hashes of the documents a run was started with. Documents given as paths are read below the worker's folder, checked as
 * `cutover start` checks them, and kept in `control`; their texts, which hold people's names, never reach a history. Throws with
 * what is wrong: who starts a run by hand may have given anything.
 */
export async function keptDocuments(
  world: World,
  given: { runbook: unknown; plan: unknown },
): Promise<{ runbookHash: string; planHash: string }> {
  const { runbook, plan } = given;
  if (typeof runbook !== 'string' || typeof plan !== 'string')
    throw new Error(
      'a run is started with {"runbook", "plan", "startedBy"}: two files in the workers’ folder of documents, or the hashes of two documents in control, and a person of the plan; `cutover start` does it',
    );
  if (HASH.test(runbook)) return { runbookHash: runbook, planHash: plan };
  const dir = world.options.documentsDir;
  if (dir === null)
    throw new Error(
      `no hash: ${JSON.stringify(runbook.slice(0, 80))}; to start runs by the paths of their documents, set CUTOVER_DOCUMENTS to their folder for every worker, or use \`cutover start\``,
    );
  const [runbookFile, planFile] = await Promise.all([below(dir, runbook), below(dir, plan)]);
  const checked = await checkDocuments(runbookFile, planFile, Date.now());
  await below(dir, relative(dir, checked.files.conversion));
  const findings = checked.findings.map((finding) => formatFinding({ ...finding, file: relative(dir, finding.file) }));
  if (hasErrors(checked.findings) || checked.planText === null)
    throw new Error(`the documents are not sound:\n${findings.join('\n')}`);
  return {
    runbookHash: await putDocument(world.control, 'runbook', checked.packed),
    planHash: await putDocument(world.control, 'plan', checked.planText),
  };
}

/** The file of that name, links resolved. Throws when there is none, or when it lies outside. */
async function below(dir: string, name: string): Promise<string> {
  const shown = JSON.stringify(name.slice(0, 200));
  const [folder, file] = await Promise.all([realpath(dir), realpath(join(dir, name))]).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`no file ${shown} in the folder of documents of this worker (${code ?? 'unreadable'})`);
  });
  if (!file.startsWith(`${folder}${sep}`))
    throw new Error(`${shown} lies outside the folder of documents of this worker`);
  return join(dir, name);
}
