import type { PoolClient } from 'pg';
import { readColumns, type CatalogColumn } from './catalog';

export interface Described {
  columns: CatalogColumn[];
  /** `schema.table` of every table the query reads, through views as well. */
  tables: string[];
  /** The views it reads them through; `sql` is quoted. */
  views: { name: string; sql: string }[];
}

/** `position` and the rest of PostgreSQL's message about a statement: it quotes the runbook, never rows. */
export interface Refused {
  refused: string;
}

const READ_BY_VIEW = `
  with recursive seen as (
    select $1::oid as view
    union
    select d.refobjid from seen s
    join pg_rewrite r on r.ev_class = s.view
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where d.refobjid <> s.view
  )
  select distinct n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as sql, c.relkind = 'v' as view
  from seen s join pg_class c on c.oid = s.view join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'f', 'm', 'v') and c.oid <> $1 order by 1`;

/** Lets PostgreSQL read a query: a temporary view is made and taken back. Needs an open transaction. */
export async function describeQuery(client: PoolClient, query: string): Promise<Described | Refused> {
  await client.query('savepoint describing');
  try {
    await client.query(`create temporary view cutover_described as ${query}`);
    const found = await client.query<{ oid: number }>(
      `select 'pg_temp.cutover_described'::regclass::oid::int8::int as oid`,
    );
    const oid = found.rows[0]!.oid;
    const columns = await readColumns(client, oid);
    const { rows } = await client.query<{ name: string; sql: string; view: boolean }>(READ_BY_VIEW, [oid]);
    const tables = rows.filter(({ view }) => !view).map(({ name }) => name);
    const views = rows.filter(({ view }) => view).map(({ name, sql }) => ({ name, sql }));
    return { columns, tables, views };
  } catch (error) {
    if (error instanceof Error && 'severity' in error) return { refused: error.message };
    throw error;
  } finally {
    await client.query('rollback to savepoint describing');
  }
}
