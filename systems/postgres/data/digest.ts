/**
 * Canonical digests of mapped rows, for both sides. Built from the conversion document by code of its own: a mistake of the
 * copier must not repeat itself here (promise CONTENT). Types, names and the wave rule are all that is shared.
 */
import type { EntityColumn } from '../../../runbooks/schema/conversion';
import type { CompiledColumn, CompiledEntity } from './compiled';

/** Which rows are read: a stretch of customers (`after` excluded, `upTo` included, null open), or listed customers. */
export type Scope = { after: string | null; upTo: string | null } | 'listed';

/** Temporary table of listed customers, on both sides. */
export const LISTED = 'cutover_listed';

const quote = (name: string): string => '"' + name.split('"').join('""') + '"';
const text = (value: string): string => "'" + value.split("'").join("''") + "'";

const bytes = (column: CompiledColumn, value: string): string => `${column.send}(${value})`;

/** Types whose equal values differ in their bytes by what the column that stores them adds: scale, or blanks. */
const FITTED = /^pg_catalog\."?_?(numeric|bpchar)"?$/;

function mappedValue(entity: CompiledEntity, column: CompiledColumn): string {
  const document: EntityColumn | undefined = entity.entity.columns[column.name];
  let value = document === undefined ? 'null' : typeof document === 'string' ? document : document.to;
  value = `cast((${value}) as ${column.wire})`;
  for (const rule of (entity.entity.rules ?? []).toReversed()) {
    if (rule.then === 'exclude') continue;
    const other = rule.then.set[column.name];
    if (other !== undefined)
      value = `(case when (${rule.when}) is true then cast((${other}) as ${column.wire}) else ${value} end)`;
  }
  return value;
}

/** What the target adds (5 stored as 5.00, blanks up to its length) is no change; what rounds or cuts is, and stays visible. */
const asStored = (column: CompiledColumn, value: string): string =>
  FITTED.test(column.wire)
    ? `(case when cast(${value} as ${column.stored}) = ${value} then cast(${value} as ${column.stored}) else ${value} end)`
    : value;

/** One side of an entity: where its rows come from and the bytes of each column. */
interface Side {
  from: string;
  images: Map<string, string>;
}

/** Joins membership under names no mapping uses, so that its columns stay unambiguous. `range`: conditions on its customers. */
const membership = (customer: string, range: string[] = []): string =>
  `left join (select customer as cutover_mc, wave as cutover_mw from cutover.member where ${range.join(' and ') || 'true'}) cutover_held
     on cutover_mc = cast(${customer} as text)`;

/** The members of a stretch: the others need not be read to know the wave of its rows. */
const membersOf = (entity: CompiledEntity, scope: Scope): string[] =>
  scope === 'listed' || !entity.membersAlike
    ? []
    : [
        ...(scope.after === null ? [] : [`customer > ${text(scope.after)}`]),
        ...(scope.upTo === null ? [] : [`customer <= ${text(scope.upTo)}`]),
      ];

const inWave = (wave: number): string =>
  `coalesce(cutover_mw, (select max(last.wave) from cutover.wave last)) = ${wave}`;

/** The listed customers that are in the wave: the rows found by them need not be asked again. */
const listed = (wave: number): string =>
  `(select cutover_listed_customer from ${LISTED} ${membership('cutover_listed_customer')} where ${inWave(wave)}) cutover_l`;

function stretch(entity: CompiledEntity, customer: string, type: string, scope: Scope): string[] {
  if (scope === 'listed') return [];
  const [left, cast] = entity.order === 'native' ? [customer, `::${type}`] : [`(${customer})::text collate "C"`, ''];
  return [
    ...(scope.after === null ? [] : [`${left} > ${text(scope.after)}${cast}`]),
    ...(scope.upTo === null ? [] : [`${left} <= ${text(scope.upTo)}${cast}`]),
  ];
}

export function sourceSide(entity: CompiledEntity, wave: number, scope: Scope): Side {
  const alias = quote(entity.alias);
  const column = quote(entity.sourceCustomer.name);
  const { type } = entity.sourceCustomer;
  const own = `${alias}.${column}`;
  const table =
    scope === 'listed'
      ? `${listed(wave)} cross join lateral (select * from ${entity.relation} cutover_s
           where cutover_s.${column} = cutover_l.cutover_listed_customer::${type}) as ${alias}`
      : `${entity.relation} as ${alias} ${membership(own, membersOf(entity, scope))}`;
  const conditions = [...(scope === 'listed' ? [] : [inWave(wave)]), ...stretch(entity, own, type, scope)];
  const document = entity.entity.from;
  if ('table' in document && document.where !== undefined) conditions.push(`(${document.where})`);
  const values = entity.columns.map((each) => `${mappedValue(entity, each)} as ${quote(each.name)}`).join(', ');
  const images = new Map(
    entity.columns.map((each) => [each.name, bytes(each, asStored(each, `cutover_v.${quote(each.name)}`))]),
  );
  // Without the offset PostgreSQL would write each mapping out wherever its value is used, and compute it as often.
  return {
    from: `(select ${values} from ${table} where ${conditions.join(' and ') || 'true'} offset 0) cutover_v`,
    images,
  };
}

export function targetSide(entity: CompiledEntity, wave: number, scope: Scope): Side {
  const column = quote(entity.targetCustomer.name);
  const { type } = entity.targetCustomer;
  const table =
    scope === 'listed'
      ? `${listed(wave)} join ${entity.target.sql} held on held.${column} = cutover_l.cutover_listed_customer::${type}`
      : `${entity.target.sql} held ${membership(`held.${column}`, membersOf(entity, scope))}`;
  const conditions = [...(scope === 'listed' ? [] : [inWave(wave)]), ...stretch(entity, `held.${column}`, type, scope)];
  const images = new Map(
    entity.columns.map((each) => [each.name, bytes(each, `cast(held.${quote(each.name)} as ${each.wire})`)]),
  );
  return { from: `${table} where ${conditions.join(' and ') || 'true'}`, images };
}

/** Count and two sums over row hashes, the second of them scrambled; addition makes the order of rows not matter, and doubles show. */
export const summarySql = (side: Side): string =>
  `select count(*)::text as rows, coalesce(sum(h), 0) || '/' || coalesce(sum(hashint8extended(h, 8761)), 0) as digest
    from (select hash_record_extended(row(${[...side.images.values()].join(', ')}), 0) as h from ${side.from} offset 0) hashed`;

const keyHash = (entity: CompiledEntity, side: Side): string =>
  `encode(sha256(convert_to(row(${entity.targetKey.map((name) => side.images.get(name)!).join(', ')})::text, 'UTF8')), 'hex')`;

/** Per row: a digest of its key and one of the whole row. */
export const rowsSql = (entity: CompiledEntity, side: Side): string =>
  `select ${keyHash(entity, side)} as key, md5(row(${[...side.images.values()].join(', ')})::text) as image from ${side.from}`;

/** Per row among the given keys (`$1`): a digest of each column, in the entity's order. */
export const columnsSql = (entity: CompiledEntity, side: Side): string => {
  const digests = [...side.images.values()].map((image) => `coalesce(md5(${image}), '')`);
  return `select key, images from (select ${keyHash(entity, side)} as key, array[${digests.join(', ')}] as images from ${side.from}) digested
    where key = any ($1)`;
};
