import type { PoolClient } from 'pg';
import type { CatalogForeignKey } from './catalog';
import type { CompiledEntity } from './compiled';
import { originTable, targetCustomerOf } from './forward';
import { ident, identList, imagesDiffer, sameKey, waveOf } from './names';

/** Name of the temporary table at the target that holds an entity's new rows. */
export const stageTable = (at: number): string => `pg_temp.cutover_stage_${at}`;

/** Name of the temporary table at the target that says which rows of the affected origins the source holds, in any wave. */
export const heldTable = (at: number): string => `pg_temp.cutover_held_${at}`;

export const columnNames = (entity: CompiledEntity): string[] => entity.columns.map(({ name }) => name);

/** The columns that name an origin at the target: the key of a row, or the customer of a set. */
export const originColumns = (entity: CompiledEntity): string[] =>
  entity.kind === 'row' ? entity.targetKey : [entity.targetCustomer.name];

async function emptyLike(client: PoolClient, table: string, entity: CompiledEntity, columns: string[]): Promise<void> {
  await client.query(
    `create temporary table ${table.replace('pg_temp.', '')} on commit drop as
     select ${identList(columns)} from ${entity.target.sql} with no data`,
  );
}

export const createStage = (client: PoolClient, entity: CompiledEntity, at: number): Promise<void> =>
  emptyLike(client, stageTable(at), entity, columnNames(entity));

/** What makes a row of the target the same row as one of the source: its key, and whose it is. */
export const heldColumns = (entity: CompiledEntity): string[] => [
  ...new Set([...entity.targetKey, entity.targetCustomer.name]),
];

export const createHeld = (client: PoolClient, entity: CompiledEntity, at: number): Promise<void> =>
  emptyLike(client, heldTable(at), entity, heldColumns(entity));

export const createTargetOrigins = (client: PoolClient, entity: CompiledEntity, at: number): Promise<void> =>
  emptyLike(client, originTable(at), entity, originColumns(entity));

/**
 * Inserts what is new and updates what differs; rows that are equal to the byte are not touched. A key that is equal without
 * being the same (another case of citext, 1.0 for 1.00) is written too. Returns rows written.
 */
export async function upsertStage(
  client: PoolClient,
  entity: CompiledEntity,
  at: number,
  filter = 'true',
): Promise<number> {
  const names = columnNames(entity);
  const given = (name: string): boolean =>
    entity.target.columns.some((column) => column.name === name && column.identityAlways);
  const values = names.filter((name) => !given(name));
  const overriding = names.some(given) ? 'overriding system value' : '';
  const update = values.map((name) => `${ident(name)} = excluded.${ident(name)}`).join(', ');
  const onConflict =
    values.length === 0
      ? 'do nothing'
      : `do update set ${update} where ${imagesDiffer(identList(values, 'cutover_t'), identList(values, 'excluded'))}`;
  const result = await client.query(
    `insert into ${entity.target.sql} as cutover_t (${identList(names)}) ${overriding}
     select ${identList(names, 's')} from ${stageTable(at)} s where ${filter}
     on conflict (${identList(entity.targetKey)}) ${onConflict}`,
  );
  return result.rowCount ?? 0;
}

const unstaged = (entity: CompiledEntity, at: number): string =>
  `${sameKey(originColumns(entity), 't', 'o')} and not exists (select from ${stageTable(at)} s where ${sameKey(entity.targetKey, 's', 't')})`;

/** Whether the target has rows of affected origins that are not staged: `deleteGone` then asks why. */
export async function hasUnstaged(client: PoolClient, entity: CompiledEntity, at: number): Promise<boolean> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int from ${entity.target.sql} t, ${originTable(at)} o where ${unstaged(entity, at)}`,
  );
  return rows[0]!.count > 0;
}

/**
 * Deletes target rows of affected origins that are not staged and that the source does not hold for the same customer in
 * any wave: a row that moved to another wave belongs to that wave's passes (PROTOCOL 7), and what nobody holds, or only
 * for a customer who stays, is stale, whatever wave its customer is in by now. Rows of a wave that the target owns are its own and never touched.
 */
export async function deleteGone(client: PoolClient, entity: CompiledEntity, at: number): Promise<Written> {
  return writing(
    client,
    entity,
    `delete from ${entity.target.sql} t using (select distinct * from ${originTable(at)}) o
     where ${unstaged(entity, at)}
       and not exists (select from ${heldTable(at)} h where ${sameKey(heldColumns(entity), 'h', 't')})
       and exists (select from cutover.wave w where w.wave = ${waveOf(targetCustomerOf(entity, 't'))} and w.state = 'sealed')`,
  );
}

/** Rows a statement wrote, and the waves of their customers: what `vouchFor` asks. */
export interface Written {
  rows: number;
  waves: number[];
}

/** `statement` writes the entity's table under the alias `t`. */
export async function writing(client: PoolClient, entity: CompiledEntity, statement: string): Promise<Written> {
  const { rows } = await client.query<Written>(
    `with written as (${statement} returning ${targetCustomerOf(entity, 't')} as customer)
     select count(*)::int as rows, coalesce(array_agg(distinct ${waveOf('written.customer')}), '{}') as waves from written`,
  );
  return rows[0]!;
}

/** Waves of the staged rows, and of those of other customers that they take the place of. */
export async function stagedWaves(client: PoolClient, entity: CompiledEntity, at: number): Promise<number[]> {
  const customer = ident(entity.targetCustomer.name);
  const { rows } = await client.query<{ wave: number }>(
    `select distinct coalesce(m.wave, (select max(wave) from cutover.wave)) as wave
     from (select s.${customer}::text as owner from ${stageTable(at)} s
           union all
           select t.${customer}::text from ${stageTable(at)} s join ${entity.target.sql} t on ${sameKey(entity.targetKey, 's', 't')}
           where t.${customer} is distinct from s.${customer}) owners
     left join cutover.member m on m.customer = owners.owner`,
  );
  return rows.map(({ wave }) => wave);
}

/** True for a row under that alias whose parents are there, or that names none. `counts`: which rows `p` of a table count as there. */
export function parentsPresent(
  parents: readonly CatalogForeignKey[],
  row: string,
  counts: (parent: string) => string = () => 'true',
): string {
  const checks = parents.map(({ parent, columns, parentColumns }) => {
    const named = columns.map((name) => `${row}.${ident(name)} is not null`).join(' and ');
    const same = columns.map((name, n) => `p.${ident(parentColumns[n]!)} = ${row}.${ident(name)}`).join(' and ');
    const table = parent.split('.').map(ident).join('.');
    return `(not (${named}) or exists (select from ${table} p where ${same} and ${counts(parent)}))`;
  });
  return checks.join(' and ') || 'true';
}
