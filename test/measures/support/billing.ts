import { MockActivityEnvironment } from '@temporalio/testing';
import type { Pool } from 'pg';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { createActivities } from '../../../activities/index';
import { World } from '../../../activities/world';
import type { Activities, EffectRef } from '../../../engine/contract';
import { fillLegacy, type LegacyFill } from '../../../local/legacy/fill';
import { projectDir } from '../../../local/paths';
import { createTarget } from '../../../local/target/schema';
import { withClient } from '../../../local/with-client';
import { packRunbook } from '../../../runbooks/load';
import type { ResolvedRun } from '../../../runbooks/resolved';
import { putDocument } from '../../../systems/control/documents';
import { installControl } from '../../../systems/control/schema';
import { connect } from '../../../systems/postgres/connect';
import { freshDatabase } from '../../support/databases';

export const CUTOVER = 'night-1';
/** Who starts the runs of these tests: a lead, and so nobody who votes. */
export const STARTER = 'marit';

const DAY_MS = 86_400_000;

/** The shipped billing runbook over three real databases: its activities run in this process, one wave's effects by hand. */
export class Billing {
  private readonly epochs = new Map<number, number>();

  private constructor(
    readonly world: World,
    readonly activities: Activities,
    readonly run: ResolvedRun,
    readonly pools: { control: Pool; source: Pool; target: Pool },
  ) {}

  /** Fills the systems and opens the cutover: customers for whom `pilot` (SQL over the legacy customer) is true are wave 1. */
  static async open(name: string, fill: LegacyFill, pilot: string): Promise<Billing> {
    const [control, source, target] = [
      await freshDatabase(`${name}_c`),
      await freshDatabase(`${name}_s`),
      await freshDatabase(`${name}_t`),
    ];
    await fillLegacy(source, fill);
    await withClient(target, createTarget);
    const open = (url: string): Pool => connect(url, { applicationName: 'test', max: 6 });
    const pools = { control: open(control), source: open(source), target: open(target) };
    await installControl(pools.control);
    const hashes = await keepDocuments(pools.control, pilot);
    const urls: Record<string, string> = { SOURCE_URL: source, TARGET_URL: target };
    const world = new World({
      control: pools.control,
      url: (env) => urls[env] ?? '',
      runs: {
        isOpen: (workflowId) => Promise.resolve(!/\/(wave|rollback)/.test(workflowId)),
        hasDied: () => Promise.resolve(false),
        closedAt: () => Promise.resolve(null),
      },
      webhookUrl: null,
      documentsDir: null,
    });
    const activities = inActivityContext(createActivities(world));
    const run = await activities.loadRun({ runbook: hashes.runbookHash, plan: hashes.planHash });
    await activities.openCutover({ cutover: CUTOVER, ...hashes, startedBy: STARTER, fresh: true });
    return new Billing(world, activities, run, pools);
  }

  ref(wave: number, step: string): EffectRef {
    return { cutover: CUTOVER, wave, step, occurrence: 1, epoch: this.epochs.get(wave) ?? 0 };
  }

  /** Copies the wave and follows the source until nothing is left to apply. Resolves to the number of excluded customers. */
  async preload(wave: number): Promise<number> {
    const { epoch } = await this.activities.raiseEpoch({ cutover: CUTOVER, wave, key: 'wave' });
    this.epochs.set(wave, epoch);
    const ref = this.ref(wave, 'preload');
    const { excluded } = await this.activities.startPreload({ ref });
    await this.activities.preloadStream({ ref, stream: 0 });
    await this.activities.catchUp({ ref: this.ref(wave, 'catch-up'), lagRows: 0 });
    return excluded;
  }

  async freeze(wave: number): Promise<void> {
    const frozen = await this.activities.freeze({ ref: this.ref(wave, 'freeze'), leaseMs: DAY_MS });
    if (frozen.outcome !== 'frozen') throw new Error(`the wave is not frozen: ${frozen.outcome}`);
    await this.activities.convert({ ref: this.ref(wave, 'convert') });
  }

  async switch(wave: number): Promise<void> {
    const switched = await this.activities.switchWave({ ref: this.ref(wave, 'switch') });
    if (switched.outcome !== 'switched') throw new Error(switched.reason);
  }

  /** What a broken disk can do: a row is another one, no guard looked, and there is no trace of it. */
  async behindTheGuard(table: string, sql: string): Promise<number> {
    const client = await this.pools.target.connect();
    try {
      await client.query('begin');
      await client.query(`alter table ${table} disable trigger cutover_guard`);
      const { rowCount } = await client.query(sql);
      await client.query(`alter table ${table} enable always trigger cutover_guard`);
      await client.query('update cutover.guarded set fingerprint = cutover.fingerprint(relation, guard)');
      await client.query('commit');
      return rowCount ?? 0;
    } finally {
      client.release();
    }
  }

  async close(): Promise<void> {
    await this.world.close();
    await Promise.all(Object.values(this.pools).map((pool) => pool.end()));
  }
}

async function keepDocuments(control: Pool, pilot: string): Promise<{ runbookHash: string; planHash: string }> {
  const read = (file: string): string => readFileSync(join(projectDir(), 'runbooks', 'billing-oss', file), 'utf8');
  const plan = parseDocument(read('plan.yaml'));
  plan.setIn(['waves', 0, 'where'], pilot);
  return {
    runbookHash: await putDocument(control, 'runbook', packRunbook(read('runbook.yaml'), read('conversion.yaml'))),
    planHash: await putDocument(control, 'plan', plan.toString()),
  };
}

/** Each call as Temporal makes it: with an activity's context around it. */
function inActivityContext(activities: Activities): Activities {
  const calls = Object.entries(activities).map(([name, call]) => [
    name,
    (input: unknown) => new MockActivityEnvironment().run(call as (input: unknown) => Promise<unknown>, input),
  ]);
  return Object.fromEntries(calls) as Activities;
}
