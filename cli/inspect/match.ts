import type { CatalogColumn } from '../../systems/postgres/data/catalog';
import type { DatabasePicture, TablePicture } from '../../systems/postgres/inspect/picture';
import { convertible } from './expressions';
import { ALIKE, commonPrefix, namesAlike, withoutPrefix, wordsOf } from './names';
import type { Owners, Ownership } from './owners';

export interface ColumnPair {
  source: CatalogColumn;
  target: CatalogColumn;
  /** 0 to 1; below 0.8 a person should look. */
  likeness: number;
}

export interface TablePair {
  source: TablePicture;
  target: TablePicture;
}

/** A table or column may stand in one pair only; the likeliest pairs are made first. */
function pairUp<S, T>(candidates: { source: S; target: T; likeness: number }[]): typeof candidates {
  const [sources, targets] = [new Set<S>(), new Set<T>()];
  return candidates
    .sort((left, right) => right.likeness - left.likeness)
    .filter(({ source, target }) => {
      if (sources.has(source) || targets.has(target)) return false;
      sources.add(source);
      targets.add(target);
      return true;
    });
}

/** Which table becomes which: as `wanted` says, the customers, then by names and by what their columns are called. */
export function pairTables(
  databases: { source: DatabasePicture; target: DatabasePicture },
  owners: { source: Owners; target: Owners },
  wanted: ReadonlyMap<string, string>,
): TablePair[] {
  const prefixes = {
    source: commonPrefix(databases.source.tables.map(({ bare }) => bare)),
    target: commonPrefix(databases.target.tables.map(({ bare }) => bare)),
  };
  const likeness = (source: TablePicture, target: TablePicture): number => {
    if (wanted.has(source.name)) return wanted.get(source.name) === target.name ? 3 : 0;
    if (source.name === owners.source.customers && target.name === owners.target.customers) return 2;
    const named = namesAlike(withoutPrefix(source.bare, prefixes.source), withoutPrefix(target.bare, prefixes.target));
    const columns = columnCandidates(source, target).filter((each) => each.likeness >= ALIKE);
    const shared = pairUp(columns).reduce((sum, each) => sum + each.likeness, 0);
    const structure = shared / Math.max(1, Math.min(source.columns.length, target.columns.length));
    return 0.6 * named + 0.4 * structure;
  };
  const candidates = databases.source.tables.flatMap((source) =>
    databases.target.tables.map((target) => ({ source, target, likeness: likeness(source, target) })),
  );
  return pairUp(candidates.filter((each) => each.likeness >= ALIKE)).map(({ source, target }) => ({ source, target }));
}

/** Every pair of columns whose types fit, with how alike their names are. */
function columnCandidates(source: TablePicture, target: TablePicture): ColumnPair[] {
  const [own, other] = [plainNames(source), plainNames(target)];
  return source.columns.flatMap((from) =>
    target.columns
      .filter((to) => !to.generated && convertible(from, to))
      .map((to) => {
        const likeness = Math.max(namesAlike(from.name, to.name), namesAlike(own(from.name), other(to.name)));
        return { source: from, target: to, likeness: from.wire === to.wire ? likeness : likeness * 0.95 };
      }),
  );
}

/** A column's name without what all columns of the table begin with, and without the table's own name. */
function plainNames(table: TablePicture): (name: string) => string {
  const prefix = commonPrefix(table.columns.map(({ name }) => name));
  const own = wordsOf(table.bare);
  return (name) => {
    const words = wordsOf(withoutPrefix(name, prefix));
    const rest = words.filter((word) => !own.includes(word));
    return (rest.length > 0 ? rest : words).join('_');
  };
}

/** What is known beforehand: whose rows they are, keys of one column, and foreign keys into tables that are a pair. */
function knownPairs(
  { source, target }: TablePair,
  owner: { source: Ownership; target: Ownership },
  pairs: TablePair[],
): Map<string, string> {
  const known = new Map<string, string>();
  const add = (from: string, to: string): void => {
    if (!known.has(from) && ![...known.values()].includes(to)) known.set(from, to);
  };
  if (owner.source.kind !== 'nobody' && owner.target.kind !== 'nobody') add(owner.source.column, owner.target.column);
  if (source.primaryKey.length === 1 && target.primaryKey.length === 1)
    add(source.primaryKey[0]!, target.primaryKey[0]!);
  for (const key of source.foreignKeys) {
    const parent = pairs.find((pair) => pair.source.name === key.parent);
    const same = target.foreignKeys.filter((other) => other.parent === parent?.target.name);
    const other = same.find(
      ({ columns }) => columns.length === key.columns.length && columns.some((name) => !isKnown(known, name)),
    );
    if (other) key.columns.forEach((name, at) => add(name, other.columns[at]!));
  }
  return known;
}

const isKnown = (known: ReadonlyMap<string, string>, target: string): boolean => [...known.values()].includes(target);

/** Which column becomes which. `owner` columns that are still to be added take part by their name alone. */
export function pairColumns(
  pair: TablePair,
  owner: { source: Ownership; target: Ownership },
  pairs: TablePair[],
): ColumnPair[] {
  const known = knownPairs(pair, owner, pairs);
  const candidates = columnCandidates(pair.source, pair.target).map((each) => {
    const wanted = known.get(each.source.name);
    if (wanted !== undefined) return { ...each, likeness: wanted === each.target.name ? 2 : 0 };
    return isKnown(known, each.target.name) ? { ...each, likeness: 0 } : each;
  });
  const made = pairUp(candidates.filter((each) => each.likeness >= ALIKE));
  const left = leftKey(pair, made);
  return left ? [...made, left] : made;
}

/** When of both keys one column each is left over, these two belong together. */
function leftKey({ source, target }: TablePair, made: ColumnPair[]): ColumnPair | null {
  const from = source.primaryKey.filter((name) => !made.some((each) => each.source.name === name));
  const to = target.primaryKey.filter((name) => !made.some((each) => each.target.name === name));
  const [column, other] = [
    source.columns.find(({ name }) => name === from[0]),
    target.columns.find(({ name }) => name === to[0]),
  ];
  if (from.length !== 1 || to.length !== 1 || !column || !other || !convertible(column, other)) return null;
  return { source: column, target: other, likeness: 0.7 };
}
