import type { PoolClient } from 'pg';
import type { Entity } from '../../../runbooks/schema/conversion';
import { readTable, type CatalogColumn, type CatalogTable } from './catalog';
import { compileBack } from './compile-back';
import { asList, targetColumns } from './columns';
import { compileColumns } from './compile-columns';
import { columnOf, sameNames, type CompileContext, type SourceSide } from './compile-context';
import type { CompiledEntity, Parking } from './compiled';
import { describeQuery } from './dependencies';
import type { Problems } from './problems';

/** One entity with its SQL, or null when its problems leave nothing to build on. */
export async function compileEntity(
  context: CompileContext,
  id: string,
  entity: Entity,
): Promise<CompiledEntity | null> {
  const { problems } = context;
  const before = problems.count;
  const where = `entity ${id}`;
  const side = await sourceSide(context, where, entity);
  const target = await readTable(context.target, entity.to.table);
  if (!target)
    problems.add(where, `the target has no table ${entity.to.table}`, 'Name a table of the target under `to.table`');
  if (!target || !side) return null;
  const targetKey = asList(entity.to.key);
  checkTargetKey(where, entity, target, targetKey, problems);
  const targetCustomer = columnOf(target.columns, entity.to.customer);
  if (!targetCustomer)
    problems.add(
      where,
      `${target.name} has no column ${entity.to.customer}`,
      'Name the customer column under `to.customer`',
    );
  const columns = await compileColumns(context, where, entity, target, side);
  if (!targetCustomer || problems.count > before) return null;
  const referenced = await hasChildren(context.target, target);
  const base = {
    id,
    entity,
    after: entity.after ?? [],
    target,
    targetKey,
    targetCustomer,
    columns,
    parents: target.foreignKeys.filter((key) => key.parent !== target.name),
    hasChildren: referenced,
    parking: parkingOf(target, targetKey, referenced),
    relation: side.relation,
    alias: side.alias,
    where: side.where,
    sourceColumns: side.columns,
    sourceCustomer: side.customer,
    ...orderOf(side.customer, targetCustomer, context.memberCollations),
  } as const;
  return compileBack(context, where, base, side);
}

async function sourceSide(context: CompileContext, where: string, entity: Entity): Promise<SourceSide | null> {
  const { problems } = context;
  if ('table' in entity.from) {
    const { from } = entity;
    const table = await readTable(context.source, entity.from.table);
    if (!table) {
      problems.add(
        where,
        `the source has no table ${entity.from.table}`,
        'Name a table of the source under `from.table`',
      );
      return null;
    }
    if (table.primaryKey.length === 0)
      problems.add(
        where,
        `${table.name} has no primary key, so its changes cannot be followed`,
        'Add one, or leave it out',
      );
    else if (!sameNames(table.primaryKey, asList(entity.from.key)))
      problems.add(where, '`from.key` is not the primary key', `Write ${table.primaryKey.join(', ')}`);
    const customer = columnOf(table.columns, from.customer);
    if (!customer) {
      problems.add(
        where,
        `${table.name} has no column ${from.customer}`,
        'Name the customer column under `from.customer`',
      );
      return null;
    }
    return {
      relation: table.sql,
      alias: table.bare,
      where: entity.from.where ?? null,
      columns: table.columns,
      customer,
      table,
      changedBy: [],
      views: [],
      allowed: new Set([table.name, ...context.referenceTables]),
    };
  }
  return querySide(context, where, entity.from);
}

async function querySide(
  context: CompileContext,
  where: string,
  from: Extract<Entity['from'], { query: string }>,
): Promise<SourceSide | null> {
  const { problems } = context;
  const changedBy: SourceSide['changedBy'] = [];
  for (const [name, customer] of Object.entries(from.changedBy)) {
    const table = await readTable(context.source, name);
    if (!table) problems.add(where, `\`changedBy\` names ${name}, which the source does not have`, 'Correct its name');
    else if (!columnOf(table.columns, customer))
      problems.add(where, `${table.name} has no column ${customer}`, 'Name its customer column under `changedBy`');
    else if (table.primaryKey.length === 0)
      problems.add(where, `${table.name} has no primary key, so its changes cannot be followed`, 'Add one');
    else changedBy.push({ table, customer });
  }
  const described = await describeQuery(context.source, from.query);
  if ('refused' in described) {
    problems.add(where, `the query is refused: ${described.refused}`, 'Correct `from.query`');
    return null;
  }
  const allowed = new Set([...changedBy.map(({ table }) => table.name), ...context.referenceTables]);
  for (const table of described.tables)
    if (!allowed.has(table))
      problems.add(
        where,
        `the query reads ${table}, whose changes would be missed`,
        `Write \`${table}: its customer column\` under \`changedBy\``,
      );
  const customer = columnOf(described.columns, from.customer);
  if (!customer) {
    problems.add(where, `the query has no column ${from.customer}`, 'Name its customer column under `from.customer`');
    return null;
  }
  return {
    relation: `(${from.query})`,
    alias: 'source_row',
    where: null,
    columns: described.columns,
    customer,
    table: null,
    changedBy,
    views: described.views,
    allowed,
  };
}

function checkTargetKey(where: string, entity: Entity, target: CatalogTable, key: string[], problems: Problems): void {
  if (target.primaryKey.length === 0)
    problems.add(where, `${target.name} has no primary key`, 'Add one: rows are found by it');
  else if (!sameNames(target.primaryKey, key))
    problems.add(where, '`to.key` is not the primary key of the target', `Write ${target.primaryKey.join(', ')}`);
  if (target.uniques.some((unique) => unique.primary && unique.deferrable))
    problems.add(where, `the primary key of ${target.name} is deferrable`, 'Make it not deferrable');
  const mapped = targetColumns(entity);
  for (const name of new Set([...key, entity.to.customer]))
    if (!mapped.includes(name)) problems.add(`${where}, column ${name}`, 'it has no mapping', 'Add it under `columns`');
  for (const column of target.columns)
    if (column.notNull && !column.hasDefault && !column.generated && !mapped.includes(column.name))
      problems.add(
        `${where}, column ${column.name}`,
        'it may not be null and has no default',
        'Add it under `columns`',
      );
}

async function hasChildren(client: PoolClient, target: CatalogTable): Promise<boolean> {
  const found = await client.query(
    `select from pg_constraint where contype = 'f' and confrelid = to_regclass($1) and conrelid <> confrelid limit 1`,
    [target.sql],
  );
  return found.rowCount === 1;
}

/** Uniques beside the key that PostgreSQL checks at once: rows that swap such a value would collide inside a pass. */
function parkingOf(target: CatalogTable, key: string[], referenced: boolean): Parking[] {
  return target.uniques
    .filter((unique) => !unique.primary && !unique.deferrable && unique.columns.length > 0 && !unique.partial)
    .flatMap(({ columns }): Parking[] => {
      const free = columns.find((name) => !key.includes(name) && columnOf(target.columns, name)?.notNull === false);
      if (free !== undefined) return [{ columns, column: free }];
      return referenced ? [] : [{ columns, column: null }];
    });
}

/** Both sides must cut the population at the same customers: in their own order only where it is surely the same. */
function orderOf(
  source: CatalogColumn,
  target: CatalogColumn,
  members: readonly (string | null)[],
): Pick<CompiledEntity, 'order' | 'membersAlike'> {
  const alike = source.wire !== null && source.wire === target.wire && source.collation === target.collation;
  const collation = alike ? source.collation : 'C';
  const text = !alike || [source, target].every(({ type }) => /^pg_catalog\."?(text|varchar)"?$/.test(type));
  return {
    order: alike ? 'native' : 'bytes',
    membersAlike: text && collation !== null && members.every((member) => member === collation),
  };
}
