import type { CatalogForeignKey } from '../../systems/postgres/data/catalog';
import type { DatabasePicture, TablePicture } from '../../systems/postgres/inspect/picture';
import { namesAlike } from './names';

/** What customers are called, the surest word first. */
const CUSTOMER_WORDS = [
  'customer',
  'client',
  'subscriber',
  'patron',
  'member',
  'account',
  'patient',
  'guest',
  'party',
  'person',
  'user',
];

/** How a table's rows lead to a customer. */
export type Ownership =
  | { kind: 'customers'; column: string }
  /** `by`: a foreign key, or only a column called like those. `others`: more columns that name a customer. */
  | { kind: 'column'; column: string; by: 'foreign key' | 'name'; others: string[] }
  /** Only through a parent: `path` begins at the table's own foreign key. `column` does not exist yet. */
  | { kind: 'path'; column: string; path: { table: string; key: CatalogForeignKey }[] }
  | { kind: 'nobody' };

export interface Owners {
  /** `schema.table` of the customers. */
  customers: string;
  key: string;
  /** The key's type, fit for `alter table`. */
  type: string;
  of: Map<string, Ownership>;
  /** Other tables that looked like the customers. */
  alternatives: string[];
}

/** Tables that could be the customers, the likeliest first: one key column, a telling name, many tables that lead there. */
function customerCandidates(database: DatabasePicture): TablePicture[] {
  const score = (table: TablePicture): number => {
    const named = Math.max(...CUSTOMER_WORDS.map((word, at) => namesAlike(table.bare, word) * (1 - at / 20)));
    const direct = database.tables.filter(
      (other) => other !== table && other.foreignKeys.some(({ parent }) => parent === table.name),
    ).length;
    return (named >= 0.6 ? 10 * named : 0) + direct;
  };
  return database.tables
    .filter((table) => table.primaryKey.length === 1 && table.kind === 'ordinary')
    .map((table) => ({ table, score: score(table) }))
    .filter((each) => each.score > 0)
    .sort((left, right) => right.score - left.score)
    .map(({ table }) => table);
}

/** Finds the customers and how each table leads to them. Null when no table can be the customers. */
export function findOwners(database: DatabasePicture, wanted: string | undefined): Owners | null {
  const candidates = customerCandidates(database);
  const customers = wanted === undefined ? candidates[0] : database.tables.find(({ name }) => name === wanted);
  const key = customers?.primaryKey[0];
  if (!customers || key === undefined || customers.primaryKey.length > 1) return null;
  const byName = new Map(database.tables.map((table) => [table.name, table]));
  const of = new Map<string, Ownership>([[customers.name, { kind: 'customers', column: key }]]);
  const usual = new Set<string>([key]);
  for (const name of demandedBy(customers, byName)) of.set(name, { kind: 'nobody' });
  for (const table of database.tables.filter(({ name }) => !of.has(name))) {
    const naming = directKeys(table, customers).map(({ columns }) => columns[0]!);
    naming.forEach((column) => usual.add(column));
    if (naming.length > 0)
      of.set(table.name, { kind: 'column', column: naming[0]!, by: 'foreign key', others: naming.slice(1) });
  }
  const type = customers.columns.find(({ name }) => name === key)?.stored ?? 'text';
  for (const table of database.tables.filter(({ name }) => !of.has(name))) {
    const named = table.columns.find(({ name, stored }) => name !== 'id' && usual.has(name) && stored === type);
    if (named) of.set(table.name, { kind: 'column', column: named.name, by: 'name', others: [] });
  }
  followPaths(byName, of);
  for (const table of database.tables) if (!of.has(table.name)) of.set(table.name, { kind: 'nobody' });
  const alternatives = candidates.filter((table) => table !== customers).map(({ name }) => name);
  return { customers: customers.name, key, type, of, alternatives: alternatives.slice(0, 3) };
}

/** Tables a customer cannot be without, such as a branch or a country: they are shared, even where a key leads back to a customer. */
function demandedBy(customers: TablePicture, byName: Map<string, TablePicture>): Set<string> {
  const found = new Set<string>();
  const follow = (table: TablePicture): void => {
    for (const { parent, columns } of table.foreignKeys) {
      const must = columns.every((name) => table.columns.find((column) => column.name === name)?.notNull);
      if (!must || parent === customers.name || found.has(parent)) continue;
      found.add(parent);
      const above = byName.get(parent);
      if (above) follow(above);
    }
  };
  follow(customers);
  return found;
}

const directKeys = (table: TablePicture, customers: TablePicture): CatalogForeignKey[] =>
  table.foreignKeys.filter(({ parent, columns }) => parent === customers.name && columns.length === 1);

/** Breadth first: a table whose parent leads to a customer leads there through it, by the shortest way. */
function followPaths(byName: Map<string, TablePicture>, of: Map<string, Ownership>): void {
  for (let grown = true; grown;) {
    grown = false;
    for (const table of [...byName.values()].filter(({ name }) => !of.has(name))) {
      const key = table.foreignKeys.find(({ parent }) => parent !== table.name && of.has(parent));
      const owner = key && of.get(key.parent);
      if (!key || !owner || owner.kind === 'nobody') continue;
      const further = owner.kind === 'path' ? owner.path : [];
      const taken = table.columns.some(({ name }) => name === owner.column);
      of.set(table.name, {
        kind: 'path',
        column: taken ? `${owner.column}_owner` : owner.column,
        path: [{ table: table.name, key }, ...further],
      });
      grown = true;
    }
  }
}
