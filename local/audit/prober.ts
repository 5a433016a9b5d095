import { parseArgs } from 'node:util';
import { z } from 'zod';
import { Prober } from './probing';

const config = z.strictObject({
  sourceUrl: z.url(),
  targetUrl: z.url(),
  gatewayUrl: z.url(),
  journalFile: z.string().min(1),
  customers: z.coerce.number().int().min(1).default(60),
  everyMs: z.coerce.number().int().min(1).default(50),
  seed: z.coerce.number().int().default(1),
});

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** Probes until SIGTERM, then prints the summary. Exit 1: a customer had two owners, or was not to be read. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      source: { type: 'string' },
      target: { type: 'string' },
      gateway: { type: 'string' },
      journal: { type: 'string' },
      customers: { type: 'string' },
      everyMs: { type: 'string' },
      seed: { type: 'string' },
      cutover: { type: 'string' },
    },
  });
  // The gateway serves one cutover, so its id is not needed; it is taken because every process of a night is told it.
  const { source, target, gateway, journal, cutover: _, ...rest } = values;
  const parsed = config.safeParse({
    sourceUrl: source ?? process.env['SOURCE_URL'],
    targetUrl: target ?? process.env['TARGET_URL'],
    gatewayUrl: gateway ?? process.env['GATEWAY_URL'],
    journalFile: journal,
    ...rest,
  });
  if (!parsed.success) throw new Error(`prober: ${z.prettifyError(parsed.error)}`);
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  process.once('SIGINT', () => stopping.abort());
  const prober = new Prober(parsed.data);
  print({ event: 'ready', journal: parsed.data.journalFile });
  const status = setInterval(() => {
    const { probes, violations, ownerless, unclear } = prober.summary();
    print({ event: 'status', probes, violations, ownerless, unclear });
  }, 1_000);
  try {
    const summary = await prober.run(stopping.signal);
    print({ event: 'summary', ...summary });
    process.exitCode = summary.ok ? 0 : 1;
  } finally {
    clearInterval(status);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
