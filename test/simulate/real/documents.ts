import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import type { ResolvedRun } from '../../../runbooks/resolved';
import { conversionSchema } from '../../../runbooks/schema/conversion';
import { planSchema } from '../../../runbooks/schema/plan';
import { runbookSchema } from '../../../runbooks/schema/runbook';
import { resolveRun } from '../../../runbooks/windows';
import { TINY } from '../../e2e/support/night';
import { shape, type Decisions } from './decisions';

/** The tiny runbook as it was decided, for a run that begins at `at`, epoch ms. */
export function documentsOf(decisions: Decisions, at: number): ResolvedRun {
  const read = (file: string): Document => parseDocument(readFileSync(join(TINY.folder, file), 'utf8'));
  const runbook = read('runbook.yaml');
  shape(runbook, decisions);
  const documents = {
    runbook: runbookSchema.parse(runbook.toJS()),
    plan: planSchema.parse(read('plan.yaml').toJS()),
    conversion: conversionSchema.parse(read('conversion.yaml').toJS()),
  };
  return resolveRun(documents, { runbookHash: 'r', planHash: 'p' }, at);
}
