import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../connect';
import { readTable } from '../data/catalog';
import type { DatabasePicture, TablePicture, ViewPicture } from './picture';

/** Above this many rows the planner's estimate is told instead of a count. */
const COUNTED_AT_MOST = 2_000_000;
/** A count that takes longer is given up: the business goes on here. */
const COUNT_MS = 10_000;

/** Schemas of PostgreSQL, of extensions, and of `cutover` itself are no part of a system. */
const OWN_SCHEMAS = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'cutover', 'control', 'pgboss')
  and ($1::text[] is null or n.nspname = any ($1))
  and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')`;

const TABLES = `
  select format('%I.%I', n.nspname, c.relname) as sql, n.nspname as schema, c.oid::int8::int as oid,
    case when c.relkind = 'p' then 'partitioned'
         when exists (select from pg_inherits i where c.oid in (i.inhparent, i.inhrelid)) then 'inherited'
         else 'ordinary' end as kind,
    c.reltuples::float8 as estimate, c.relrowsecurity as "rowSecurity",
    array(select t.tgname::text from pg_trigger t
      where t.tgrelid = c.oid and not t.tgisinternal and t.tgname !~ '^cutover_' and t.tgenabled <> 'D' order by 1) as triggers
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and ${OWN_SCHEMAS} order by 1`;

const VIEWS = `
  select n.nspname || '.' || c.relname as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'foreign table' end as kind,
    array(select distinct tn.nspname || '.' || t.relname from pg_rewrite r
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
      where r.ev_class = c.oid and t.oid <> c.oid order by 1) as reads
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('v', 'm', 'f') and ${OWN_SCHEMAS} order by 1`;

const SEQUENCES = `
  select a.attname as "column", n.nspname || '.' || s.relname as sequence from pg_attribute a
  join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refclassid = 'pg_class'::regclass
  join pg_class s on s.oid = p.refobjid and s.relkind = 'S' join pg_namespace n on n.oid = s.relnamespace
  where a.attrelid = $1
  union
  select a.attname, n.nspname || '.' || s.relname from pg_attribute a
  join pg_depend p on p.refclassid = 'pg_class'::regclass and p.refobjid = a.attrelid and p.refobjsubid = a.attnum
    and p.classid = 'pg_class'::regclass and p.deptype = 'i'
  join pg_class s on s.oid = p.objid and s.relkind = 'S' join pg_namespace n on n.oid = s.relnamespace
  where a.attrelid = $1 and a.attidentity <> ''`;

const LABELS = `
  select a.attname as "column", array_agg(e.enumlabel::text order by e.enumsortorder) as labels
  from pg_attribute a join pg_enum e on e.enumtypid = a.atttypid
  where a.attrelid = $1 and a.attnum > 0 group by 1`;

const CHECKS = `
  select pg_get_constraintdef(con.oid) as definition,
    array(select a.attname::text from pg_attribute a where a.attrelid = con.conrelid and a.attnum = any (con.conkey)) as columns
  from pg_constraint con where con.conrelid = $1 and con.contype = 'c'`;

const QUOTED = `
  select attname as "column", quote_ident(attname) as quoted from pg_attribute where attrelid = $1 and attnum > 0 and not attisdropped`;

const LOOSE_SEQUENCES = `
  select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'S' and ${OWN_SCHEMAS} order by 1`;

interface Row {
  sql: string;
  schema: string;
  oid: number;
  kind: TablePicture['kind'];
  estimate: number;
  rowSecurity: boolean;
  triggers: string[];
}

/** Reads the catalog of a database and counts its rows. `schemas`: only these; null: all of its own. Throws a SystemFault. */
export async function readPicture(pool: Pool, schemas: string[] | null): Promise<DatabasePicture> {
  return withTransaction(pool, { isolation: 'repeatable read', readOnly: true }, async (client) => {
    await client.query(`set local statement_timeout = ${COUNT_MS}`);
    const { rows: server } = await client.query<{ version: string; versionNumber: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber"`,
    );
    const { rows } = await client.query<Row>(TABLES, [schemas]);
    const tables: TablePicture[] = [];
    for (const row of rows) tables.push(await readOne(client, row));
    const { rows: views } = await client.query<ViewPicture>(VIEWS, [schemas]);
    const { rows: sequences } = await client.query<{ name: string }>(LOOSE_SEQUENCES, [schemas]);
    const used = new Set(tables.flatMap((table) => Object.values(table.sequences)));
    const looseSequences = sequences.map(({ name }) => name).filter((name) => !used.has(name));
    return { ...server[0]!, tables, views, looseSequences };
  });
}

async function readOne(client: PoolClient, row: Row): Promise<TablePicture> {
  const table = (await readTable(client, row.sql))!;
  const pairs = async <V>(sql: string, value: string): Promise<Record<string, V>> => {
    const { rows } = await client.query<Record<string, unknown>>(sql, [row.oid]);
    return Object.fromEntries(rows.map((each) => [each['column'] as string, each[value] as V]));
  };
  const { schema, kind, rowSecurity, triggers } = row;
  return {
    ...table,
    schema,
    kind,
    rowSecurity,
    triggers,
    sequences: await pairs<string>(SEQUENCES, 'sequence'),
    labels: await pairs<string[]>(LABELS, 'labels'),
    quoted: await pairs<string>(QUOTED, 'quoted'),
    checks: (await client.query<TablePicture['checks'][number]>(CHECKS, [row.oid])).rows,
    rows: await countRows(client, row),
  };
}

/** An estimate for large tables; null where counting is not allowed, or takes too long. */
async function countRows(client: PoolClient, { sql, estimate }: Row): Promise<number | null> {
  if (estimate > COUNTED_AT_MOST) return Math.round(estimate);
  await client.query('savepoint counting');
  try {
    const { rows } = await client.query<{ rows: string }>(`select count(*) as rows from ${sql}`);
    return Number(rows[0]?.rows ?? 0);
  } catch (error) {
    if (!(error instanceof Error && 'severity' in error)) throw error;
    await client.query('rollback to savepoint counting');
    return null;
  } finally {
    await client.query('release savepoint counting').catch(() => undefined);
  }
}
