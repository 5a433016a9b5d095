import type { Pool } from 'pg';
import { getCutover, type CutoverRow } from '../systems/control/cutovers';
import { getDocument } from '../systems/control/documents';
import { connect, isPostgresUrl } from '../systems/postgres/connect';
import { DATA_SESSIONS, postgresCustody } from '../systems/postgres/custody';
import { compileConversion } from '../systems/postgres/data/compile';
import type { CompiledConversion } from '../systems/postgres/data/compiled';
import type { Pair } from '../systems/postgres/data/pair';
import { SystemFault, type CustodyPort } from '../systems/ports';
import { durationMs } from '../runbooks/schema/common';
import { checkRunbook } from '../runbooks/check';
import type { Finding } from '../runbooks/finding';
import { parseDocuments, unpackRunbook } from '../runbooks/load';
import type { ResolvedRun } from '../runbooks/resolved';
import { resolveRun } from '../runbooks/windows';
import type { Side } from '../domain/custody';

/** Whether runs are open, as Temporal knows it. Throws when Temporal cannot be asked. */
export interface RunDirectory {
  isOpen(workflowId: string): Promise<boolean>;
  /** Whether the last run of this id was ended from outside, or failed: nobody heard its last word. */
  hasDied(workflowId: string): Promise<boolean>;
  /** When its last run ended; null while it is open, or unknown. */
  closedAt(workflowId: string): Promise<Date | null>;
}

export interface WorldOptions {
  control: Pool;
  /** The value of an environment variable a runbook names; throws when it is not set. */
  url(envName: string): string;
  runs: RunDirectory;
  /** Where notifications are posted; null: they are entries of the ledger only. */
  webhookUrl: string | null;
  /** Folder from which a run may be started by the paths of its documents; null: by their hashes only. */
  documentsDir: string | null;
}

const isError = (finding: Finding): boolean => finding.severity === 'error';

const describeFinding = (finding: Finding): string =>
  `${finding.file}:${finding.line}:${finding.column}: ${finding.message}`;

/** Everything activities need of one cutover: its documents, its systems, its compiled conversion. */
export interface CutoverWorld {
  row: CutoverRow;
  documents: ResolvedRun;
  pair: Pair;
  custody: Record<Side, CustodyPort>;
  compiled(): Promise<CompiledConversion>;
}

/** The systems of the cutovers this worker serves; pools and compiled conversions are kept while it lives. */
export class World {
  private readonly pools = new Map<string, Pool>();
  /** By cutover and the hashes of its documents: an amendment makes it another. */
  private readonly cutovers = new Map<string, { hashes: string; world: Promise<CutoverWorld> }>();

  constructor(readonly options: WorldOptions) {}

  get control(): Pool {
    return this.options.control;
  }

  /**
   * Documents by hash, parsed and with their windows resolved; with `checkedAt` they must also pass `check` as of that instant.
   * Throws a SystemFault when they are unknown or broken.
   */
  async documents(
    runbookHash: string,
    planHash: string,
    now: number,
    checkedAt: number | null = null,
  ): Promise<ResolvedRun> {
    const [runbook, plan] = await Promise.all([
      getDocument(this.control, runbookHash),
      getDocument(this.control, planHash),
    ]);
    if (!runbook)
      throw new SystemFault(
        `no runbook ${runbookHash.slice(0, 12)} in control: \`cutover start\` puts it there, or name a file`,
        false,
      );
    if (!plan)
      throw new SystemFault(
        `no plan ${planHash.slice(0, 12)} in control: \`cutover start\` puts it there, or name a file`,
        false,
      );
    const packed = unpackRunbook(runbook.body);
    const parsed = parseDocuments({ ...packed, plan: plan.body, files: { ...packed.files, plan: 'plan.yaml' } });
    const { runbook: checked, conversion, plan: planned } = parsed;
    const findings = (checkedAt === null ? parsed.findings : checkRunbook(parsed, checkedAt)).filter(isError);
    if (!checked || !conversion || !planned || (checkedAt !== null && findings.length > 0))
      throw new SystemFault(`the documents of this run are broken: ${findings.map(describeFinding).join('; ')}`, false);
    return resolveRun({ runbook: checked, conversion, plan: planned }, { runbookHash, planHash }, now);
  }

  async of(cutover: string): Promise<CutoverWorld> {
    const row = await getCutover(this.control, cutover);
    if (!row) throw new SystemFault(`control knows no cutover ${cutover}`, false);
    const hashes = `${row.runbookHash} ${row.planHash}`;
    const known = this.cutovers.get(cutover);
    if (known?.hashes === hashes) return known.world;
    const opening = this.open(row);
    this.cutovers.set(cutover, { hashes, world: opening });
    opening.catch(() => {
      if (this.cutovers.get(cutover)?.world === opening) this.cutovers.delete(cutover);
    });
    return opening;
  }

  private async open(row: CutoverRow): Promise<CutoverWorld> {
    const documents = await this.documents(row.runbookHash, row.planHash, Date.now());
    const { systems, limits } = documents.runbook;
    const leaseMs = durationMs(limits.lease);
    const pool = (side: Side, use: 'data' | 'custody'): Pool => {
      const system = systems[side];
      if (system?.adapter !== 'postgres')
        throw new SystemFault(`the runbook has no postgres system called ${side}`, false);
      const url = this.options.url(system.urlEnv);
      if (!isPostgresUrl(url))
        throw new SystemFault(
          `${system.urlEnv} of the ${side} is not a PostgreSQL URL; set it to postgres://… for this worker and restart it`,
          true,
        );
      return use === 'custody'
        ? this.pool(`cutover custody ${side}`, url, leaseMs)
        : this.pool(`${DATA_SESSIONS} ${side}`, url, undefined);
    };
    const pair = { source: pool('source', 'data'), target: pool('target', 'data') };
    const custody = {
      source: postgresCustody(pool('source', 'custody')),
      target: postgresCustody(pool('target', 'custody')),
    };
    let compiled: Promise<CompiledConversion> | null = null;
    const compileOnce = (): Promise<CompiledConversion> => {
      compiled ??= compileConversion(documents.conversion, pair);
      compiled.catch(() => (compiled = null));
      return compiled;
    };
    return { row, documents, pair, custody, compiled: compileOnce };
  }

  private pool(applicationName: string, url: string, leaseMs: number | undefined): Pool {
    const key = `${applicationName} ${url}`;
    const known = this.pools.get(key);
    if (known) return known;
    const made = connect(url, { applicationName, ...(leaseMs === undefined ? {} : { leaseMs }) });
    this.pools.set(key, made);
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end()));
  }
}
