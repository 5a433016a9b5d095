import { Pool, type PoolClient } from 'pg';
import { fillLegacy } from '../../local/legacy/fill';
import { createTarget } from '../../local/target/schema';
import { withClient } from '../../local/with-client';
import type { Conversion } from '../../runbooks/schema/conversion';
import type { Runbook } from '../../runbooks/schema/runbook';
import { compileConversion } from '../../systems/postgres/data/compile';
import type { CompiledEntity, RowEntity, SetEntity } from '../../systems/postgres/data/compiled';
import { install, seedWaves } from '../../systems/postgres/schema';
import { tinyFillSql, TINY_SOURCE_SQL, TINY_TARGET_SQL } from '../runbooks/tiny/schema';
import { freshDatabase } from '../support/databases';
import { readFolder } from '../support/local-documents';

interface Case {
  folder: string;
  makeSource: (url: string) => Promise<void>;
  makeTarget: (url: string) => Promise<void>;
  customer: string;
  payloads: Record<string, object>;
}

const CASES: Case[] = [
  {
    folder: 'runbooks/billing-oss',
    makeSource: (url) => fillLegacy(url, { customers: 2_500, seed: 3 }),
    makeTarget: (url) => withClient(url, createTarget),
    customer: 'C0000007',
    payloads: {
      order: { reference: 'r-1', kind: 'repair' },
      payment: { reference: 'r-2', amount: '12.30', invoice: '21' },
      ticket: { reference: 'r-3', subject: 'No dial tone' },
      'contact-change': { reference: 'r-4', email: 'new@example.net' },
    },
  },
  {
    folder: 'test/runbooks/tiny',
    makeSource: (url) =>
      withClient(url, async (client) => void (await client.query(TINY_SOURCE_SQL + tinyFillSql(50)))),
    makeTarget: (url) => withClient(url, async (client) => void (await client.query(TINY_TARGET_SQL))),
    customer: 't7',
    payloads: { note: { text: 'hello' } },
  },
];

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** Rows as sorted JSON text, which keeps the scale of numbers and the microseconds of times. */
const rowsOf = async (client: PoolClient | Pool, query: string, values: unknown[] = []): Promise<string[]> => {
  const { rows } = await client.query<{ row: string }>(
    `select to_jsonb(q)::text as row from (${query}) q order by 1`,
    values,
  );
  return rows.map(({ row }) => row);
};

const forward = (entity: CompiledEntity, relation: string): string =>
  `select ${entity.columns.map((column) => `${column.forward} as "${column.name}"`).join(', ')} from ${relation} as "${entity.alias}"`;

describe.each(CASES)('the conversion of $folder', (one) => {
  const docs = readFolder(one.folder);
  if (!docs.runbook || !docs.conversion) throw new Error('the documents cannot be read');
  const runbook: Runbook = docs.runbook;
  const conversion: Conversion = docs.conversion;
  let source: Pool;
  let target: Pool;
  let entities: CompiledEntity[];

  beforeAll(async () => {
    const [sourceUrl, targetUrl] = [await freshDatabase('conversion_source'), await freshDatabase('conversion_target')];
    await one.makeSource(sourceUrl);
    await one.makeTarget(targetUrl);
    source = new Pool({ connectionString: sourceUrl, max: 3 });
    target = new Pool({ connectionString: targetUrl, max: 3 });
    for (const [pool, side] of [
      [source, 'source'],
      [target, 'target'],
    ] as const) {
      await install(pool, side);
      await seedWaves(pool, side, [{ wave: 1, name: 'one' }, { wave: 2, name: 'two' }]); // prettier-ignore
    }
    await source.query(
      `insert into cutover.member (customer, wave) select "${runbook.population.key}", 1 from ${runbook.population.from} limit 20`,
    );
    entities = (await compileConversion(conversion, { source, target })).entities.filter(({ id }) => id !== 'effect');
  });

  afterAll(() => Promise.all([source.end(), target.end()]));

  const excluded = (): string => {
    const rules = Object.values(conversion.entities).flatMap((entity) =>
      'table' in entity.from ? (entity.rules ?? []).map((rule) => ({ rule, from: entity.from })) : [],
    );
    const parts = rules.flatMap(({ rule, from }) =>
      rule.then === 'exclude' && 'table' in from
        ? [`select ${from.customer} as c from ${from.table} where ${rule.when}`]
        : [],
    );
    return parts.length > 0 ? parts.join(' union ') : 'select null::text as c where false';
  };

  /** The mapping of a whole entity, but for excluded customers. */
  const mapped = (entity: CompiledEntity): Promise<string[]> =>
    rowsOf(
      source,
      `${forward(entity, entity.relation)} where "${entity.alias}"."${entity.sourceCustomer.name}" not in (${excluded()})`,
    );

  it('maps every row of every table into the types, checks and foreign keys of the target', async () => {
    const client = await target.connect();
    try {
      for (const reference of Object.values(conversion.reference ?? {})) {
        const list = Object.entries(reference.columns).map(([name, expression]) => `${expression} as "${name}"`);
        const rows = await rowsOf(source, `select ${list.join(', ')} from ${reference.from}`);
        await client.query(
          `insert into ${reference.to} select * from jsonb_populate_recordset(null::${reference.to}, $1::jsonb)`,
          [`[${rows.join(',')}]`],
        );
      }
      for (const entity of entities) {
        const rows = await mapped(entity);
        expect([entity.id, rows.length > 0]).toEqual([entity.id, true]);
        const names = quoted(entity.columns.map(({ name }) => name));
        await client.query(
          `insert into ${entity.target.sql} (${names}) select ${names} from jsonb_populate_recordset(null::${entity.target.sql}, $1::jsonb)`,
          [`[${rows.join(',')}]`],
        );
        expect([entity.id, await rowsOf(client, `select ${names} from ${entity.target.sql}`)]).toEqual([
          entity.id,
          rows,
        ]);
      }
    } finally {
      client.release();
    }
  });

  it('finds no row that cannot be mapped, and lets every validity predicate run', async () => {
    for (const entity of entities)
      for (const [name, column] of Object.entries(entity.entity.columns)) {
        if (typeof column === 'string' || column.valid === undefined) continue;
        const { rows } = await source.query<{ n: string }>(
          `select count(*) n from ${entity.relation} as "${entity.alias}" where (${column.valid}) is not true`,
        );
        expect([entity.id, name, rows[0]?.n]).toEqual([entity.id, name, '0']);
      }
  });

  const relationOf = (entity: CompiledEntity): string =>
    `jsonb_to_recordset($1::jsonb) as "${entity.target.bare}"(${entity.columns.map(({ name, wire }) => `"${name}" ${wire}`).join(', ')})`;

  it('comes back: a source row made anew from its target row maps to the same target row', async () => {
    for (const entity of entities.filter((each): each is RowEntity => each.kind === 'row')) {
      const rows = await mapped(entity);
      const back = entity.columns.flatMap((column) =>
        column.back ? [`${column.back.sql} as "${column.back.into}"`] : [],
      );
      const again = await rowsOf(source, forward(entity, `(select ${back.join(', ')} from ${relationOf(entity)})`), [
        `[${rows.join(',')}]`,
      ]);
      expect([entity.id, again]).toEqual([entity.id, rows]);
    }
  });

  it('comes back by its own query where a table is split or merged', async () => {
    for (const entity of entities.filter((each): each is SetEntity => each.kind === 'set')) {
      const { back } = entity;
      if (!back) throw new Error(`${entity.id} has no way back`);
      const rows = await mapped(entity);
      const client = await source.connect();
      try {
        await client.query('begin');
        const others = back.columns.filter((name) => !back.key.includes(name));
        await client.query(`update ${back.table.sql} set ${others.map((name) => `"${name}" = '?'`).join(', ')}`);
        const same = back.key.map((name) => `mine."${name}" = b."${name}"`).join(' and ');
        await client.query(
          `with target as (select * from ${relationOf(entity)}), customers as (select "${entity.targetCustomer.name}" as customer from target)
           update ${back.table.sql} mine set ${others.map((name) => `"${name}" = b."${name}"`).join(', ')} from (${back.query}) b where ${same}`,
          [`[${rows.join(',')}]`],
        );
        const scrambled = `select 1 from ${back.table.sql} where ${others.map((name) => `"${name}" = '?'`).join(' and ')}`;
        const left = await rowsOf(client, `${scrambled} and "${back.customer}" not in (${excluded()})`);
        expect([entity.id, left]).toEqual([entity.id, []]);
        const again = await rowsOf(
          client,
          `${forward(entity, entity.relation)} where "${entity.alias}"."${entity.sourceCustomer.name}" not in (${excluded()})`,
        );
        expect([entity.id, again]).toEqual([entity.id, rows]);
      } finally {
        await client.query('rollback');
        client.release();
      }
    }
  });

  it('reads every measure and every total as one number, of a wave and of all waves', async () => {
    const pairs = [
      ...Object.entries(runbook.totals),
      ...runbook.success.flatMap((measure) => ('sql' in measure ? [[measure.id, measure.sql] as const] : [])),
    ];
    expect(pairs.length).toBeGreaterThan(0);
    for (const [id, pair] of pairs) {
      const all: string[] = [];
      for (const wave of [null, 1, 2]) {
        const { rows } = await source.query<Record<string, unknown>>(pair.source, [wave]);
        const values = rows.map((row) => Object.values(row).map(String));
        expect([id, wave, values]).toEqual([id, wave, [[expect.stringMatching(/^-?\d+(\.\d+)?$/)]]]);
        all.push(values[0]?.[0] ?? '');
        const there = await target.query<Record<string, unknown>>(pair.target, [wave]);
        expect([id, there.rows.length, Object.keys(there.rows[0] ?? {}).length]).toEqual([id, 1, 1]);
      }
      expect([id, Number(all[1]) + Number(all[2])]).toEqual([id, expect.closeTo(Number(all[0]), 2)]);
    }
  });

  it('counts the open work of each stock, and puts each customer into one wave', async () => {
    for (const [id, work] of Object.entries(runbook.work)) {
      if (!('from' in work)) continue;
      const { rows } = await source.query<{ n: string }>(
        `select count(*) filter (where ${work.customer} is not null and ${work.key} is not null) as n from ${work.from} where ${work.open}`,
      );
      expect([id, rows[0]?.n]).toEqual([id, expect.stringMatching(/^\d+$/)]);
    }
    for (const wave of docs.plan?.waves ?? []) {
      const { rows } = await source.query<{ share: number }>(
        `select avg((${wave.where ?? 'true'})::int)::float8 as share from ${runbook.population.from}`,
      );
      if (wave.where) expect(rows[0]?.share).toBeCloseTo(0.1, 1);
    }
    await source.query(`select count(*) from ${runbook.population.from} where ${runbook.population.active ?? 'true'}`);
  });

  /** Changes when any row of a mapped table of this side does. */
  const fingerprint = async (pool: Pool): Promise<string> => {
    const tables = entities.flatMap((entity) => {
      if (pool === target) return [entity.target.sql];
      return entity.kind === 'row' ? [entity.source.sql] : [];
    });
    const digests = tables.map((table) => `(select md5(string_agg(t::text, '|' order by t::text)) from ${table} t)`);
    const { rows } = await pool.query<{ all: string }>(`select concat_ws(' ', ${digests.join(', ')}) as all`);
    return rows[0]?.all ?? '';
  };

  it('carries out every request on both sides, each changing a row', async () => {
    for (const { entity, target: table } of entities) {
      if (!entity.to.sequence) continue;
      const { name, startAbove } = entity.to.sequence;
      await target.query(`select setval($1, (select max(${table.primaryKey[0]}) from ${table.sql}) + $2)`, [
        name,
        startAbove,
      ]);
    }
    expect(Object.keys(runbook.requests).sort()).toEqual(Object.keys(one.payloads).sort());
    for (const [kind, request] of Object.entries(runbook.requests)) {
      for (const [pool, sql] of [
        [source, request.source],
        [target, request.target],
      ] as const) {
        const before = await fingerprint(pool);
        const result = await pool.query(sql, [JSON.stringify(one.payloads[kind]), one.customer]);
        expect([kind, result.rowCount]).toEqual([kind, 1]);
        expect([kind, (await fingerprint(pool)) !== before]).toEqual([kind, true]);
      }
    }
  });

  it('states with each rule what becomes of its rows, and the rule finds some', async () => {
    for (const entity of entities)
      for (const rule of entity.entity.rules ?? []) {
        const { rows } = await source.query<{ key: string }>(
          `select ${entity.sourceCustomer.name} as key from ${entity.relation} as "${entity.alias}" where ${rule.when}`,
        );
        expect([rule.id, rows.length > 0]).toEqual([rule.id, true]);
        const keys = rows.map(({ key }) => key);
        const there = await target.query(
          `select * from ${entity.target.sql} where "${entity.targetCustomer.name}" = any ($1)`,
          [keys],
        );
        expect([rule.id, there.rowCount]).toEqual([rule.id, rule.then === 'exclude' ? 0 : keys.length]);
      }
  });
});
