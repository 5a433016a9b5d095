import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../activities';
import { World } from '../../activities/world';
import type { Activities, EffectRef } from '../../engine/contract';
import { projectDir } from '../../local/paths';
import type { PostgresServer } from '../../local/postgres';
import { withClient } from '../../local/with-client';
import { packRunbook } from '../../runbooks/load';
import { putDocument } from '../../systems/control/documents';
import { dropChunks } from '../../systems/control/chunks';
import { installControl } from '../../systems/control/schema';
import { connect } from '../../systems/postgres/connect';
import type { Pair } from '../../systems/postgres/data/pair';
import { database } from '../place';
import { fillSql, SOURCE_INDEX_SQL, SOURCE_SQL, TARGET_SQL } from './schema';

const CUTOVER = 'bench';
const WAVE = 1;
const FOLDER = join(projectDir(), 'bench', 'company');
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

type Result<K extends keyof Activities> = Awaited<ReturnType<Activities[K]>>;

export interface Servers {
  source: PostgresServer;
  target: PostgresServer;
}

/**
 * A source with customers, an opened cutover of them, and as many fresh targets as rounds need. What is measured are the
 * activities as workers run them, outside Temporal.
 */
export class Company {
  private world: World | null = null;
  private round = 0;
  targetName = '';
  epoch = 0;

  private constructor(
    readonly servers: Servers,
    readonly customers: number,
    readonly sourceUrl: string,
    private readonly control: Pool,
  ) {}

  static async open(servers: Servers, customers: number): Promise<Company> {
    const name = `source_${customers}`;
    const url = await database(servers.source, name, SOURCE_SQL);
    await withClient(url, async (client) => {
      await client.query(fillSql(customers));
      await client.query(SOURCE_INDEX_SQL);
      await client.query('vacuum analyze');
    });
    const controlUrl = await database(servers.source, `control_${customers}`, '');
    const control = connect(controlUrl, { applicationName: 'bench control' });
    const company = new Company(servers, customers, url, control);
    await installControl(control);
    const runbookHash = await putDocument(
      control,
      'runbook',
      packRunbook(read('runbook.yaml'), read('conversion.yaml')),
    );
    const planHash = await putDocument(control, 'plan', read('plan.yaml'));
    await database(servers.target, `empty_${customers}`, TARGET_SQL);
    company.enter(`empty_${customers}`);
    await company.act('openCutover', { cutover: CUTOVER, runbookHash, planHash, startedBy: 'ada', fresh: true });
    await withClient(url, (client) => client.query('vacuum analyze'));
    await company.leave();
    return company;
  }

  /** Opens the cutover over an empty target like any other round's, and forgets what an earlier round copied. */
  async freshTarget(): Promise<void> {
    await this.leave();
    const before = this.targetName;
    const name = `target_${this.customers}_${this.round++}`;
    await database(this.servers.target, name, '', `empty_${this.customers}`);
    if (before.startsWith('target_'))
      await withClient(this.servers.target.url('postgres'), (client) => client.query(`drop database ${before}`));
    this.enter(name);
    await this.raise();
    await dropChunks(this.control, { cutover: CUTOVER, wave: WAVE, epoch: this.epoch });
  }

  /** Makes every older attempt void, as a new run of the step would. */
  async raise(): Promise<void> {
    const key = `bench/${this.epoch}/${this.round}`;
    this.epoch = (await this.act('raiseEpoch', { cutover: CUTOVER, wave: WAVE, key })).epoch;
  }

  ref(step: string): EffectRef {
    return { cutover: CUTOVER, wave: WAVE, step, occurrence: 1, epoch: this.epoch };
  }

  /** Runs an activity as a worker would. */
  async act<K extends keyof Activities>(name: K, input: Parameters<Activities[K]>[0]): Promise<Result<K>> {
    if (!this.world) throw new Error('no target is open');
    const activity = createActivities(this.world)[name] as (given: typeof input) => Promise<Result<K>>;
    return new MockActivityEnvironment().run<[typeof input], Result<K>, typeof activity>(activity, input);
  }

  async pair(): Promise<Pair> {
    if (!this.world) throw new Error('no target is open');
    return (await this.world.of(CUTOVER)).pair;
  }

  targetUrl(): string {
    return this.servers.target.url(this.targetName);
  }

  /** The custody of a wave as it was before its switch, by hand: the next round moves it again. */
  async takeBack(): Promise<void> {
    const { source, target } = await this.pair();
    await source.query(`update cutover.wave set state = 'open', frozen_at = null, lease_until = null where wave = $1`, [
      WAVE,
    ]);
    await source.query(`update cutover.fence set position = null where key = 'wave/${WAVE}'`);
    await target.query(`update cutover.wave set state = 'sealed' where wave = $1`, [WAVE]);
    await this.control.query(`update control.wave set custody = 'source' where wave = $1`, [WAVE]);
    await this.raise();
  }

  /** A copy of the target as it is, without guards and logs; resolves to its URL. */
  async copyTarget(): Promise<string> {
    const name = this.targetName;
    await this.leave();
    const url = await database(
      this.servers.target,
      `bare_${this.customers}`,
      'drop schema cutover cascade; analyze',
      name,
    ).finally(() => this.enter(name));
    return url;
  }

  private enter(targetName: string): void {
    this.targetName = targetName;
    const urls: Record<string, string> = { SOURCE_URL: this.sourceUrl, TARGET_URL: this.targetUrl() };
    this.world = new World({
      control: this.control,
      url: (name) => urls[name] ?? '',
      runs: {
        isOpen: (workflowId) => Promise.resolve(!/\/(wave|rollback)/.test(workflowId)),
        hasDied: () => Promise.resolve(false),
        closedAt: () => Promise.resolve(null),
      },
      webhookUrl: null,
      documentsDir: null,
    });
  }

  /** Closes every connection to the target: it may be copied or dropped then. */
  private async leave(): Promise<void> {
    await this.world?.close();
    this.world = null;
  }

  async close(): Promise<void> {
    await this.leave();
    await this.control.end();
  }
}
