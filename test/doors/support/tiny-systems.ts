import { MockActivityEnvironment } from '@temporalio/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { createActivities } from '../../../activities/index';
import { World } from '../../../activities/world';
import type { EffectRef } from '../../../engine/contract';
import { projectDir } from '../../../local/paths';
import { packRunbook } from '../../../runbooks/load';
import { putDocument } from '../../../systems/control/documents';
import { installControl } from '../../../systems/control/schema';
import { connect } from '../../../systems/postgres/connect';
import { TINY_SOURCE_SQL, TINY_TARGET_SQL, tinyFillSql } from '../../runbooks/tiny/schema';
import { loadConfig } from '../../../workers/config';
import { freshDatabase } from '../../support/databases';

const CUSTOMERS = 10;

export async function query<R>(url: string, sql: string): Promise<R[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows as R[];
  } finally {
    await client.end();
  }
}

/** The same URL with one part of it changed. */
export function changed(url: string, change: (parsed: URL) => void): string {
  const parsed = new URL(url);
  change(parsed);
  return parsed.toString();
}

export const readOnly = (url: string): Promise<unknown> =>
  query(
    url,
    `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
  );

export interface Urls {
  SOURCE_URL: string;
  TARGET_URL: string;
}

/** Both systems of the tiny runbook, filled, and what a worker would be told about them. */
export class TinySystems {
  private constructor(
    readonly control: Pool,
    readonly actual: Urls,
    private readonly told: Partial<Urls>,
    private readonly hashes: { runbookHash: string; planHash: string },
    private readonly putAway: () => unknown,
  ) {}

  /** `tell` changes what the worker is told, or the systems, and may return what puts that away; `conversion` and `plan` change the documents. */
  static async open(
    tell: (urls: Partial<Urls>, actual: Urls) => Promise<unknown> | void,
    conversion: (text: string) => string = (text) => text,
    plan: (text: string) => string = (text) => text,
  ): Promise<TinySystems> {
    const [control, source, target] = [
      await freshDatabase('door_c'),
      await freshDatabase('door_s'),
      await freshDatabase('door_t'),
    ];
    await query(source, TINY_SOURCE_SQL + tinyFillSql(CUSTOMERS));
    await query(target, TINY_TARGET_SQL);
    const pool = connect(control, { applicationName: 'test', max: 4 });
    await installControl(pool);
    const read = (file: string): string => readFileSync(join(projectDir(), 'test', 'runbooks', 'tiny', file), 'utf8');
    const packed = packRunbook(read('runbook.yaml'), conversion(read('conversion.yaml')));
    const hashes = {
      runbookHash: await putDocument(pool, 'runbook', packed),
      planHash: await putDocument(pool, 'plan', plan(read('plan.yaml'))),
    };
    const actual = { SOURCE_URL: source, TARGET_URL: target };
    const told: Partial<Urls> = { ...actual };
    const putAway = await tell(told, actual);
    return new TinySystems(
      pool,
      actual,
      told,
      hashes,
      typeof putAway === 'function' ? (putAway as () => unknown) : nothing,
    );
  }

  /** Opens the cutover and copies its wave as a run would; throws what the run would be told. */
  async copy(): Promise<{ excluded: number; rows: number }> {
    const world = new World({
      control: this.control,
      url: loadConfig({ CONTROL_URL: 'postgres://not.asked/x', ...this.told }).url,
      runs: {
        isOpen: (workflowId) => Promise.resolve(!/\/(wave|rollback)/.test(workflowId)),
        hasDied: () => Promise.resolve(false),
        closedAt: () => Promise.resolve(null),
      },
      webhookUrl: null,
      documentsDir: null,
    });
    const activities = createActivities(world);
    const run = <I, O>(call: (input: I) => Promise<O>, input: I): Promise<O> =>
      new MockActivityEnvironment({}, { logger: silent }).run(call, input);
    try {
      await run(activities.openCutover, { cutover: 'c', ...this.hashes, startedBy: 'ada', fresh: true });
      const { epoch } = await run(activities.raiseEpoch, { cutover: 'c', wave: 1, key: 'wave' });
      const ref: EffectRef = { cutover: 'c', wave: 1, step: 'preload', occurrence: 1, epoch };
      const { excluded } = await run(activities.startPreload, { ref });
      const { rows } = await run(activities.preloadStream, { ref, stream: 0 });
      return { excluded, rows };
    } finally {
      await world.close();
    }
  }

  /** Everything customers have, on both sides, as text. */
  async contents(): Promise<string> {
    const rows = (tables: string[]): string =>
      tables
        .map((table) => `select '${table}' as t, x::text as line from ${table} x`)
        .join(' union all ')
        .concat(' order by 1, 2');
    const source = await query(this.actual.SOURCE_URL, rows(['tiny.customer', 'tiny.note']));
    const target = await query(this.actual.TARGET_URL, rows(['shop.client', 'shop.memo']));
    return JSON.stringify({ source, target });
  }

  async close(): Promise<void> {
    await this.control.end();
    await this.putAway();
  }
}

const nothing = (): void => undefined;
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
