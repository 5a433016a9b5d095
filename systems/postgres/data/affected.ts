import type { PoolClient } from 'pg';
import type { CompiledEntity } from './compiled';
import { ORIGIN_CUSTOMER, originTable } from './forward';
import { ident, literal } from './names';

/** The wave's log rows visible now and not visible in `since` (PROTOCOL 7); null: all of them. */
function unappliedRows(wave: number, since: string | null, alias = 'c'): string {
  const position = since === null ? null : `${literal(since)}::pg_snapshot`;
  const fresh =
    position === null
      ? ''
      : ` and ${alias}.xid >= pg_snapshot_xmin(${position}) and not pg_visible_in_snapshot(${alias}.xid, ${position})`;
  return `${alias}.wave = ${wave}${fresh}`;
}

/** Unapplied log rows by table. The caller's snapshot decides what is visible. */
export async function changedTables(
  client: PoolClient,
  wave: number,
  since: string | null,
): Promise<{ tables: Set<string>; changes: number }> {
  const { rows } = await client.query<{ tab: string; changes: string }>(
    `select tab, count(*) as changes from cutover.change c where ${unappliedRows(wave, since)} group by tab`,
  );
  return {
    tables: new Set(rows.map((row) => row.tab)),
    changes: rows.reduce((sum, row) => sum + Number(row.changes), 0),
  };
}

/** The source tables whose log rows affect an entity. */
export const triggersOf = (entity: CompiledEntity): string[] =>
  entity.kind === 'row' ? [entity.source.name] : entity.changedBy.map(({ table }) => table.name);

/** Fills a temporary table with the distinct origins the log names: keys as columns, or customers. Returns how many. */
export async function collectOrigins(
  client: PoolClient,
  at: number,
  tables: readonly string[],
  wave: number,
  since: string | null,
  origin: { keys: { name: string; type: string }[] } | { customerType: string },
): Promise<number> {
  const log = `from cutover.change c where ${unappliedRows(wave, since)} and c.tab in (${tables.map(literal).join(', ')})`;
  const [before, after] = 'keys' in origin ? ['old_key', 'new_key'] : ['old_owner', 'new_owner'];
  const list =
    'keys' in origin
      ? origin.keys.map(({ name, type }, n) => `(v)[${n + 1}]::${type} as ${ident(name)}`).join(', ')
      : `v::${origin.customerType} as ${ORIGIN_CUSTOMER}`;
  const table = originTable(at).replace('pg_temp.', '');
  const made = await client.query(
    `create temporary table ${table} on commit drop as select ${list}
     from (select c.${before} as v ${log} union select c.${after} ${log}) named where v is not null`,
  );
  await client.query(`analyze ${table}`);
  return made.rowCount ?? 0;
}

/** The origins of an entity at the source. Returns how many. */
export async function collectSourceOrigins(
  client: PoolClient,
  entity: CompiledEntity,
  at: number,
  wave: number,
  since: string | null,
): Promise<number> {
  const origin =
    entity.kind === 'row'
      ? { keys: entity.sourceKey.map((name) => ({ name, type: typeIn(entity.sourceColumns, name) })) }
      : { customerType: entity.sourceCustomer.type };
  return collectOrigins(client, at, triggersOf(entity), wave, since, origin);
}

export const typeIn = (columns: readonly { name: string; type: string }[], name: string): string =>
  columns.find((column) => column.name === name)?.type ?? 'pg_catalog.text';
