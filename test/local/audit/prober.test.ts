import { once } from 'node:events';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Prober, type ProberSummary } from '../../../local/audit/probing';
import { OwnerlessSpans } from '../../../local/audit/spans';
import { Company, runAt } from './company';

const EVERY_MS = 5;

/** Probes while `meanwhile` runs. `seen` resolves once the summary fulfils a condition. */
async function probing(
  company: Company,
  meanwhile: (seen: (condition: (summary: ProberSummary) => boolean) => Promise<void>) => Promise<void>,
): Promise<ProberSummary> {
  const { source, target } = company.urls;
  const prober = new Prober({
    sourceUrl: source,
    targetUrl: target,
    gatewayUrl: company.gatewayUrl,
    journalFile: join(company.dir, `probes-${Date.now()}.jsonl`),
    customers: 20,
    everyMs: EVERY_MS,
    seed: 5,
  });
  const stopping = new AbortController();
  const running = prober.run(stopping.signal);
  const seen = async (condition: (summary: ProberSummary) => boolean): Promise<void> => {
    while (!condition(prober.summary())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  try {
    await meanwhile(seen);
  } finally {
    stopping.abort();
  }
  return running;
}

describe('the prober', () => {
  let company: Company;
  beforeAll(async () => {
    company = await Company.open(60);
  });
  afterAll(() => company.close());

  test('sees one owner throughout a move and how long the wave had none', async () => {
    const summary = await probing(company, async (seen) => {
      await seen(({ owned }) => owned > 40);
      await company.beginMove(1);
      await seen(({ ownerless }) => ownerless > 10);
      await company.finishMove(1);
      await seen(({ ownerlessAtEnd, longestOwnerlessMs }) => ownerlessAtEnd.length === 0 && '1' in longestOwnerlessMs);
    });
    expect(summary).toMatchObject({ ok: true, violations: 0, ownerlessAtEnd: [] });
    expect(summary.longestOwnerlessMs['1']).toBeGreaterThan(50);
    expect(summary.longestOwnerlessMs['2']).toBe(0);
    expect(summary.reads).toMatchObject({ missing: 0, failed: 0 });
    expect(summary.reads.answered).toBeGreaterThan(40);
    const canaries = await runAt(company.urls.source, "select from legacy.customer where customer_id like 'prober-%'");
    expect(canaries).toEqual([]);
  });

  test('names a customer whom both systems accept', async () => {
    await company.state('source', 1, 'open');
    const summary = await probing(company, (seen) => seen(({ violations }) => violations > 2));
    await company.state('source', 1, 'sealed');
    expect(summary.ok).toBe(false);
    expect(new Set(summary.violationSamples.map(({ wave }) => wave))).toEqual(new Set([1]));
  });

  test('notices a customer who cannot be read where they live', async () => {
    await company.pretend(2, 'target');
    const summary = await probing(company, (seen) => seen(({ reads }) => reads.missing > 2));
    await company.pretend(2, 'source');
    expect(summary).toMatchObject({ ok: false, violations: 0 });
  });

  test('runs as a process of its own and prints its summary when it is told to stop', async () => {
    const { source, target } = company.urls;
    const flags = ['--source', source, '--target', target, '--gateway', company.gatewayUrl];
    const child = spawn(process.execPath, [
      'dist/local/audit/prober.js',
      ...flags,
      ...['--journal', join(company.dir, 'own.jsonl'), '--everyMs', '5'],
    ]);
    const lines: { event: string; probes?: number; ok?: boolean }[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (text) => {
      const line = JSON.parse(text) as (typeof lines)[number];
      lines.push(line);
      if (line.event === 'status' && (line.probes ?? 0) > 5) child.kill('SIGTERM');
    });
    const [code] = (await once(child, 'close')) as [number];
    expect(lines[0]?.event).toBe('ready');
    expect(lines.at(-1)).toMatchObject({ event: 'summary', ok: true, violations: 0 });
    expect(code).toBe(0);
  });
});

test('a span without an owner lasts from the first probe that found none to the first that found one', () => {
  const spans = new OwnerlessSpans();
  spans.add(1, true, 0, 5);
  spans.add(1, false, 10, 15);
  spans.add(2, true, 12, 16);
  spans.add(1, false, 20, 25);
  expect(spans.open()).toEqual([1]);
  spans.add(1, true, 30, 40);
  expect(spans.summary()).toEqual({ 1: 30, 2: 0 });
  expect(spans.open()).toEqual([]);
});
