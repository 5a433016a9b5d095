import { readTable, type CatalogTable } from './catalog';
import { columnOf, sameNames, type CompileContext, type SourceSide } from './compile-context';
import { asList, keptBackSql, setRules } from './columns';
import { probeAll } from './compile-columns';
import type { CompiledColumn, CompiledEntity, RowEntity, SetEntity } from './compiled';
import { describeQuery } from './dependencies';
import { ident } from './names';

type Base = Omit<RowEntity, 'kind' | 'source' | 'sourceKey' | 'keyForward' | 'keyBack' | 'roundTrip'>;

/** Adds the way back and the key mapping both ways. Null when something is missing; the problems say what. */
export async function compileBack(
  context: CompileContext,
  where: string,
  base: Base,
  side: SourceSide,
): Promise<CompiledEntity | null> {
  if (side.table) return compileRow(context, where, base, side.table);
  return compileSet(context, where, base, side);
}

async function compileRow(
  context: CompileContext,
  where: string,
  base: Base,
  source: CatalogTable,
): Promise<RowEntity | null> {
  const { problems } = context;
  const before = problems.count;
  const sourceKey = source.primaryKey;
  const columns: CompiledColumn[] = [];
  for (const column of base.columns) {
    if (!column.back) {
      columns.push(column);
      continue;
    }
    const known = columnOf(source.columns, column.back.into);
    if (!known) {
      problems.add(
        `${where}, column ${column.name}`,
        `${source.name} has no column ${column.back.into}`,
        'Correct `into`',
      );
      continue;
    }
    if (known.generated)
      problems.add(
        `${where}, column ${column.name}`,
        `${source.name}.${known.name} is computed by the source itself`,
        'Leave out its `back`',
      );
    columns.push({ ...column, back: { into: known.name, sql: `(${column.back.sql})::${known.type}` } });
  }
  const written = columns.flatMap(({ back }) => (back ? [back.into] : []));
  for (const name of new Set(written.filter((into, at) => written.indexOf(into) !== at)))
    problems.add(where, `two columns write ${source.name}.${name} on the way back`, 'Leave one `back`');
  for (const name of new Set([...sourceKey, base.sourceCustomer.name]))
    if (!written.includes(name))
      problems.add(
        where,
        `${source.name}.${name} has no way back`,
        `Give the column that maps it a \`back\` with \`into: ${name}\``,
      );
  const keyForward = base.targetKey.map((name) => columns.find((column) => column.name === name)?.forward ?? 'null');
  const keyBack = sourceKey.map((name) => columns.find(({ back }) => back?.into === name)?.back?.sql ?? 'null');
  await checkKey(
    context,
    where,
    keyForward,
    sourceKey.map((name) => columnOf(source.columns, name)!),
    base.alias,
    'forward',
  );
  const wired = base.targetKey.map((name) => ({
    name,
    type: columns.find((column) => column.name === name)?.wire ?? 'text',
  }));
  await checkKey(context, where, keyBack, wired, base.target.bare, 'back');
  const row = columns.map((column) => `null::${column.wire} as ${ident(column.name)}`).join(', ');
  const probes = columns.flatMap(({ name, back }) => (back ? [{ at: `${where}, column ${name}`, sql: back.sql }] : []));
  await probeAll(context, `(select ${row}) as ${ident(base.target.bare)}`, probes, ({ at }, described) => {
    if ('refused' in described) problems.add(at, `its \`back\` is refused: ${described.refused}`, 'Correct it');
  });
  if (problems.count > before) return null;
  const made = { ...base, kind: 'row', columns, source, sourceKey, keyForward, keyBack } as const;
  return { ...made, roundTrip: await roundTrip(context, made) };
}

/**
 * Which keys can be mapped, and the source's key as it comes back; null where no expression changes the key. What keeps a row back counts as
 * far as it looks at the key alone: a deleted row leaves nothing else, and what looks at a table may say something else of the same key later.
 */
async function roundTrip(
  context: CompileContext,
  { entity, alias, source, sourceKey, target, targetKey, keyForward, keyBack }: Omit<RowEntity, 'roundTrip'>,
): Promise<RowEntity['roundTrip']> {
  const ruled = new Set(setRules(entity).flatMap((rule) => Object.keys(rule.set)));
  const isChanged = (name: string): boolean => {
    const column = entity.columns[name];
    return ruled.has(name) || (typeof column === 'object' && column.back !== undefined);
  };
  if (!targetKey.some(isChanged)) return null;
  const empty = sourceKey.map((name) => `null::${columnOf(source.columns, name)!.type} as ${ident(name)}`).join(', ');
  const mappable: string[] = [];
  for (const kept of keptBackSql(entity, targetKey)) {
    const asked = `select (${kept}) as holds from (select ${empty}) as ${ident(alias)}`;
    const described = await describeQuery(context.source, asked);
    if (!('refused' in described) && described.tables.length === 0) mappable.push(`not (${kept})`);
  }
  const there = keyForward.map((sql, n) => `${sql} as ${ident(targetKey[n]!)}`).join(', ');
  const again = keyBack.map((sql) => `(select ${sql} from (select ${there}) as ${ident(target.bare)})`);
  return { mappable, again };
}

/** A deleted row leaves only its key in the log, so each key must follow from the other one alone. */
async function checkKey(
  context: CompileContext,
  where: string,
  expressions: string[],
  key: { name: string; type: string }[],
  alias: string,
  direction: 'forward' | 'back',
): Promise<void> {
  const row = key.map(({ name, type }) => `null::${type} as ${ident(name)}`).join(', ');
  const list = expressions.map((sql, at) => `${sql} as k${at}`).join(', ');
  const described = await describeQuery(context.source, `select ${list} from (select ${row}) as ${ident(alias)}`);
  if ('refused' in described)
    context.problems.add(
      where,
      `its key on the way ${direction} cannot be told from the other key alone (${described.refused})`,
      'Map the key from key columns only, or write a `from.query`, whose rows are replaced per customer',
    );
}

async function compileSet(
  context: CompileContext,
  where: string,
  base: Base,
  { changedBy, views }: SourceSide,
): Promise<SetEntity | null> {
  const { problems } = context;
  const before = problems.count;
  const declared = base.entity.back;
  const withoutOwnBack = base.columns.map(({ name, wire, stored, send, forward }) => ({
    name,
    wire,
    stored,
    send,
    forward,
  }));
  if (!declared) {
    problems.add(where, 'a query has no way back by itself', 'Add `back` with table, key and query');
    return null;
  }
  const table = (await readBackTable(context, where, declared.table)) ?? null;
  if (!table) return null;
  const key = asList(declared.key);
  if (!sameNames(table.primaryKey, key))
    problems.add(
      where,
      '`back.key` is not the primary key of the source table',
      `Write ${table.primaryKey.join(', ')}`,
    );
  const from = base.entity.from;
  const customer =
    declared.customer ?? ('query' in from ? (from.changedBy[declared.table] ?? from.customer) : from.customer);
  if (!columnOf(table.columns, customer))
    problems.add(where, `${table.name} has no column ${customer}`, 'Name its customer column under `back.customer`');
  const described = await describeQuery(
    context.source,
    backSelect(base, declared.query, `select null::${base.targetCustomer.wire ?? 'text'} as customer`),
  );
  if ('refused' in described) {
    problems.add(
      where,
      `the \`back\` query is refused: ${described.refused}`,
      'Correct it; it reads the relation `target`',
    );
    return null;
  }
  const columns = described.columns.map(({ name }) => name);
  for (const name of columns)
    if (!columnOf(table.columns, name))
      problems.add(
        where,
        `the \`back\` query gives ${name}, which ${table.name} does not have`,
        'Name it after a source column',
      );
  for (const name of key)
    if (!columns.includes(name)) problems.add(where, `the \`back\` query does not give ${name}`, 'Add the key column');
  if (problems.count > before) return null;
  return {
    ...base,
    kind: 'set',
    columns: withoutOwnBack,
    changedBy,
    views,
    back: { table, key, query: declared.query, columns, customer },
  };
}

async function readBackTable(context: CompileContext, where: string, name: string): Promise<CatalogTable | null> {
  const table = await readTable(context.source, name);
  if (!table)
    context.problems.add(where, `the source has no table ${name}`, 'Name a table of the source under `back.table`');
  return table;
}

/**
 * A `back` query over empty rows of the right types, for PostgreSQL to check. Two relations are in its scope: `target`,
 * the target rows of the affected customers, and `customers`, those customers (so that one whose rows are all gone
 * can still be given a row).
 */
function backSelect(base: Base, query: string, customers: string): string {
  const row = base.columns.map((column) => `null::${column.wire} as ${ident(column.name)}`).join(', ');
  return `with target as (select ${row} where false), customers as (${customers} where false) select * from (${query}) as back_row`;
}
