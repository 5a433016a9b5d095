import type { PoolClient } from 'pg';
import { collectOrigins, typeIn } from './affected';
import type { CatalogTable } from './catalog';
import type { CompiledEntity } from './compiled';
import { pipeRows } from './copy';
import { forwardList, ORIGIN_CUSTOMER, originTable, selectOrigins, targetCustomerOf, wireList } from './forward';
import { columnNames, parentsPresent } from './merge';
import { ident, identList, literal, sameKey, waveOf } from './names';
import { keepingAwake } from './transaction';

/** One entity on its way back. `at` numbers its temporary tables. */
export interface Part {
  entity: CompiledEntity;
  at: number;
  /** The source table it writes, its key, its customer column, and the columns it gives. */
  table: CatalogTable;
  key: string[];
  customer: string;
  columns: string[];
  /** Decides which rows of the source table exist; other entities of the same table only give columns. */
  primary: boolean;
}

/** Temporary tables at the source: target rows as they are, and as the source would make them. */
export const newRows = (at: number): string => `pg_temp.cutover_new_${at}`;
const oldRows = (at: number): string => `pg_temp.cutover_old_${at}`;
/** The same as source rows. */
export const newBack = (at: number): string => `pg_temp.cutover_newback_${at}`;
export const oldBack = (at: number): string => `pg_temp.cutover_oldback_${at}`;
const sourceOrigins = (at: number): string => `pg_temp.cutover_backorigin_${at}`;

const bare = (table: string): string => table.replace('pg_temp.', '');

/** Column of `newRows` that holds what has no way back. */
export const RESIDUE = 'cutover_residue';

const tableOf = (entity: CompiledEntity): string | null =>
  entity.kind === 'row' ? entity.source.name : (entity.back?.table.name ?? null);

/** Every entity that has a way back. Of those that write one table, the one made row by row decides, else the first. */
export function partsOf(entities: readonly CompiledEntity[]): Part[] {
  const deciding = (table: string): CompiledEntity | undefined =>
    entities.find((entity) => entity.kind === 'row' && tableOf(entity) === table) ??
    entities.find((entity) => tableOf(entity) === table);
  return entities.flatMap((entity, at): Part[] => {
    const table = tableOf(entity);
    const shared = { entity, at, primary: table !== null && deciding(table) === entity };
    if (entity.kind === 'set') return entity.back ? [{ ...shared, ...entity.back }] : [];
    const columns = entity.columns.flatMap(({ back }) => (back ? [back.into] : []));
    return [{ ...shared, table: entity.source, key: entity.sourceKey, customer: entity.sourceCustomer.name, columns }];
  });
}

/** Brings the affected origins and their target rows to the source, and makes source rows of both versions. */
export async function stageBack(
  source: PoolClient,
  target: PoolClient,
  part: Part,
  wave: number,
  since: string | null,
): Promise<void> {
  const { entity, at } = part;
  await keepingAwake(source, () => collectTargetOrigins(target, part, wave, since));
  await bringOrigins(source, target, part);
  const typed = entity.columns.map(({ name, stored }) => `${ident(name)} ${stored}`).join(', ');
  await source.query(`create temporary table ${bare(newRows(at))} (${typed}, ${RESIDUE} jsonb) on commit drop`);
  await source.query(`create temporary table ${bare(oldRows(at))} (${typed}) on commit drop`);
  await pipeRows(target, selectNew(entity, at, wave), source, newRows(at));
  await source.query(
    `insert into ${oldRows(at)} (${identList(columnNames(entity))}) ${selectOrigins(entity, forwardList(entity), null, sourceOrigins(at))}`,
  );
  await source.query(`create temporary table ${bare(newBack(at))} on commit drop as ${backSelect(part, newRows(at))}`);
  await source.query(`create temporary table ${bare(oldBack(at))} on commit drop as ${backSelect(part, oldRows(at))}`);
  for (const table of [newBack(at), oldBack(at)]) await source.query(`analyze ${table}`);
}

/**
 * Of rows that passed to another wave at the target a pass hands over, with their new customer, those the source still has for this wave
 * and whose parents it has and keeps: deleted here and born again there, they would lose what has no way back. The rest is left to the passes
 * of their wave. `parts` are staged, parents first.
 */
export async function leaveToOthers(source: PoolClient, parts: readonly Part[], wave: number): Promise<void> {
  const leaves = parts.flatMap(({ entity, table, key, customer, columns, at }) => {
    if (entity.kind !== 'row') return [];
    const foreignKeys = table.foreignKeys.filter((each) => each.columns.every((name) => columns.includes(name)));
    const ours = `exists (select from ${table.sql} s where ${sameKey(key, 's', 'n')} and ${waveOf(`s.${ident(customer)}`)} = ${wave})`;
    const parents = parentsPresent(foreignKeys, 'n', (parent) => staysIn(parts, parent, wave));
    return [
      `delete from ${newBack(at)} n where ${waveOf(`n.${ident(customer)}`)} <> ${wave} and not (${ours} and ${parents})`,
    ];
  });
  // Whose parent is left is left, too: of the same table, or of one that comes later, where keys go round.
  for (let left = 1; left > 0;) {
    left = 0;
    for (const leave of leaves) left += (await source.query(leave)).rowCount ?? 0;
  }
}

/** True for a row `p` of the table, unless the pass is about to delete it. */
function staysIn(parts: readonly Part[], parent: string, wave: number): string {
  const part = parts.find(({ table, primary }) => primary && table.name === parent);
  if (!part) return 'true';
  const { key, customer, at } = part;
  return `not exists (select from ${oldBack(at)} o where ${sameKey(key, 'o', 'p')} and ${waveOf(`p.${ident(customer)}`)} = ${wave}
    and not exists (select from ${newBack(at)} b where ${sameKey(key, 'b', 'o')}))`;
}

async function collectTargetOrigins(
  target: PoolClient,
  { entity, at }: Part,
  wave: number,
  since: string | null,
): Promise<void> {
  const origin =
    entity.kind === 'row'
      ? { keys: entity.target.primaryKey.map((name) => ({ name, type: typeIn(entity.target.columns, name) })) }
      : { customerType: entity.targetCustomer.type };
  await collectOrigins(target, at, [entity.target.name], wave, since, origin);
}

/** The origins at the source: in the target's words, and in the source's. */
async function bringOrigins(source: PoolClient, target: PoolClient, { entity, at }: Part): Promise<void> {
  const names = entity.kind === 'row' ? entity.targetKey : [ORIGIN_CUSTOMER];
  const wire = (name: string): string =>
    entity.columns.find((column) => column.name === (entity.kind === 'row' ? name : entity.targetCustomer.name))
      ?.wire ?? 'text';
  const table = bare(originTable(at));
  await source.query(
    `create temporary table ${table} (${names.map((name) => `${ident(name)} ${wire(name)}`).join(', ')}) on commit drop`,
  );
  const list = names.map((name) => `${ident(name)}::${wire(name)}`).join(', ');
  await pipeRows(target, `select ${list} from ${originTable(at)}`, source, originTable(at));
  const inSource =
    entity.kind === 'row'
      ? entity.keyBack.map((sql, n) => `${sql} as ${ident(entity.sourceKey[n]!)}`).join(', ')
      : `${ORIGIN_CUSTOMER}::text::${entity.sourceCustomer.type} as ${ORIGIN_CUSTOMER}`;
  await source.query(
    `create temporary table ${bare(sourceOrigins(at))} on commit drop as
     select distinct ${inSource} from ${originTable(at)} as ${ident(entity.target.bare)}`,
  );
  await source.query(`analyze ${sourceOrigins(at)}`);
}

/**
 * Target rows of the affected origins that the wave owns, and as JSON what has no way back. Of rows also those that passed to another
 * wave that lives here.
 */
function selectNew(entity: CompiledEntity, at: number, wave: number): string {
  const returning = entity.columns.filter(({ back }) => entity.kind === 'set' || back).map(({ name }) => name);
  const stays = entity.target.columns.some(({ name }) => !returning.includes(name));
  const residue = stays
    ? `jsonb_strip_nulls(to_jsonb(t) - array[${returning.map(literal).join(', ')}]::text[])`
    : `'{}'::jsonb`;
  const same =
    entity.kind === 'row'
      ? sameKey(entity.targetKey, 'o', 't')
      : `o.${ORIGIN_CUSTOMER} = ${targetCustomerOf(entity, 't')}`;
  const owner = waveOf(targetCustomerOf(entity, 't'));
  const living = `(select w.wave from cutover.wave w where w.state <> 'sealed' or w.wave = ${wave})`;
  return `select ${wireList(entity.columns)}, ${residue} from ${entity.target.sql} t
    where exists (select from ${originTable(at)} o where ${same}) and ${entity.kind === 'row' ? `${owner} in ${living}` : `${owner} = ${wave}`}`;
}

/**
 * Source rows out of target rows. A query's `target` is these rows; its `customers` are the affected customers, so that one
 * who has no row left can still be given one.
 */
function backSelect({ entity, at, columns, table }: Part, rows: string): string {
  if (entity.kind === 'row') {
    const list = entity.columns.flatMap(({ back }) => (back ? [`${back.sql} as ${ident(back.into)}`] : [])).join(', ');
    return `select ${list} from ${rows} as ${ident(entity.target.bare)}`;
  }
  const list = columns.map((name) => `q.${ident(name)}::${typeIn(table.columns, name)} as ${ident(name)}`).join(', ');
  return `with target as (select ${identList(columnNames(entity))} from ${rows}),
      customers as (select distinct ${ORIGIN_CUSTOMER} as customer from ${originTable(at)})
    select ${list} from (${entity.back?.query ?? ''}) q`;
}
