import type { Entity, EntityColumn } from '../../../runbooks/schema/conversion';
import type { CatalogColumn } from './catalog';

const BARE_COLUMN = /^[a-z_][a-z0-9_]*$/;

export const asList = (key: string | string[]): string[] => (typeof key === 'string' ? [key] : key);

/** The expression over the source row. */
const toOf = (column: EntityColumn): string => (typeof column === 'string' ? column : column.to);

export const validOf = (column: EntityColumn): string | undefined =>
  typeof column === 'string' ? undefined : column.valid;

/** True for a source row whose value of the column cannot be mapped and is not replaced by a `set` rule; null where any can. */
export function invalidSql(entity: Entity, name: string): string | null {
  const column = entity.columns[name];
  const predicate = column === undefined ? undefined : validOf(column);
  if (predicate === undefined) return null;
  const replaced = setRules(entity).filter(({ set }) => set[name] !== undefined);
  return [`(${predicate}) is not true`, ...replaced.map(({ when }) => `(${when}) is not true`)].join(' and ');
}

/** What keeps a row back: that one of the named columns cannot be mapped, or an `exclude` rule. True or false, never null. */
export const keptBackSql = (entity: Entity, names: readonly string[]): string[] => [
  ...names.flatMap((name) => invalidSql(entity, name) ?? []),
  ...(entity.rules ?? []).flatMap(({ then, when }) => (then === 'exclude' ? [`(${when}) is true`] : [])),
];

export interface SetRule {
  id: string;
  when: string;
  set: Record<string, string>;
}

export const setRules = (entity: Entity): SetRule[] =>
  (entity.rules ?? []).flatMap((rule) =>
    rule.then === 'exclude' ? [] : [{ id: rule.id, when: rule.when, set: rule.then.set }],
  );

/** The mapping of one column with the rules that set it: the first rule that holds wins. */
export function forwardExpression(entity: Entity, name: string, wire: string): string {
  const cast = (expression: string): string => `(${expression})::${wire}`;
  const mapped = entity.columns[name];
  const plain = mapped === undefined ? `null::${wire}` : cast(toOf(mapped));
  const branches = setRules(entity).flatMap((rule) =>
    rule.set[name] === undefined ? [] : [`when (${rule.when}) then ${cast(rule.set[name])}`],
  );
  return branches.length === 0 ? plain : `case ${branches.join(' ')} else ${plain} end`;
}

/** Every target column that gets a value: mapped, or set by a rule alone. */
export const targetColumns = (entity: Entity): string[] => [
  ...new Set([...Object.keys(entity.columns), ...setRules(entity).flatMap((rule) => Object.keys(rule.set))]),
];

/**
 * The declared way back of a column, or the obvious one: a plain rename between columns of the same type. `source` holds the
 * columns that may be written. `into` is
 * null when a way back is declared without saying which source column it writes.
 */
export function backOf(
  name: string,
  column: EntityColumn | undefined,
  target: CatalogColumn,
  source: readonly CatalogColumn[],
): { into: string | null; sql: string } | null {
  if (column === undefined) return null;
  const bare = BARE_COLUMN.test(toOf(column)) ? toOf(column) : null;
  if (typeof column !== 'string' && column.back !== undefined)
    return { into: column.into ?? bare, sql: `(${column.back})` };
  const same = source.find((candidate) => candidate.name === bare);
  return same && same.wire === target.wire ? { into: same.name, sql: `"${name}"` } : null;
}
