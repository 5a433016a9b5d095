import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkRunbook } from '../../../runbooks/check';
import { formatFinding } from '../../../runbooks/finding';
import { parseDocuments } from '../../../runbooks/load';

const ROOT = path.join(__dirname, '../../../runbooks');
const shipped = readdirSync(ROOT).filter((name) => existsSync(path.join(ROOT, name, 'runbook.yaml')));

describe('the runbooks in the tree', () => {
  it('include the billing conversion', () => {
    expect(shipped).toContain('billing-oss');
  });

  it.each(shipped)('%s has no finding', async (name) => {
    const read = (file: string): Promise<string> => readFile(path.join(ROOT, name, file), 'utf8');
    const files = { runbook: 'runbook.yaml', conversion: 'conversion.yaml', plan: 'plan.yaml' };
    const [runbook, conversion, plan] = await Promise.all([
      read(files.runbook),
      read(files.conversion),
      read(files.plan),
    ]);
    const findings = checkRunbook(
      parseDocuments({ runbook, conversion, plan, files }),
      Date.parse('2026-11-22T12:00:00Z'),
    );
    expect(findings.map(formatFinding)).toEqual([]);
  });
});
