import { Pool } from 'pg';
import type { Side } from '../../domain/custody';
import { checkOther, checkUntouched, OwnerComparison } from './comparing';
import { ExpectedCustomer } from './expected';
import { Findings, type Finding } from './findings';
import { readOperations, type Operations } from './operations';
import { Owners } from './owners';
import { readCustomers, readDigests, readRows } from './reading';
import { readRequests, type RequestStates } from './requests';
import { readBaseline, type CustomerBaseline } from './snapshot';

export interface AuditInput {
  sourceUrl: string;
  targetUrl: string;
  controlUrl: string;
  baselineFile: string;
  journalFiles: string[];
  /** `live`: every customer of a wave lives in the target; `rolled-back`: in the source. */
  expect: 'live' | 'rolled-back';
  /** The cutover whose requests count; without it all of them. */
  cutover?: string | undefined;
}

export interface AuditReport {
  ok: boolean;
  findings: Finding[];
  counts: {
    customers: number;
    ownedBySource: number;
    ownedByTarget: number;
    /** Rows read in the owning system and held against the journal. */
    rows: number;
    operations: Record<string, number>;
    requestsEffected: number;
    requestsPending: number;
    requestsListed: number;
    /** Legacy rows proven byte-identical. */
    untouchedRows: number;
    /** Customers left out because traffic was killed in the middle of one of their operations. */
    undetermined: number;
    baselineCustomers: number;
    baselineCents: Record<string, number>;
  };
}

interface Audit {
  input: AuditInput;
  pools: Record<Side, Pool>;
  operations: Operations;
  owners: Owners;
  states: RequestStates;
  findings: Findings;
  counts: AuditReport['counts'];
}

const BATCH = 500;

/**
 * Holds journals and baseline against both systems. Stop traffic first. Throws when something cannot be read; what is
 * wrong with the data comes back as findings.
 */
export async function audit(input: AuditInput): Promise<AuditReport> {
  const open = (connectionString: string): Pool => new Pool({ connectionString, max: 2, application_name: 'auditor' });
  const pools = { source: open(input.sourceUrl), target: open(input.targetUrl) };
  const control = open(input.controlUrl);
  try {
    const operations = await readOperations(input.journalFiles);
    const state: Audit = {
      input,
      pools,
      operations,
      owners: await Owners.read(pools),
      states: await readRequests(pools, control, input.cutover),
      findings: new Findings(),
      counts: emptyCounts(operations),
    };
    await auditAll(state);
    const findings = state.findings.list();
    return { ok: findings.length === 0, findings, counts: state.counts };
  } finally {
    await Promise.all([pools.source.end(), pools.target.end(), control.end()]);
  }
}

async function auditAll(state: Audit): Promise<void> {
  const seen = new Set<string>();
  let batch: { customer: string; baseline: CustomerBaseline | undefined }[] = [];
  const flush = async (): Promise<void> => {
    await auditBatch(state, batch);
    batch = [];
  };
  const push = async (customer: string, baseline: CustomerBaseline | undefined): Promise<void> => {
    seen.add(customer);
    batch.push({ customer, baseline });
    if (batch.length >= BATCH) await flush();
  };
  for await (const baseline of readBaseline(state.input.baselineFile)) {
    state.counts.baselineCustomers += 1;
    for (const [entity, , cents] of baseline.rows) {
      if (cents !== null) state.counts.baselineCents[entity] = (state.counts.baselineCents[entity] ?? 0) + cents;
    }
    await push(baseline.customer, baseline);
  }
  for (const customer of state.operations.byCustomer.keys()) if (!seen.has(customer)) await push(customer, undefined);
  await flush();
  for (const { op, customer, via, outcome } of state.operations.byId.values()) {
    const { source, target } = state.states.effects;
    const happened = via === 'request' && outcome === 'refused' && (source.has(op) || target.has(op));
    if (happened) state.findings.add('refused-happened', customer, `request ${op}`);
  }
  for (const side of ['source', 'target'] as const) {
    for (const customer of await readCustomers(state.pools[side], side)) {
      if (!seen.has(customer)) state.findings.add('unexplained-customer', customer, side);
    }
  }
}

async function auditBatch(
  state: Audit,
  batch: readonly { customer: string; baseline: CustomerBaseline | undefined }[],
): Promise<void> {
  const customers = batch.map((each) => each.customer);
  const rows = {
    source: await readRows(state.pools.source, 'source', customers),
    target: await readRows(state.pools.target, 'target', customers),
  };
  const digests = await readDigests(state.pools.source, customers);
  for (const { customer, baseline } of batch) {
    state.counts.customers += 1;
    const owner = ownerOf(state, customer);
    if (owner === undefined) continue;
    const expected = new ExpectedCustomer(customer, baseline, state.operations.byCustomer.get(customer) ?? []);
    if (expected.undetermined) {
      state.counts.undetermined += 1;
      continue;
    }
    const other: Side = owner === 'source' ? 'target' : 'source';
    const compared = new OwnerComparison(expected, rows[owner].get(customer) ?? [], owner, state).run();
    state.counts.rows += compared.rows;
    state.counts.requestsEffected += compared.requestsEffected;
    state.counts.requestsPending += compared.requestsPending;
    state.counts.requestsListed += compared.requestsListed;
    checkOther(expected, rows[other].get(customer) ?? [], other, state);
    if (owner === 'source') {
      state.counts.untouchedRows += checkUntouched(expected, baseline?.digests ?? [], digests, state.findings);
    }
  }
}

/** The one system that owns the customer; findings when it is none, both, or not the one the outcome says. */
function ownerOf(state: Audit, customer: string): Side | undefined {
  const [owner, another] = state.owners.of(customer);
  if (owner === undefined) state.findings.add('no-owner', customer);
  else if (another !== undefined) state.findings.add('two-owners', customer);
  if (owner === undefined || another !== undefined) return undefined;
  state.counts[owner === 'source' ? 'ownedBySource' : 'ownedByTarget'] += 1;
  const stays = state.owners.wave(customer) === 0;
  const due = state.input.expect === 'live' && !stays ? 'target' : 'source';
  if (owner !== due) state.findings.add('wrong-owner', customer, `owned by the ${owner}`);
  return owner;
}

function emptyCounts(operations: Operations): AuditReport['counts'] {
  const byOutcome: Record<string, number> = {};
  for (const { outcome } of operations.byId.values()) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  return {
    customers: 0,
    ownedBySource: 0,
    ownedByTarget: 0,
    rows: 0,
    operations: byOutcome,
    requestsEffected: 0,
    requestsPending: 0,
    requestsListed: 0,
    untouchedRows: 0,
    undetermined: 0,
    baselineCustomers: 0,
    baselineCents: {},
  };
}
