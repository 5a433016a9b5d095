import { execFile } from 'node:child_process';
import { audit, type AuditReport } from '../../../local/audit/auditor';
import type { FindingCode } from '../../../local/audit/findings';
import { summarise, type TrafficSummary } from '../../../local/traffic/counts';
import { emailOf } from '../../../local/traffic/contact';
import { readJournal, type Outcome } from '../../../local/traffic/journal';
import { startTraffic } from '../../../local/traffic/traffic';
import { delay } from '../../../local/traffic/wait';
import { Company, fork, runAt, sabotage } from './company';

type Ending = 'live' | 'rolled-back';
interface Story {
  company: Company;
  urls: Company['urls'];
  summary: TrafficSummary;
  journal: Outcome[];
}

/** Traffic at the source, while a wave moves, and at the target; then everything is at its end. */
async function tell(ending: Ending): Promise<Story> {
  const company = await Company.open(300);
  const traffic = await startTraffic(company.trafficConfig({ rate: '150', seed: ending === 'live' ? '3' : '4' }));
  let summary: TrafficSummary;
  try {
    await Promise.race([traffic.failed, play(company, ending)]);
  } finally {
    summary = await traffic.stop();
    await company.close();
  }
  const journal: Outcome[] = [];
  for await (const line of readJournal(company.journalFile)) if (line.event === 'outcome') journal.push(line);
  return { company, urls: company.urls, summary, journal };
}

async function play(company: Company, ending: Ending): Promise<void> {
  await delay(2_500);
  for (const wave of [1, 2]) {
    await company.beginMove(wave);
    await delay(1_500);
    await company.finishMove(wave);
    await delay(1_500);
  }
  await delay(1_500);
  if (ending === 'live') return;
  for (const wave of [2, 1]) await company.moveBack(wave);
  await delay(1_000);
}

const auditOf = (story: Story, expect: Ending, urls = story.urls): Promise<AuditReport> =>
  audit({
    sourceUrl: urls.source,
    targetUrl: urls.target,
    controlUrl: urls.control,
    baselineFile: story.company.baselineFile,
    journalFiles: [story.company.journalFile],
    expect,
    cutover: story.company.cutover,
  });

/** Keys of rows that stand as an acknowledged operation inserted them. */
function standing(story: Story, entity: string): string[] {
  const done = story.journal.filter(({ outcome }) => outcome === 'acknowledged').flatMap(({ rows }) => rows);
  const later = new Set(done.filter((row) => row.act !== 'insert').map((row) => `${row.entity}/${row.key}`));
  const inserted = done.filter((row) => row.entity === entity && row.act === 'insert' && row.key !== '');
  return inserted.map((row) => row.key).filter((key) => !later.has(`${entity}/${key}`));
}

const codes = (report: AuditReport): FindingCode[] => report.findings.map((finding) => finding.code).sort();

describe('after a move that went live', () => {
  let story: Story;
  beforeAll(async () => {
    story = await tell('live');
  }, 120_000);

  /** Does harm to copies of the databases and says what the auditor finds there. */
  async function harmed(side: 'source' | 'target', sql: string, values: unknown[] = []): Promise<AuditReport> {
    const urls = await fork(story.urls);
    expect(await sabotage(urls[side], side, sql, values)).toBeGreaterThan(0);
    return auditOf(story, 'live', urls);
  }

  test('traffic reached every custody state and the auditor finds nothing', async () => {
    expect(story.summary.held).toBeGreaterThan(20);
    expect(story.summary.fewest).toEqual({
      source: expect.any(Number),
      moving: expect.any(Number),
      target: expect.any(Number),
    });
    expect(Object.keys(story.summary.refusals)).toContain('CU001');
    const report = await auditOf(story, 'live');
    expect(report.findings).toEqual([]);
    expect(report.counts).toMatchObject({
      ownedBySource: 0,
      requestsPending: 0,
      undetermined: 0,
      baselineCustomers: 300,
    });
    expect(report.counts.ownedByTarget).toBe(report.counts.customers);
    expect(report.counts.requestsEffected).toBeGreaterThan(20);
  });

  test('the counts of the journal are those traffic kept', async () => {
    expect(await summarise(story.company.journalFile)).toEqual(story.summary);
  });

  test('a payment that was deleted is named', async () => {
    const report = await harmed('target', 'delete from billing.payment where payment_no = $1', [
      standing(story, 'payment')[0],
    ]);
    expect(codes(report)).toEqual(['acknowledged-missing', 'money-differs']);
    expect(report.findings[0]?.customers).toBe(1);
  });

  test('a payment of the baseline that was deleted is named', async () => {
    const report = await harmed(
      'target',
      'delete from billing.payment where payment_no = (select min(payment_no) from billing.payment where reference is null)',
    );
    expect(codes(report)).toEqual(['baseline-missing', 'money-differs']);
  });

  test('a payment that was doubled is named', async () => {
    const report = await harmed(
      'target',
      `insert into billing.payment select payment_no + 5000000, customer_no, invoice_no, amount, kind, booked_at, reference
       from billing.payment where payment_no = $1`,
      [standing(story, 'payment')[0]],
    );
    expect(codes(report)).toEqual(['acknowledged-twice', 'money-differs']);
  });

  test('one cent is named', async () => {
    const report = await harmed('target', 'update billing.payment set amount = amount + 0.01 where payment_no = $1', [
      standing(story, 'payment')[0],
    ]);
    expect(codes(report)).toEqual(['amount-differs', 'money-differs']);
    expect(report.findings.find((each) => each.code === 'money-differs')?.samples[0]).toContain('by 1 cents');
  });

  test('an invoice line that was lost is named', async () => {
    const [invoice, line] = (standing(story, 'invoice-line')[0] ?? '').split('/');
    const report = await harmed('target', 'delete from billing.invoice_line where invoice_no = $1 and line_no = $2', [
      invoice,
      line,
    ]);
    expect(codes(report)).toEqual(['acknowledged-missing', 'invoice-sum-differs', 'money-differs']);
  });

  test('a held request that was dropped is named', async () => {
    const urls = await fork(story.urls);
    const held = await runAt<{ key: string }>(
      urls.control,
      `select idempotency_key as key from control.request where held_at is not null and kind = 'ticket' order by id`,
    );
    const standingReference = await runAt<{ reference: string }>(urls.target, 'select reference from care.ticket');
    const references = new Set(standingReference.map((row) => row.reference));
    const key = held.map((row) => row.key).find((each) => references.has(each));
    expect(await sabotage(urls.target, 'target', 'delete from care.ticket where reference = $1', [key])).toBe(1);
    await sabotage(urls.target, 'target', 'delete from cutover.effect where key = $1', [key]);
    await runAt(urls.control, `delete from control.request where idempotency_key = '${key}'`);
    expect(codes(await auditOf(story, 'live', urls))).toEqual(['request-lost']);
  });

  test('a request that took effect twice is named', async () => {
    const report = await harmed(
      'target',
      `insert into care.ticket select ticket_no + 5000000, customer_no, subject, severity, state, created_at, reference
       from care.ticket where reference in (select key from cutover.effect) order by ticket_no limit 1`,
    );
    expect(codes(report)).toEqual(['request-twice']);
  });

  test('a row that was left behind in the source is named', async () => {
    const report = await harmed(
      'source',
      `insert into legacy.ticket (ticket_no, customer_id, subject) values ('99000001', (select min(customer_id) from legacy.customer), 'Late')`,
    );
    expect(codes(report)).toEqual(['left-behind']);
  });

  test('a wave that both systems own is named', async () => {
    const urls = await fork(story.urls);
    await runAt(urls.source, `update cutover.wave set state = 'open' where wave = 1`);
    const report = await auditOf(story, 'live', urls);
    expect(codes(report)).toEqual(['two-owners']);
    expect(report.findings[0]?.customers).toBe(100);
  });

  test('a wave that no system owns is named', async () => {
    const urls = await fork(story.urls);
    await runAt(urls.target, `update cutover.wave set state = 'sealed' where wave = 1`);
    expect(codes(await auditOf(story, 'live', urls))).toEqual(['no-owner']);
  });

  test('a customer who is in neither system is named', async () => {
    const urls = await fork(story.urls);
    const [{ customer } = { customer: '' }] = await runAt<{ customer: string }>(
      urls.target,
      'select min(customer_no) as customer from crm.customer',
    );
    for (const table of [
      'oss.service',
      'billing.account',
      'oss.agreement',
      'billing.payment',
      'billing.invoice_line',
      'billing.invoice',
      'oss.work_order',
      'care.ticket',
      'crm.customer',
    ]) {
      await sabotage(urls.target, 'target', `delete from ${table} where customer_no = $1`, [customer]);
    }
    const report = await auditOf(story, 'live', urls);
    expect(codes(report)).toContain('customer-missing');
    expect(report.findings.find((each) => each.code === 'customer-missing')).toMatchObject({
      customers: 1,
      samples: [customer],
    });
  });

  test('a refused operation that took effect is named', async () => {
    const refused = story.journal.find((line) => line.outcome === 'refused' && line.code === 'CU001');
    const report = await harmed(
      'source',
      `insert into legacy.ticket (ticket_no, customer_id, subject, reference)
       values ('99000002', (select min(customer_id) from legacy.customer), 'Refused', $1)`,
      [refused?.op],
    );
    expect(codes(report)).toEqual(['refused-happened']);
  });

  test('a ticket that was deleted and is back is named', async () => {
    const gone = story.journal
      .filter((line) => line.outcome === 'acknowledged')
      .flatMap((line) => line.rows)
      .find((row) => row.entity === 'ticket' && row.act === 'delete');
    const intents = new Map<string, string>();
    for await (const line of readJournal(story.company.journalFile))
      if (line.event === 'intent') intents.set(line.op, line.customer);
    const op =
      story.journal.find((line) => line.outcome === 'acknowledged' && line.rows.some((row) => row === gone))?.op ?? '';
    const report = await harmed(
      'target',
      `insert into care.ticket (ticket_no, customer_no, subject) values ($1, $2, 'Back')`,
      [gone?.key, intents.get(op)],
    );
    expect(codes(report)).toEqual(['deleted-returned']);
  });

  test('a contact change that was lost is named', async () => {
    const changed = story.journal
      .filter((line) => line.outcome === 'acknowledged' && line.rows.some((row) => row.entity === 'customer'))
      .map((line) => emailOf(line.op));
    const report = await harmed(
      'target',
      `update crm.customer set email = 'old@example.net'
       where customer_no = (select min(customer_no) from crm.customer where email = any ($1))`,
      [changed],
    );
    expect(codes(report)).toEqual(['change-lost']);
  });

  test('a service that was switched off unasked is named', async () => {
    const report = await harmed(
      'target',
      `delete from oss.service where (customer_no, product_code) in (select customer_no, product_code from oss.service order by 1, 2 limit 1)`,
    );
    expect(codes(report)[0]).toMatch(/^(acknowledged|baseline)-missing$/);
  });

  test('the command prints the findings and exits with 1', async () => {
    const urls = await fork(story.urls);
    await runAt(urls.source, `update cutover.wave set state = 'open' where wave = 2`);
    const args = ['--source', urls.source, '--target', urls.target, '--control', urls.control, '--expect', 'live'];
    const files = ['--baseline', story.company.baselineFile, '--journal', story.company.journalFile];
    const result = await run(['dist/local/audit/main.js', ...args, ...files]);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, findings: [{ code: 'two-owners' }] });
  });
});

describe('after a move that was rolled back', () => {
  let story: Story;
  beforeAll(async () => {
    story = await tell('rolled-back');
  }, 120_000);

  test('the source holds every write the target took, and the rest byte for byte', async () => {
    expect(story.summary.targetWrites.payment?.insert).toBeGreaterThan(0);
    const report = await auditOf(story, 'rolled-back');
    expect(report.findings).toEqual([]);
    expect(report.counts.ownedByTarget).toBe(0);
    expect(report.counts.untouchedRows).toBeGreaterThan(500);
  });

  test('an untouched row that changed in its bytes is named', async () => {
    const urls = await fork(story.urls);
    const sql = `update legacy.invoice set amount = amount || ' ' where invoice_no =
      (select min(invoice_no) from legacy.invoice where reference is null)`;
    expect(await sabotage(urls.source, 'source', sql)).toBe(1);
    expect(codes(await auditOf(story, 'rolled-back', urls))).toEqual(['untouched-changed']);
  });

  test('a write of the target that was not carried back is named', async () => {
    const urls = await fork(story.urls);
    const key = standing(story, 'payment').find((each) => Number(each) > 1_000_000);
    expect(await sabotage(urls.source, 'source', 'delete from legacy.payment where payment_id = $1', [key])).toBe(1);
    expect(codes(await auditOf(story, 'rolled-back', urls))).toEqual(['acknowledged-missing', 'money-differs']);
  });

  test('rows that stay in the target are named', async () => {
    const urls = await fork(story.urls);
    const sql = `insert into crm.customer (customer_no) values ('C0000001')`;
    expect(await sabotage(urls.target, 'target', sql)).toBe(1);
    expect(codes(await auditOf(story, 'rolled-back', urls))).toEqual(['left-behind']);
  });

  test('the wrong outcome is named', async () => {
    expect(codes(await auditOf(story, 'live'))).toEqual(['wrong-owner']);
  });
});

function run(args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 16 << 20 }, (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout });
    });
  });
}
