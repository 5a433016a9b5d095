import { parseArgs } from 'node:util';
import { z } from 'zod';
import { audit } from './auditor';

const config = z.strictObject({
  sourceUrl: z.url(),
  targetUrl: z.url(),
  controlUrl: z.url(),
  baselineFile: z.string().min(1),
  journalFiles: z.array(z.string().min(1)).min(1),
  expect: z.enum(['live', 'rolled-back']),
  cutover: z.string().optional(),
});

/** Prints the report as one JSON document. Exit 0: nothing found; 1: findings; 2: the audit itself failed. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      source: { type: 'string' },
      target: { type: 'string' },
      control: { type: 'string' },
      baseline: { type: 'string' },
      journal: { type: 'string', multiple: true },
      expect: { type: 'string' },
      cutover: { type: 'string' },
    },
  });
  const parsed = config.safeParse({
    sourceUrl: values.source ?? process.env['SOURCE_URL'],
    targetUrl: values.target ?? process.env['TARGET_URL'],
    controlUrl: values.control ?? process.env['CONTROL_URL'],
    baselineFile: values.baseline,
    journalFiles: values.journal,
    expect: values.expect,
    cutover: values.cutover,
  });
  if (!parsed.success) throw new Error(`audit: ${z.prettifyError(parsed.error)}`);
  const report = await audit(parsed.data);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.ok ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
