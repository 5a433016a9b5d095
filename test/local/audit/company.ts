import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { startGateway, type RunningGateway } from '../../../gateway/server';
import { takeBaseline } from '../../../local/audit/snapshot';
import { fillLegacy } from '../../../local/legacy/fill';
import { projectDir } from '../../../local/paths';
import { createTarget } from '../../../local/target/schema';
import { readConfig, type TrafficConfig } from '../../../local/traffic/config';
import { loadRunbook, packRunbook } from '../../../runbooks/load';
import type { Runbook } from '../../../runbooks/schema/runbook';
import { registerCutover } from '../../../systems/control/cutovers';
import { putDocument } from '../../../systems/control/documents';
import { replayHeld } from '../../../systems/control/replay';
import { projectMembers, seedRouting, setCustody, setIntake } from '../../../systems/control/routing';
import { installControl } from '../../../systems/control/schema';
import { connect } from '../../../systems/postgres/connect';
import { assignMembers, guardTables, install, seedWaves, type GuardedTable } from '../../../systems/postgres/schema';
import { freshDatabase } from '../../support/databases';
import { carryBack, carryOver, purge } from './carrier';

const CUTOVER = 'night-1';
const WAVES = [
  { wave: 1, name: 'pilot' },
  { wave: 2, name: 'rest' },
];
const guarded = (customerColumn: string, tables: Record<string, string[]>): GuardedTable[] =>
  Object.entries(tables).map(([table, keyColumns]) => ({ table, keyColumns, customerColumn }));
const GUARDED = {
  source: guarded('customer_id', {
    'legacy.customer': ['customer_id'],
    'legacy.service': ['customer_id'],
    'legacy.contract': ['contract_no'],
    'legacy.invoice': ['invoice_no'],
    'legacy.invoice_line': ['invoice_no', 'line_no'],
    'legacy.payment': ['payment_id'],
    'legacy.work_order': ['order_id'],
    'legacy.ticket': ['ticket_no'],
  }),
  target: guarded('customer_no', {
    'crm.customer': ['customer_no'],
    'billing.account': ['customer_no'],
    'oss.service': ['customer_no', 'product_code'],
    'oss.agreement': ['agreement_no'],
    'billing.invoice': ['invoice_no'],
    'billing.invoice_line': ['invoice_no', 'line_no'],
    'billing.payment': ['payment_no'],
    'oss.work_order': ['order_no'],
    'care.ticket': ['ticket_no'],
  }),
};
const SEQUENCES = [
  'billing.invoice_seq',
  'billing.payment_seq',
  'oss.order_seq',
  'oss.agreement_seq',
  'care.ticket_seq',
];

/** Both systems of the company, control and a gateway, all real; a third of the customers are in wave 1. */
export class Company {
  readonly cutover = CUTOVER;
  readonly dir = mkdtempSync(join(tmpdir(), 'cutover-audit-'));
  readonly baselineFile = join(this.dir, 'baseline.jsonl');
  readonly journalFile = join(this.dir, 'journal.jsonl');
  private epoch = 0;

  private constructor(
    readonly urls: { source: string; target: string; control: string },
    readonly pools: { source: Pool; target: Pool; control: Pool },
    private readonly requests: Runbook['requests'],
    private readonly gateway: RunningGateway,
  ) {}

  static async open(customers: number): Promise<Company> {
    const [source, target, control] = await Promise.all([
      freshDatabase('legacy'),
      freshDatabase('new'),
      freshDatabase('control'),
    ]);
    const open = (url: string): Pool => connect(url, { applicationName: 'test-company' });
    const pools = { source: open(source), target: open(target), control: open(control) };
    await fillLegacy(source, { customers, seed: 7 });
    const client = await pools.target.connect();
    await createTarget(client);
    client.release();
    await copyCatalogue(pools);
    await installControl(pools.control);
    const requests = await registerRun(pools.control);
    await divide(pools);
    const urls = { source, target, control };
    const gateway = await startGateway(
      {
        controlUrl: control,
        sourceUrl: source,
        targetUrl: target,
        cutover: CUTOVER,
        host: '127.0.0.1',
        port: 0,
        forwardTimeoutMs: 2_000,
      },
      (error) => {
        throw error;
      },
    );
    const company = new Company(urls, pools, requests, gateway);
    await takeBaseline(source, company.baselineFile);
    return company;
  }

  trafficConfig(flags: Record<string, string> = {}): TrafficConfig {
    const { source, target, control } = this.urls;
    const all = {
      source,
      target,
      control,
      cutover: CUTOVER,
      gateway: this.gateway.url,
      journal: this.journalFile,
      ...flags,
    };
    return readConfig([...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]), '--focus'], {});
  }

  /** Intake held, source sealed: the wave is on its way. */
  async beginMove(wave: number): Promise<void> {
    await this.route(wave, 'moving', 'held');
    await this.state('source', wave, 'sealed');
  }

  async finishMove(wave: number): Promise<void> {
    await carryOver(this.pools.source, this.pools.target, wave);
    await this.state('target', wave, 'open');
    await setCustody(this.pools.control, { cutover: CUTOVER, wave, custody: 'target', epoch: (this.epoch += 1) });
    await this.release(wave, 'target');
  }

  /** Seals the target, brings what it took back, and opens the source. */
  async moveBack(wave: number): Promise<void> {
    await this.route(wave, 'moving', 'held');
    await this.state('target', wave, 'sealed');
    await carryBack(this.pools.source, this.pools.target, wave);
    await purge(this.pools.target, wave);
    await this.state('source', wave, 'open');
    await setCustody(this.pools.control, { cutover: CUTOVER, wave, custody: 'source', epoch: (this.epoch += 1) });
    await this.release(wave, 'source');
  }

  get gatewayUrl(): string {
    return this.gateway.url;
  }

  /** Lets routing name a system, whatever the systems say. */
  async pretend(wave: number, custody: 'source' | 'target'): Promise<void> {
    await setCustody(this.pools.control, { cutover: CUTOVER, wave, custody, epoch: (this.epoch += 1) });
  }

  async state(side: 'source' | 'target', wave: number, state: string): Promise<void> {
    const client = await this.pools[side].connect();
    try {
      await client.query('begin');
      await client.query('select cutover.lock_waves($1, 2000)', [[wave]]);
      await client.query('update cutover.wave set state = $1 where wave = $2', [state, wave]);
      await client.query('commit');
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    await this.gateway.stop();
    await Promise.all(Object.values(this.pools).map((pool) => pool.end()));
  }

  private async route(wave: number, custody: 'moving', intake: 'held'): Promise<void> {
    await setIntake(this.pools.control, { cutover: CUTOVER, wave, intake, epoch: (this.epoch += 1) });
    await setCustody(this.pools.control, { cutover: CUTOVER, wave, custody, epoch: (this.epoch += 1) });
  }

  private async release(wave: number, side: 'source' | 'target'): Promise<void> {
    const pool = this.pools[side];
    const epoch = (this.epoch += 1);
    await replayHeld(this.pools.control, { cutover: CUTOVER, wave, epoch, side, pool, requests: this.requests });
  }
}

/** Copies of the three databases, to do harm to. Close the company first. */
export async function fork(urls: Company['urls']): Promise<Company['urls']> {
  const copies: [string, string][] = [];
  for (const [name, url] of Object.entries(urls)) {
    const original = new URL(url).pathname.slice(1);
    const copy = `${original}_${(forks += 1)}`;
    await runAt(new URL('/postgres', url).href, `create database ${copy} template ${original}`);
    copies.push([name, new URL(`/${copy}`, url).href]);
  }
  return Object.fromEntries(copies) as Company['urls'];
}
let forks = 0;

/** Runs SQL past the guards, as a fault would; answers how many rows it wrote. */
export async function sabotage(
  url: string,
  side: 'source' | 'target',
  sql: string,
  values: unknown[] = [],
): Promise<number> {
  const tables = [...GUARDED[side].map(({ table }) => table), 'cutover.effect'];
  const client = new Client(url);
  await client.connect();
  try {
    for (const table of tables) await client.query(`alter table ${table} disable trigger user`);
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

export async function runAt<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function copyCatalogue({ source, target }: Company['pools']): Promise<void> {
  const tariffs = await source.query<{ rows: string }>(
    `select jsonb_agg(jsonb_build_object('code', lower(code), 'name', btrim(descr), 'price', btrim(price)))::text as rows from legacy.tariff`,
  );
  await target.query(
    'insert into catalog.product select (jsonb_populate_recordset(null::catalog.product, $1::jsonb)).*',
    [tariffs.rows[0]?.rows],
  );
  for (const sequence of SEQUENCES) await target.query('select setval($1::regclass, 1000000)', [sequence]);
}

async function registerRun(control: Pool): Promise<Runbook['requests']> {
  const file = join(projectDir(), 'runbooks', 'billing-oss', 'runbook.yaml');
  const loaded = await loadRunbook(file);
  if (!loaded.runbook) throw new Error('the shipped runbook does not load');
  const runbookHash = await putDocument(control, 'runbook', packRunbook(loaded.runbookText, loaded.conversionText));
  const run = {
    cutover: CUTOVER,
    runbook: 'billing-oss',
    runbookHash,
    planHash: 'plan',
    startedBy: 'lead',
    workflowId: 'w',
  };
  await registerCutover(control, run);
  await seedRouting(control, CUTOVER, WAVES);
  return loaded.runbook.requests;
}

async function divide(pools: Company['pools']): Promise<void> {
  const customers = await pools.source.query<{ id: string }>(
    'select customer_id as id from legacy.customer order by 1',
  );
  const ids = customers.rows.map((row) => row.id);
  const parts = [ids.filter((_, index) => index % 3 === 0), ids.filter((_, index) => index % 3 !== 0)];
  for (const side of ['source', 'target'] as const) {
    await install(pools[side], side);
    await seedWaves(pools[side], side, WAVES);
    for (const [index, part] of parts.entries()) await assignMembers(pools[side], index + 1, part);
    await guardTables(pools[side], GUARDED[side]);
  }
  for (const [index, part] of parts.entries()) await projectMembers(pools.control, CUTOVER, part, index + 1);
}
