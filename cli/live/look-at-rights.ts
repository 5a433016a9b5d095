import type { Pool } from 'pg';
import { bad, ok, warn, type Diagnosis } from '../doctor/finding';

/**
 * Relations by the names a conversion gives them. `to_regclass` would refuse to look into a schema the role may not enter, which is what is
 * to be found out.
 */
export const namedRelation = (name: string): string =>
  `c.relname = split_part(${name}, '.', -1) and case when strpos(${name}, '.') > 0
     then c.relnamespace = (select oid from pg_namespace where nspname = split_part(${name}, '.', 1)) else pg_table_is_visible(c.oid) end`;

/** What the steps of a cutover do to one table of a side. */
export interface TableUse {
  table: string;
  /** A guard is put on it, which only its owner may; whoever is a member of the owner has its other rights too. */
  guarded: boolean;
  privileges: readonly ('SELECT' | 'INSERT' | 'UPDATE' | 'DELETE')[];
  /** The steps that need it. */
  steps: string;
}

export interface Uses {
  tables: readonly TableUse[];
  sequences: readonly { name: string; steps: string }[];
  /** Schemas that are read as a whole, such as that of a queue. */
  schemas: readonly { name: string; steps: string }[];
}

interface Missing {
  grant: string;
  what: string;
  steps: string;
}

/** Rights the role lacks, each with the statement that gives it; one finding that says so when it lacks none. */
export async function lookAtRights(what: string, pool: Pool, uses: Uses): Promise<Diagnosis[]> {
  const role = await readRole(pool);
  const owners = await missingOwners(pool, role.name, uses.tables);
  const missing = [
    ...databaseRights(role),
    ...owners.missing,
    ...(await tableRights(pool, role.name, uses.tables, owners.tables)),
    ...(await sequenceRights(pool, role.name, uses.sequences, owners.owners)),
    ...(await schemaRights(pool, role.name, uses.schemas)),
  ];
  const names = role.statistics
    ? []
    : [
        warn(
          what,
          `${role.name} may not see how long others have been at work: who holds up a freeze is named without it`,
          `grant pg_read_all_stats to ${role.name};`,
        ),
      ];
  if (missing.length === 0) return [ok(what, `${role.name} has the rights every step needs`), ...names];
  return [
    ...missing.map(({ grant, what: lacks, steps }) => bad(what, `${lacks} (needed by ${steps})`, grant)),
    ...names,
  ];
}

interface Role {
  name: string;
  database: string;
  create: boolean;
  temporary: boolean;
  statistics: boolean;
  /** Owner of schema `cutover`; null before it is there. */
  owner: string | null;
  owns: boolean;
}

async function readRole(pool: Pool): Promise<Role> {
  const { rows } = await pool.query<Role>(
    `select quote_ident(current_user) as name, quote_ident(current_database()) as database,
       has_database_privilege(current_database(), 'CREATE') as create,
       has_database_privilege(current_database(), 'TEMPORARY') as temporary,
       pg_has_role('pg_read_all_stats', 'USAGE') as statistics,
       (select quote_ident(pg_get_userbyid(nspowner)) from pg_namespace where nspname = 'cutover') as owner,
       coalesce((select pg_has_role(nspowner, 'USAGE') from pg_namespace where nspname = 'cutover'), true) as owns`,
  );
  return rows[0]!;
}

function databaseRights({ name, database, create, temporary, owner, owns }: Role): Missing[] {
  const found: Missing[] = [];
  if (owner === null && !create)
    found.push({
      grant: `grant create on database ${database} to ${name};`,
      what: `${name} may not create schema cutover`,
      steps: 'the start of the run',
    });
  if (!owns)
    found.push({
      grant: `grant ${owner} to ${name};`,
      what: `schema cutover belongs to ${owner}`,
      steps: 'every step',
    });
  if (!temporary)
    found.push({
      grant: `grant temporary on database ${database} to ${name};`,
      what: `${name} may not make temporary tables`,
      steps: 'preload, catchUp, convert, verify, rollback',
    });
  return found;
}

/** Owners of guarded tables the role is no member of, each once. */
async function missingOwners(
  pool: Pool,
  role: string,
  uses: readonly TableUse[],
): Promise<{ missing: Missing[]; tables: ReadonlySet<string>; owners: ReadonlySet<string> }> {
  const guarded = uses.filter((use) => use.guarded).map((use) => use.table);
  const { rows } = await pool.query<{ owner: string; tables: string[] }>(
    `select quote_ident(pg_get_userbyid(c.relowner)) as owner, array_agg(t order by t) as tables
     from unnest($1::text[]) t join pg_class c on ${namedRelation('t')}
     where not pg_has_role(c.relowner, 'USAGE') group by 1 order by 1`,
    [guarded],
  );
  return {
    missing: rows.map(({ owner, tables }) => ({
      grant: `grant ${owner} to ${role};`,
      what: `${tables.join(', ')} ${tables.length === 1 ? 'belongs' : 'belong'} to ${owner}, and only an owner may put a guard on a table`,
      steps: 'preload; all steps then write and read there',
    })),
    tables: new Set(rows.flatMap(({ tables }) => tables)),
    owners: new Set(rows.map(({ owner }) => owner)),
  };
}

/** What the membership of `covered` would not bring. */
async function tableRights(
  pool: Pool,
  role: string,
  uses: readonly TableUse[],
  covered: ReadonlySet<string>,
): Promise<Missing[]> {
  const found: Missing[] = [];
  const schemas = new Set<string>();
  for (const { table, privileges, steps } of uses) {
    const { rows } = await pool.query<{ schema: string; usage: boolean; lacks: string[] }>(
      `select quote_ident(n.nspname) as schema, has_schema_privilege(n.oid, 'USAGE')
           or ($3 and has_schema_privilege(c.relowner, n.oid, 'USAGE')) as usage,
         array(select p from unnest($2::text[]) p where not has_table_privilege(c.oid, p)) as lacks
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${namedRelation('$1::text')}`,
      [table, privileges, covered.has(table)],
    );
    const row = rows[0];
    if (!row) continue;
    if (!row.usage && !schemas.has(row.schema)) {
      schemas.add(row.schema);
      found.push({
        grant: `grant usage on schema ${row.schema} to ${role};`,
        what: `${role} may not enter schema ${row.schema}`,
        steps,
      });
    }
    if (row.lacks.length > 0 && !covered.has(table))
      found.push({
        grant: `grant ${row.lacks.join(', ').toLowerCase()} on ${table} to ${role};`,
        what: `${role} lacks ${row.lacks.join(', ')} on ${table}`,
        steps,
      });
  }
  return found;
}

async function sequenceRights(
  pool: Pool,
  role: string,
  uses: Uses['sequences'],
  covered: ReadonlySet<string>,
): Promise<Missing[]> {
  const found: Missing[] = [];
  for (const { name, steps } of uses) {
    const { rows } = await pool.query<{ owner: string; may: boolean; kind: string }>(
      `select quote_ident(pg_get_userbyid(c.relowner)) as owner, c.relkind::text as kind,
         c.relkind = 'S' and has_sequence_privilege(c.oid, 'SELECT') and has_sequence_privilege(c.oid, 'UPDATE') as may
       from pg_class c where ${namedRelation('$1::text')}`,
      [name],
    );
    const row = rows[0];
    if (row?.kind !== 'S')
      found.push({ grant: 'correct its name in the conversion', what: `there is no sequence ${name}`, steps });
    else if (!row.may && !covered.has(row.owner))
      found.push({
        grant: `grant select, update on sequence ${name} to ${role};`,
        what: `${role} may not move sequence ${name} past the keys of the other side`,
        steps,
      });
  }
  return found;
}

async function schemaRights(pool: Pool, role: string, uses: Uses['schemas']): Promise<Missing[]> {
  const found: Missing[] = [];
  for (const { name, steps } of uses) {
    const { rows } = await pool.query<{ schema: string; usage: boolean; reads: boolean }>(
      `select quote_ident(n.nspname) as schema, has_schema_privilege(n.oid, 'USAGE') as usage,
         coalesce((select bool_and(has_table_privilege(c.oid, 'SELECT')) from pg_class c
           where c.relnamespace = n.oid and c.relkind in ('r', 'p')), true) as reads
       from pg_namespace n where n.nspname = $1`,
      [name],
    );
    const row = rows[0];
    if (!row)
      found.push({
        grant: `start the queue's application once, which makes it`,
        what: `there is no schema ${name}`,
        steps,
      });
    if (row && !row.usage)
      found.push({
        grant: `grant usage on schema ${row.schema} to ${role};`,
        what: `${role} may not enter schema ${name}`,
        steps,
      });
    if (row && !row.reads)
      found.push({
        grant: `grant select on all tables in schema ${row.schema} to ${role};`,
        what: `${role} may not read all of schema ${name}`,
        steps,
      });
  }
  return found;
}

/** The control database needs one right only, and only once. */
export async function lookAtControlRights(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<{
    role: string;
    database: string;
    create: boolean;
    owner: string | null;
    owns: boolean;
  }>(
    `select quote_ident(current_user) as role, quote_ident(current_database()) as database,
       has_database_privilege(current_database(), 'CREATE') as create,
       (select quote_ident(pg_get_userbyid(nspowner)) from pg_namespace where nspname = 'control') as owner,
       coalesce((select pg_has_role(nspowner, 'USAGE') from pg_namespace where nspname = 'control'), true) as owns`,
  );
  const { role, database, create, owner, owns } = rows[0]!;
  if (owner === null && !create)
    return [
      bad(
        what,
        `${role} may not create schema control (needed by cutover start)`,
        `grant create on database ${database} to ${role};`,
      ),
    ];
  if (!owns)
    return [bad(what, `schema control belongs to ${owner} (needed by every step)`, `grant ${owner} to ${role};`)];
  return [ok(what, `${role} has the rights every step needs`)];
}
