import type { PoolClient } from 'pg';

/** A column as PostgreSQL knows it. */
export interface CatalogColumn {
  name: string;
  /** The column's own type, quoted and without a length, fit for a cast in its own database. */
  type: string;
  /** The built-in type its values travel as: base type of a domain, text for an enum. Null: none known. */
  wire: string | null;
  /** `wire` with the column's own length or scale: what a value becomes when it is stored. */
  stored: string;
  /** The type's binary output function, used by digests. */
  send: string;
  notNull: boolean;
  hasDefault: boolean;
  generated: boolean;
  identityAlways: boolean;
  /** Says whether two databases sort its values alike: null when the type has no collation. */
  collation: string | null;
}

export interface CatalogUnique {
  name: string;
  /** Empty for an index over expressions. */
  columns: string[];
  primary: boolean;
  deferrable: boolean;
  partial: boolean;
}

export interface CatalogForeignKey {
  name: string;
  /** `schema.table` it points at. */
  parent: string;
  columns: string[];
  parentColumns: string[];
}

export interface CatalogTable {
  /** `schema.table`, unquoted: the name under which changes are logged. */
  name: string;
  bare: string;
  /** Quoted, fit for SQL. */
  sql: string;
  columns: CatalogColumn[];
  primaryKey: string[];
  uniques: CatalogUnique[];
  foreignKeys: CatalogForeignKey[];
}

const COLUMNS = `
  with recursive base as (
    select t.oid as of, t.oid, -1 as mod, t.typtypmod, t.typtype, t.typbasetype, t.typname, t.typnamespace, t.typcategory, t.typsend
    from pg_type t
    union all
    select b.of, t.oid, b.typtypmod, t.typtypmod, t.typtype, t.typbasetype, t.typname, t.typnamespace, t.typcategory, t.typsend
    from base b join pg_type t on t.oid = b.typbasetype where b.typtype = 'd'
  )
  select a.attname as name, format('%I.%I', tn.nspname, ty.typname) as type,
    case when b.typtype = 'e' then 'pg_catalog.text'
         when b.typname ~ '^_?reg' then null -- regclass and its kin name objects of one database by their numbers there
         when bn.nspname = 'pg_catalog' then format('pg_catalog.%I', b.typname)
         when b.typcategory = 'S' then 'pg_catalog.text' end as wire,
    case when b.typtype <> 'e' and bn.nspname = 'pg_catalog'
         then format_type(b.oid, case when ty.typtype = 'd' then b.mod else a.atttypmod end) else 'text' end as stored,
    case when b.typtype = 'e' or bn.nspname <> 'pg_catalog' then 'textsend' else b.typsend::regproc::text end as send,
    a.attnotnull as "notNull", (a.atthasdef or a.attidentity <> '') as "hasDefault", a.attgenerated <> '' as generated,
    a.attidentity = 'a' as "identityAlways",
    case when a.attcollation = 0 then null
         when c.collname = 'default' then
           (select case when d.datcollate in ('C', 'POSIX') and d.datlocprovider = 'c' then 'C'
                        else concat_ws('/', d.datlocprovider, d.datcollate, to_jsonb(d) ->> 'datlocale') end
            from pg_database d where d.datname = current_database())
         else c.collname end as collation
  from pg_attribute a
  join pg_type ty on ty.oid = a.atttypid join pg_namespace tn on tn.oid = ty.typnamespace
  join base b on b.of = ty.oid and b.typtype <> 'd' join pg_namespace bn on bn.oid = b.typnamespace
  left join pg_collation c on c.oid = a.attcollation
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;

const UNIQUES = `
  select coalesce(con.conname, ic.relname) as name, i.indisprimary as primary, coalesce(con.condeferrable, false) as deferrable,
    i.indpred is not null as partial,
    case when i.indexprs is null then
      (select coalesce(array_agg(a.attname::text order by k.n), '{}') from unnest(i.indkey::int2[]) with ordinality k (num, n)
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num where k.n <= i.indnkeyatts)
      else '{}' end as columns
  from pg_index i join pg_class ic on ic.oid = i.indexrelid
  left join pg_constraint con on con.conindid = i.indexrelid and con.contype in ('p', 'u')
  where i.indrelid = $1 and i.indisunique`;

const FOREIGN_KEYS = `
  select con.conname as name, pn.nspname || '.' || p.relname as parent,
    (select array_agg(a.attname::text order by k.n) from unnest(con.conkey) with ordinality k (num, n)
     join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num) as columns,
    (select array_agg(a.attname::text order by k.n) from unnest(con.confkey) with ordinality k (num, n)
     join pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.num) as "parentColumns"
  from pg_constraint con join pg_class p on p.oid = con.confrelid join pg_namespace pn on pn.oid = p.relnamespace
  where con.conrelid = $1 and con.contype = 'f'`;

/** Columns of a relation: a table, or the temporary view of a query. */
export async function readColumns(client: PoolClient, oid: number): Promise<CatalogColumn[]> {
  return (await client.query<CatalogColumn>(COLUMNS, [oid])).rows;
}

/** A table with its columns, keys and foreign keys; null when there is no such table. */
export async function readTable(client: PoolClient, name: string): Promise<CatalogTable | null> {
  const { rows } = await client.query<{ oid: number; schema: string; bare: string; sql: string }>(
    `select c.oid::int8::int as oid, n.nspname as schema, c.relname as bare, format('%I.%I', n.nspname, c.relname) as sql
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1) and c.relkind in ('r', 'p')`,
    [name],
  );
  const found = rows[0];
  if (!found) return null;
  const columns = await readColumns(client, found.oid);
  const uniques = (await client.query<CatalogUnique>(UNIQUES, [found.oid])).rows;
  const foreignKeys = (await client.query<CatalogForeignKey>(FOREIGN_KEYS, [found.oid])).rows;
  return {
    name: `${found.schema}.${found.bare}`,
    bare: found.bare,
    sql: found.sql,
    columns,
    primaryKey: uniques.find((unique) => unique.primary)?.columns ?? [],
    uniques,
    foreignKeys,
  };
}
