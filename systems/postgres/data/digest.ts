/**
 * Canonical digests of mapped rows, for both sides. Built from the conversion document by code of its own: a mistake of the
 * copier must not repeat itself here (promise CONTENT). Types, names and the wave rule are all that is shared.
 */
import type { EntityColumn } from '../../../runbooks/schema/conversion';
import type { CompiledColumn, CompiledEntity } from './compiled';
import type { WaveHere } from './wave-here';

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

/** Types of which two values are equal only when their bytes are: hashed as they are, which takes half the time. */
const PLAIN = /^pg_catalog\."?(bool|int2|int4|int8|date|time|timestamp|timestamptz|uuid|bytea)"?$/;
const TEXT = /^pg_catalog\."?(text|varchar)"?$/;
/** A column that says its scale stores it with each value, so that equal values have equal bytes. */
const SCALED = /^numeric\(/;

/** What the hash of a row reads of a column: the value, where a hash tells all that its bytes tell, else the bytes. */
function hashed(column: CompiledColumn, value: string, image: string): string {
  if (PLAIN.test(column.wire)) return value;
  // PostgreSQL hashes NaN as it does null.
  if (SCALED.test(column.stored)) return `${value}, (${value}) is null`;
  return TEXT.test(column.wire) ? `(${value}) collate "C"` : image;
}

/** One side of an entity: where its rows come from, the bytes of each column, and what is hashed of each. */
export interface Side {
  from: string;
  images: Map<string, string>;
  hashed: string[];
}

function side(entity: CompiledEntity, from: string, value: (column: CompiledColumn) => string, stored: boolean): Side {
  const image = (column: CompiledColumn): string =>
    bytes(column, stored ? value(column) : asStored(column, value(column)));
  return {
    from,
    images: new Map(entity.columns.map((column) => [column.name, image(column)])),
    hashed: entity.columns.map((column) => hashed(column, value(column), image(column))),
  };
}

/** The members of a stretch: the others need not be read to know the wave of its rows. */
const membersOf = (entity: CompiledEntity, scope: Scope): string[] =>
  scope === 'listed' || !entity.membersAlike
    ? []
    : [
        ...(scope.after === null ? [] : [`cutover_m.customer > ${text(scope.after)}`]),
        ...(scope.upTo === null ? [] : [`cutover_m.customer <= ${text(scope.upTo)}`]),
      ];

/** Asks only for the members of this wave, or of the others when whoever is no member is in this one: seldom for all of them. */
function inWave({ no, last }: WaveHere, customer: string, range: string[] = []): string {
  const member = [`cutover_m.customer = cast(${customer} as text)`, `cutover_m.wave ${last ? '<>' : '='} ${no}`];
  return `${last ? 'not ' : ''}exists (select from cutover.member cutover_m where ${[...member, ...range].join(' and ')})`;
}

/** The listed customers that are in the wave: the rows found by them need not be asked again. */
const listed = (wave: WaveHere): string =>
  `(select cutover_listed_customer from ${LISTED} where ${inWave(wave, 'cutover_listed_customer')}) cutover_l`;

function stretch(entity: CompiledEntity, customer: string, type: string, scope: Scope): string[] {
  if (scope === 'listed') return [];
  const [left, cast] = entity.order === 'native' ? [customer, `::${type}`] : [`(${customer})::text collate "C"`, ''];
  return [
    ...(scope.after === null ? [] : [`${left} > ${text(scope.after)}${cast}`]),
    ...(scope.upTo === null ? [] : [`${left} <= ${text(scope.upTo)}${cast}`]),
  ];
}

export function sourceSide(entity: CompiledEntity, wave: WaveHere, scope: Scope): Side {
  const alias = quote(entity.alias);
  const column = quote(entity.sourceCustomer.name);
  const { type } = entity.sourceCustomer;
  const own = `${alias}.${column}`;
  const table =
    scope === 'listed'
      ? `${listed(wave)} cross join lateral (select * from ${entity.relation} cutover_s
           where cutover_s.${column} = cutover_l.cutover_listed_customer::${type}) as ${alias}`
      : `${entity.relation} as ${alias}`;
  const member = scope === 'listed' ? [] : [inWave(wave, own, membersOf(entity, scope))];
  const conditions = [...member, ...stretch(entity, own, type, scope)];
  const document = entity.entity.from;
  if ('table' in document && document.where !== undefined) conditions.push(`(${document.where})`);
  const values = entity.columns.map((each) => `${mappedValue(entity, each)} as ${quote(each.name)}`).join(', ');
  // Without the offset PostgreSQL would write each mapping out wherever its value is used, and compute it as often.
  const from = `(select ${values} from ${table} where ${conditions.join(' and ') || 'true'} offset 0) cutover_v`;
  return side(entity, from, (each) => `cutover_v.${quote(each.name)}`, false);
}

export function targetSide(entity: CompiledEntity, wave: WaveHere, scope: Scope): Side {
  const column = quote(entity.targetCustomer.name);
  const { type } = entity.targetCustomer;
  const table =
    scope === 'listed'
      ? `${listed(wave)} join ${entity.target.sql} held on held.${column} = cutover_l.cutover_listed_customer::${type}`
      : `${entity.target.sql} held`;
  const member = scope === 'listed' ? [] : [inWave(wave, `held.${column}`, membersOf(entity, scope))];
  const conditions = [...member, ...stretch(entity, `held.${column}`, type, scope)];
  const from = `${table} where ${conditions.join(' and ') || 'true'}`;
  return side(entity, from, (each) => `cast(held.${quote(each.name)} as ${each.wire})`, true);
}

/** Count and two sums over row hashes, the second of them scrambled; addition makes the order of rows not matter, and doubles show. */
export const summarySql = (side: Side): string =>
  `select count(*)::text as rows, coalesce(sum(h), 0) || '/' || coalesce(sum(hashint8extended(h, 8761)), 0) as digest
    from (select hash_record_extended(row(${side.hashed.join(', ')}), 0) as h from ${side.from} offset 0) hashed`;

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
