import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { audit, type AuditReport } from '../../../local/audit/auditor';
import { readJournal, type JournalLine } from '../../../local/traffic/journal';
import type { TrafficSummary } from '../../../local/traffic/counts';
import { Company } from '../audit/company';

interface Status extends Partial<TrafficSummary> {
  event: 'ready' | 'status' | 'stopped';
}

let company: Company;
beforeAll(async () => {
  company = await Company.open(120);
});
afterAll(() => company.close());

/** Every traffic has a journal and a name of its own; the audits below read all of them. */
const journals: string[] = [];

class Running {
  readonly lines: Status[] = [];
  readonly journal: string;
  private readonly child: ChildProcess;
  private complaint = '';

  constructor(name: string) {
    this.journal = join(company.dir, `${name}.jsonl`);
    journals.push(this.journal);
    const { source, target, control } = company.urls;
    const env = {
      ...process.env,
      SOURCE_URL: source,
      TARGET_URL: target,
      CONTROL_URL: control,
      CUTOVER: company.cutover,
    };
    const flags = ['--gateway', company.gatewayUrl, '--journal', this.journal, '--name', name, '--rate', '80'];
    this.child = spawn(process.execPath, ['dist/local/traffic/main.js', ...flags], { env });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.complaint += chunk.toString()));
    createInterface({ input: this.child.stdout! }).on('line', (text) => this.lines.push(JSON.parse(text) as Status));
  }

  async until(condition: (last: Status) => boolean): Promise<void> {
    while (!this.lines.some(condition)) {
      if (this.child.exitCode !== null) throw new Error(`traffic ended with ${this.child.exitCode}: ${this.complaint}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const closed = once(this.child, 'close') as Promise<[number | null]>;
    this.child.kill(signal);
    return (await closed)[0];
  }

  async read(): Promise<JournalLine[]> {
    const lines: JournalLine[] = [];
    for await (const line of readJournal(this.journal)) lines.push(line);
    return lines;
  }
}

const auditAtSource = (): Promise<AuditReport> =>
  audit({
    sourceUrl: company.urls.source,
    targetUrl: company.urls.target,
    controlUrl: company.urls.control,
    baselineFile: company.baselineFile,
    journalFiles: journals,
    expect: 'rolled-back',
    cutover: company.cutover,
  });

test('traffic does not exceed its pace, and finishes what is under way when it is told to stop', async () => {
  const traffic = new Running('a');
  await traffic.until((line) => line.event === 'status' && (line.operations ?? 0) >= 200);
  expect(await traffic.end('SIGTERM')).toBe(0);
  expect(traffic.lines[0]?.event).toBe('ready');
  const stopped = traffic.lines.at(-1);
  expect(stopped).toMatchObject({ event: 'stopped', unknown: 0 });
  expect(stopped?.perSecond).toBeLessThanOrEqual(100);
  const lines = await traffic.read();
  const intents = lines.filter((line) => line.event === 'intent').map((line) => line.op);
  const outcomes = lines.filter((line) => line.event === 'outcome').map((line) => line.op);
  expect([...outcomes].sort()).toEqual([...intents].sort());
  expect((await auditAtSource()).findings).toEqual([]);
}, 90_000);

test('connections that are cut do not stop traffic, and the auditor accounts for every operation', async () => {
  const traffic = new Running('b');
  for (let cut = 0; cut < 12; cut += 1) {
    const seen = traffic.lines.filter((line) => line.event === 'status').length;
    if (cut % 4 === 0) await traffic.until(() => traffic.lines.filter((line) => line.event === 'status').length > seen);
    await company.pools.source.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'traffic'",
    );
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  await traffic.until((line) => line.event === 'status' && (line.operations ?? 0) >= 200);
  expect(await traffic.end('SIGTERM')).toBe(0);
  const lost = (await traffic.read()).filter(
    (line) => line.event === 'outcome' && (line.code === 'lost' || line.outcome === 'unknown'),
  );
  expect(lost.length).toBeGreaterThan(0);
  expect((await auditAtSource()).findings).toEqual([]);
}, 90_000);

test('traffic that is killed leaves operations nobody knows about, and the auditor sets only their customers aside', async () => {
  const traffic = new Running('c');
  await traffic.until((line) => line.event === 'status' && (line.operations ?? 0) >= 100);
  await traffic.end('SIGKILL');
  const report = await auditAtSource();
  expect(report.findings).toEqual([]);
  expect(report.counts.undetermined).toBeLessThanOrEqual(8);
  expect(report.counts.operations['acknowledged']).toBeGreaterThan(100);
}, 90_000);
