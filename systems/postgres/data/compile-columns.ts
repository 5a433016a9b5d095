import type { Entity } from '../../../runbooks/schema/conversion';
import type { CatalogTable } from './catalog';
import { backOf, forwardExpression, targetColumns, validOf } from './columns';
import { columnOf, type CompileContext, type SourceSide } from './compile-context';
import type { CompiledColumn } from './compiled';
import { describeQuery, type Described, type Refused } from './dependencies';
import { ident } from './names';

/** An expression to check, and where the document holds it. */
export interface Probe {
  at: string;
  sql: string;
}

/**
 * Lets PostgreSQL read expressions over one relation, all at once; only when it refuses does it read them one by one,
 * to say which. `report` gets what it says of each.
 */
export async function probeAll(
  context: CompileContext,
  from: string,
  probes: readonly Probe[],
  report: (probe: Probe, described: Described | Refused) => void,
): Promise<void> {
  const select = (list: readonly Probe[]): string =>
    `select ${list.map(({ sql }, n) => `${sql} as x${n}`).join(', ')} from ${from}`;
  if (probes.length === 0) return;
  const together = await describeQuery(context.source, select(probes));
  const suspicious = 'refused' in together || together.tables.length > 1;
  if (!suspicious) return report(probes[0]!, together);
  for (const probe of probes) report(probe, await describeQuery(context.source, select([probe])));
}

/** The target columns with their SQL. Also has the predicates of rules and validity read by PostgreSQL. */
export async function compileColumns(
  context: CompileContext,
  where: string,
  entity: Entity,
  target: CatalogTable,
  side: SourceSide,
): Promise<CompiledColumn[]> {
  const { problems } = context;
  const made: CompiledColumn[] = [];
  for (const name of targetColumns(entity)) {
    const column = compileColumn(context, `${where}, column ${name}`, name, entity, target, side);
    if (column) made.push(column);
  }
  const filter = side.where === null ? '' : ` where (${side.where})`;
  const probes = [
    ...made.map(({ name, forward }) => ({ at: `${where}, column ${name}`, sql: forward })),
    ...Object.entries(entity.columns).flatMap(([name, column]) => {
      const valid = validOf(column);
      return valid === undefined ? [] : [{ at: `${where}, column ${name}, \`valid\``, sql: `((${valid}) is true)` }];
    }),
    ...(entity.rules ?? []).map((rule) => ({ at: `${where}, rule ${rule.id}`, sql: `((${rule.when}) is true)` })),
  ];
  await probeAll(context, `${side.relation} as ${ident(side.alias)}${filter}`, probes, ({ at }, described) => {
    if ('refused' in described) return problems.add(at, described.refused, 'Correct its expression');
    for (const table of described.tables)
      if (!side.allowed.has(table))
        problems.add(
          at,
          `it reads ${table}, whose changes would be missed`,
          'Write a query that names it under `changedBy`',
        );
  });
  return made;
}

function compileColumn(
  { problems }: CompileContext,
  at: string,
  name: string,
  entity: Entity,
  target: CatalogTable,
  side: SourceSide,
): CompiledColumn | null {
  const column = columnOf(target.columns, name);
  if (!column || column.generated) {
    problems.add(
      at,
      `${target.name} ${column ? 'computes it itself' : 'has no such column'}`,
      'Correct its name or leave it out',
    );
    return null;
  }
  if (column.wire === null) {
    problems.add(
      at,
      `its type ${column.type} has no built-in form to travel in`,
      'Use a built-in type, a domain or an enum',
    );
    return null;
  }
  const back = backOf(name, entity.columns[name], column, side.table?.columns ?? []);
  const into = back?.into ?? null;
  if (back && into === null)
    problems.add(at, 'its `back` does not say which source column it writes', 'Add `into: the source column`');
  const { wire, stored, send } = column;
  const forward = forwardExpression(entity, name, wire);
  return { name, wire, stored, send, forward, ...(back && into !== null ? { back: { into, sql: back.sql } } : {}) };
}
