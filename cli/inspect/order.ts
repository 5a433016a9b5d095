import type { TablePicture } from '../../systems/postgres/inspect/picture';

/** A foreign key that closes a circle: it cannot hold while rows are copied table by table. */
export interface CircleKey {
  table: string;
  name: string;
  columns: string[];
  parent: string;
  parentColumns: string[];
}

export interface Order {
  /** Parents first. */
  tables: string[];
  /** Keys left out of account to get an order; keys of a table to itself among them. */
  circles: CircleKey[];
}

/** An order in which each table comes after those its foreign keys point at, and the keys that allow none. */
export function orderOf(tables: readonly TablePicture[]): Order {
  const names = new Set(tables.map(({ name }) => name));
  const keys = tables.flatMap((table) =>
    table.foreignKeys
      .filter(({ parent }) => names.has(parent))
      .map((key) => ({ ...key, table: table.name, optional: isOptional(table, key.columns) })),
  );
  const circles = keys.filter(({ table, parent }) => table === parent);
  let left = keys.filter((key) => !circles.includes(key));
  const done: string[] = [];
  while (done.length < tables.length) {
    const next = tables.find(({ name }) => !done.includes(name) && !left.some((key) => key.table === name));
    if (next) {
      done.push(next.name);
      left = left.filter((key) => key.parent !== next.name);
      continue;
    }
    const inCircle = left.filter((key) => reaches(left, key.parent, key.table));
    const broken = inCircle.find((key) => key.optional) ?? inCircle[0]!;
    circles.push(broken);
    left = left.filter((key) => key !== broken);
  }
  return { tables: done, circles: circles.map(({ optional: _, ...key }) => key) };
}

const isOptional = (table: TablePicture, columns: readonly string[]): boolean =>
  table.columns.some(({ name, notNull }) => columns.includes(name) && !notNull);

function reaches(keys: readonly { table: string; parent: string }[], from: string, to: string): boolean {
  const seen = new Set<string>([from]);
  for (const at of seen) for (const key of keys) if (key.table === at) seen.add(key.parent);
  return seen.has(to);
}
