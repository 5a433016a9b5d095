import { parseArgs } from 'node:util';
import { z } from 'zod';
import { takeBaseline } from './snapshot';

const config = z.strictObject({ source: z.url(), out: z.string().min(1) });

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { source: { type: 'string' }, out: { type: 'string' } } });
  const parsed = config.safeParse({ source: process.env['SOURCE_URL'], ...values });
  if (!parsed.success) throw new Error(`baseline: ${z.prettifyError(parsed.error)}`);
  const totals = await takeBaseline(parsed.data.source, parsed.data.out);
  process.stdout.write(`${JSON.stringify({ event: 'baseline', file: parsed.data.out, ...totals })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
