import type { PoolClient } from 'pg';
import type { Conversion, Entity } from '../../../runbooks/schema/conversion';
import { withTransaction } from '../connect';
import type { GuardedTable } from '../schema';
import type { CompileContext } from './compile-context';
import { compileEntity } from './compile-entity';
import { readTable, type CatalogTable } from './catalog';
import type { CompiledConversion, CompiledEntity, CompiledReference } from './compiled';
import { saying } from './faults';
import { ident } from './names';
import type { Pair } from './pair';
import { Problems, type Problem } from './problems';
import { describeQuery } from './dependencies';

/** Effects of requests move with their customers, like any entity. */
const EFFECT: Entity = {
  from: { table: 'cutover.effect', key: 'key', customer: 'customer' },
  to: { table: 'cutover.effect', key: 'key', customer: 'customer' },
  columns: { key: 'key', customer: 'customer', at: 'at' },
};

/**
 * Reads both catalogs and turns the mapping into SQL. Nothing is written: what PostgreSQL has to be asked is asked in
 * transactions that are rolled back. Throws a SystemFault (not retryable) that lists every problem with its entity,
 * its column and what to write.
 */
export async function compileConversion(conversion: Conversion, pair: Pair): Promise<CompiledConversion> {
  return saying('compiling the conversion', () =>
    withTransaction(pair.source, {}, (source) =>
      withTransaction(pair.target, {}, async (target) => {
        const problems = new Problems();
        const compiled = await compileWith(conversion, [['effect', EFFECT]], source, target, problems);
        problems.throwAny();
        return compiled;
      }),
    ),
  );
}

/**
 * Everything in which a conversion does not fit the databases, without what `cutover` itself adds to them: schema `cutover` need
 * not be there yet. Writes nothing. Throws a SystemFault when a database cannot be asked.
 */
export async function findMisfits(conversion: Conversion, pair: Pair): Promise<readonly Problem[]> {
  return saying('holding the conversion against the databases', () =>
    withTransaction(pair.source, {}, (source) =>
      withTransaction(pair.target, {}, async (target) => {
        const problems = new Problems();
        await compileWith(conversion, [], source, target, problems);
        return problems.all;
      }),
    ),
  );
}

/** What is wrong goes to `problems`; with any, the result is not to be used. */
async function compileWith(
  conversion: Conversion,
  own: readonly (readonly [string, Entity])[],
  source: PoolClient,
  target: PoolClient,
  problems: Problems,
): Promise<CompiledConversion> {
  const references = await compileReferences(conversion, source, target, problems);
  const context: CompileContext = {
    source,
    target,
    problems,
    referenceTables: new Set(references.map((reference) => reference.source.name)),
    memberCollations: await Promise.all([source, target].map(memberCollation)),
  };
  const compiled: CompiledEntity[] = [];
  for (const [id, entity] of [...Object.entries(conversion.entities), ...own]) {
    const made = await compileEntity(context, id, entity);
    if (made) compiled.push(made);
  }
  refuseSharedTables(compiled, problems);
  requireBirths(compiled, problems);
  requireOneCustomer(compiled, problems);
  // Entities that were refused are missing here, so an order of the rest would tell of more mistakes than there are.
  const entities = problems.count > 0 ? compiled : inOrder(withForeignKeys(compiled), problems);
  return { references, entities };
}

async function memberCollation(client: PoolClient): Promise<string | null> {
  const member = await readTable(client, 'cutover.member');
  return member?.columns.find(({ name }) => name === 'customer')?.collation ?? null;
}

async function compileReferences(
  conversion: Conversion,
  source: PoolClient,
  target: PoolClient,
  problems: Problems,
): Promise<CompiledReference[]> {
  const made: CompiledReference[] = [];
  for (const [id, reference] of Object.entries(conversion.reference ?? {})) {
    const where = `reference ${id}`;
    const from = await readTable(source, reference.from);
    const to = await readTable(target, reference.to);
    if (!from)
      problems.add(where, `the source has no table ${reference.from}`, 'Name a table of the source under `from`');
    if (!to) problems.add(where, `the target has no table ${reference.to}`, 'Name a table of the target under `to`');
    if (!from || !to) continue;
    if (!to.uniques.some((unique) => unique.columns.join() === reference.key && !unique.partial && !unique.deferrable))
      problems.add(where, `${to.name}.${reference.key} is not unique`, 'Name the key column of the target under `key`');
    const columns: CompiledReference['columns'] = [];
    for (const [name, expression] of Object.entries(reference.columns)) {
      const known = to.columns.find((column) => column.name === name);
      if (!known?.wire) {
        problems.add(`${where}, column ${name}`, `${to.name} has no such column of a known type`, 'Correct its name');
        continue;
      }
      const forward = `(${expression})::${known.wire}`;
      const described = await describeQuery(source, `select ${forward} as x from ${from.sql} as ${ident(from.bare)}`);
      if ('refused' in described) problems.add(`${where}, column ${name}`, described.refused, 'Correct the expression');
      columns.push({ name, forward });
    }
    made.push({ id, owner: reference.owner, source: from, target: to, key: reference.key, columns });
  }
  return made;
}

function refuseSharedTables(entities: CompiledEntity[], problems: Problems): void {
  const first = new Map<string, string>();
  for (const entity of entities) {
    const other = first.get(entity.target.name);
    if (other === undefined) first.set(entity.target.name, entity.id);
    else
      problems.add(
        `entity ${entity.id}`,
        `${entity.target.name} is written by entity ${other} already`,
        'Write one entity whose query is the union of both',
      );
  }
}

/** A table is guarded once, by one customer column. */
function requireOneCustomer(entities: CompiledEntity[], problems: Problems): void {
  const known = new Map<string, string>();
  for (const entity of entities) {
    const named =
      entity.kind === 'row'
        ? [{ table: entity.source, customer: entity.sourceCustomer.name }]
        : [...entity.changedBy, ...(entity.back ? [entity.back] : [])];
    for (const { table, customer } of named) {
      const other = known.get(table.name) ?? customer;
      known.set(table.name, other);
      if (other !== customer)
        problems.add(
          `entity ${entity.id}`,
          `${table.name} has ${other} as its customer column in another entity`,
          `Write ${other} here, or ${customer} there`,
        );
    }
  }
}

/** Rows born at the target are inserted at the source: every column that must have a value needs one. */
function requireBirths(entities: CompiledEntity[], problems: Problems): void {
  const written = new Map<string, { table: CatalogTable; entity: string; columns: string[] }>();
  for (const entity of entities) {
    const way =
      entity.kind === 'row'
        ? { table: entity.source, columns: entity.columns.flatMap(({ back }) => (back ? [back.into] : [])) }
        : entity.back;
    if (!way) continue;
    const known = written.get(way.table.name);
    if (known) known.columns.push(...way.columns);
    else written.set(way.table.name, { table: way.table, entity: entity.id, columns: [...way.columns] });
  }
  for (const { table, entity, columns } of written.values())
    for (const { name, notNull, hasDefault, generated } of table.columns)
      if (notNull && !hasDefault && !generated && !columns.includes(name))
        problems.add(
          `entity ${entity}`,
          `${table.name}.${name} may not be null, has no default and no way back, so rows born at the target cannot return`,
          `Give a column a \`back\` with \`into: ${name}\``,
        );
}

/** The target's foreign keys say which entities come first, whether `after` repeats it or not. */
function withForeignKeys(entities: CompiledEntity[]): CompiledEntity[] {
  const byTable = new Map(entities.map((entity) => [entity.target.name, entity.id]));
  return entities.map((entity) => {
    const pointedAt = entity.parents.flatMap(({ parent }) => byTable.get(parent) ?? []);
    return { ...entity, after: [...new Set([...entity.after, ...pointedAt])] };
  });
}

/** Parents first; entities that do not depend on each other keep the order of the document. */
function inOrder(entities: CompiledEntity[], problems: Problems): CompiledEntity[] {
  const known = new Set(entities.map((entity) => entity.id));
  for (const entity of entities)
    for (const parent of entity.after)
      if (!known.has(parent))
        problems.add(`entity ${entity.id}`, `\`after\` names ${parent}, which is no entity`, 'Name an entity');
  const done = new Set<string>();
  const ordered: CompiledEntity[] = [];
  let left = entities;
  while (left.length > 0) {
    const ready = left.filter((entity) => entity.after.every((parent) => done.has(parent) || !known.has(parent)));
    if (ready.length === 0) {
      problems.add(
        `entities ${left.map(({ id }) => id).join(', ')}`,
        'they wait for each other',
        'Break the circle in `after`',
      );
      return ordered;
    }
    const next = ready[0]!;
    ordered.push(next);
    done.add(next.id);
    left = left.filter((entity) => entity !== next);
  }
  return ordered;
}

/** The tables to guard on one side; `cutover.effect` is guarded by the schema itself. */
export function guardedTables(compiled: CompiledConversion, side: 'source' | 'target'): GuardedTable[] {
  const tables = new Map<string, GuardedTable>();
  const add = (table: CatalogTable, customerColumn: string): void => {
    if (table.name !== 'cutover.effect')
      tables.set(table.name, { table: table.name, keyColumns: table.primaryKey, customerColumn });
  };
  for (const entity of compiled.entities) {
    if (side === 'target') {
      add(entity.target, entity.targetCustomer.name);
      continue;
    }
    if (entity.kind === 'row') add(entity.source, entity.sourceCustomer.name);
    else {
      for (const { table, customer } of entity.changedBy) add(table, customer);
      if (entity.back) add(entity.back.table, entity.back.customer);
    }
  }
  return [...tables.values()];
}
