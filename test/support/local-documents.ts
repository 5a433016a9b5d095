import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../../local/paths';
import { parseDocuments, type Documents } from '../../runbooks/load';

/** The three documents of a runbook folder as `cutover check` reads them; file names are those of the folder. */
export function readFolder(folder: string): Documents {
  const text = (name: string): string => readFileSync(join(projectDir(), folder, name), 'utf8');
  return parseDocuments({
    runbook: text('runbook.yaml'),
    conversion: text('conversion.yaml'),
    plan: text('plan.yaml'),
    files: { runbook: `${folder}/runbook.yaml`, conversion: `${folder}/conversion.yaml`, plan: `${folder}/plan.yaml` },
  });
}
