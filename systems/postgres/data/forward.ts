import { STAYS_WAVE } from '../../../domain/custody';
import type { Position } from '../../ports';
import { keptBackSql } from './columns';
import type { CompiledColumn, CompiledEntity } from './compiled';
import { ident, literal } from './names';
import { EVERYONE, type CustomerRange } from './pair';
import type { WaveHere } from './wave-here';

/** Name of the temporary table that holds an entity's affected origins, on the side the log was read. */
export const originTable = (at: number): string => `pg_temp.cutover_origin_${at}`;

/** The one column of the origins of a set entity. */
export const ORIGIN_CUSTOMER = 'cutover_customer';

const customerOf = (entity: CompiledEntity): string => `${ident(entity.alias)}.${ident(entity.sourceCustomer.name)}`;

export const targetCustomerOf = (entity: CompiledEntity, alias: string): string =>
  `${alias}.${ident(entity.targetCustomer.name)}`;

/** The mapped columns of these names, in their order. */
export const columnsNamed = (entity: CompiledEntity, names: readonly string[]): CompiledColumn[] =>
  names.flatMap((name) => entity.columns.filter((column) => column.name === name));

/** As the columns of a temporary table that they travel to, and as they leave the target's table `t`. */
export const wireColumns = (columns: readonly CompiledColumn[]): string =>
  columns.map(({ name, wire }) => `${ident(name)} ${wire}`).join(', ');
export const wireList = (columns: readonly CompiledColumn[]): string =>
  columns.map(({ name, wire }) => `t.${ident(name)}::${wire}`).join(', ');

/** The mapped columns, or those of them that are named, in that order, over the source row. */
export const forwardList = (
  entity: CompiledEntity,
  names: readonly string[] = entity.columns.map(({ name }) => name),
): string =>
  columnsNamed(entity, names)
    .map((column) => `${column.forward} as ${ident(column.name)}`)
    .join(', ');

const plainFrom = (entity: CompiledEntity): string => `${entity.relation} as ${ident(entity.alias)}`;

/** The source rows of the affected origins; a set is read customer by customer, so that its query can use indexes. */
function originFrom(entity: CompiledEntity, origins: string): { from: string; filter: string } {
  if (entity.kind === 'row') {
    const same = entity.sourceKey.map((name) => `cutover_o.${ident(name)} = ${ident(entity.alias)}.${ident(name)}`);
    return { from: plainFrom(entity), filter: `exists (select from ${origins} cutover_o where ${same.join(' and ')})` };
  }
  const customer = ident(entity.sourceCustomer.name);
  const rows = `select * from ${entity.relation} cutover_r where cutover_r.${customer} = cutover_o.${ORIGIN_CUSTOMER}`;
  return { from: `${origins} cutover_o cross join lateral (${rows}) as ${ident(entity.alias)}`, filter: 'true' };
}

function select(entity: CompiledEntity, list: string, from: string, filters: string[]): string {
  const all = [...(entity.where === null ? [] : [`(${entity.where})`]), ...filters];
  return `select ${list} from ${from} where ${all.join(' and ') || 'true'}`;
}

/**
 * Keeps the rows of the wave: by its members, or by those of the others when whoever is no member is in it, which are seldom all. A
 * lookup per row would make scans of whole tables slow. Of a range only its members are read, where both sort alike.
 */
function inWave(entity: CompiledEntity, wave: WaveHere | null, { lo, hi }: CustomerRange): string[] {
  if (wave === null) return [];
  const members = [
    `cutover_m.customer = ${customerOf(entity)}::text`,
    `cutover_m.wave ${wave.last ? '<>' : '='} ${wave.no}`,
    ...(lo === null || !entity.membersAlike ? [] : [`cutover_m.customer >= ${literal(lo)}`]),
    ...(hi === null || !entity.membersAlike ? [] : [`cutover_m.customer <= ${literal(hi)}`]),
  ];
  return [`${wave.last ? 'not ' : ''}exists (select from cutover.member cutover_m where ${members.join(' and ')})`];
}

/** `wave` null: of every wave. */
export function selectRange(
  entity: CompiledEntity,
  list: string,
  wave: WaveHere | null,
  range: CustomerRange,
  only: string[] = [],
): string {
  const filters = [...inRange(entity, 'source', customerOf(entity), range), ...inWave(entity, wave, range), ...only];
  return select(entity, list, plainFrom(entity), filters);
}

/** Predicates that hold for rows, and for origins, whose key can be mapped. */
export const mappableKey = (entity: CompiledEntity): string[] =>
  entity.kind === 'row' ? (entity.roundTrip?.mappable ?? []) : [];

/**
 * What a chunk copies. A row whose key cannot be mapped would not be found again by its key: its customer stays behind, by the first pass.
 * Of rows written before the wave's position (all of them ended before its xmin) the quarantine or a pass has asked; to ask every row
 * again cost 8 % of a copy. The chunk holds the wave's fence since before its snapshot: the position cannot be a later one.
 */
export function selectChunk(
  entity: CompiledEntity,
  wave: WaveHere,
  range: CustomerRange,
  position: Position | null,
): string {
  const since = position === null ? 'null' : literal(position);
  const asked = `age(${ident(entity.alias)}.xmin) > age(pg_snapshot_xmin(${since}::pg_snapshot)::xid)`;
  const young = mappableKey(entity).map((sql) => `(${asked} or ${sql})`);
  return selectRange(entity, forwardList(entity), wave, range, young);
}

/** `wave` null: whoever owns the rows. */
export function selectOrigins(entity: CompiledEntity, list: string, wave: WaveHere | null, origins: string): string {
  const { from, filter } = originFrom(entity, origins);
  return select(entity, list, from, [filter, ...inWave(entity, wave, EVERYONE)]);
}

const moves = (entity: CompiledEntity): string =>
  `not exists (select from cutover.member cutover_m where cutover_m.customer = ${customerOf(entity)}::text and cutover_m.wave = ${STAYS_WAVE})`;

/** The rows of the affected origins that some wave moves: those of customers who stay at the source are left out. */
export function selectMovingOrigins(entity: CompiledEntity, list: string, origins: string): string {
  const { from, filter } = originFrom(entity, origins);
  return select(entity, list, from, [filter, moves(entity), ...mappableKey(entity)]);
}

/** The named mapped columns of all rows that some wave moves; null in a row that cannot be mapped or is excluded: its customer will stay behind. */
export function selectMoving(entity: CompiledEntity, names: readonly string[]): string {
  const list = columnsNamed(entity, names).map(
    ({ name, forward }) =>
      `case when ${keptBackSql(entity.entity, [name]).join(' or ') || 'false'} then null else ${forward} end as ${ident(name)}`,
  );
  return select(entity, list.join(', '), plainFrom(entity), [moves(entity)]);
}

/** The customer as it sorts on both sides. */
export const sortable = (entity: CompiledEntity, customer: string): string =>
  entity.order === 'native' ? customer : `(${customer})::text collate "C"`;

/** Predicates that hold for customers in the range; both sides cut at the same customers. */
export function inRange(
  entity: CompiledEntity,
  side: 'source' | 'target',
  customer: string,
  { lo, hi }: CustomerRange,
): string[] {
  const { type } = side === 'source' ? entity.sourceCustomer : entity.targetCustomer;
  const bound = (text: string): string => (entity.order === 'native' ? `${literal(text)}::${type}` : literal(text));
  return [
    ...(lo === null ? [] : [`${sortable(entity, customer)} >= ${bound(lo)}`]),
    ...(hi === null ? [] : [`${sortable(entity, customer)} <= ${bound(hi)}`]),
  ];
}
