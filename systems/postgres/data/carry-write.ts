import type { PoolClient } from 'pg';
import { newBack, newRows, oldBack, RESIDUE, type Part } from './carry-stage';
import { originTable } from './forward';
import { ident, identList, imagesDiffer, literal, sameKey, waveOf } from './names';

/** The parts that write one source table, the deciding one first. */
export interface Group {
  parts: Part[];
}

/** Groups in the order of the source's foreign keys, parents first. */
export function groupsOf(parts: Part[]): Group[] {
  const byTable = new Map<string, Part[]>();
  const decidingFirst = [...parts].sort((a, b) => Number(b.primary) - Number(a.primary));
  for (const part of decidingFirst) byTable.set(part.table.name, [...(byTable.get(part.table.name) ?? []), part]);
  const ordered: Group[] = [];
  const placed = new Set<string>();
  const place = (name: string, path: readonly string[]): void => {
    const found = byTable.get(name);
    if (!found || placed.has(name) || path.includes(name)) return;
    for (const { parent } of found[0]!.table.foreignKeys) place(parent, [...path, name]);
    placed.add(name);
    ordered.push({ parts: found });
  };
  for (const { table } of parts) place(table.name, []);
  return ordered;
}

/** Rows born at the target: one insert with the columns of every part. */
export async function insertBorn(source: PoolClient, { parts }: Group): Promise<number> {
  const [first, ...others] = parts;
  if (!first?.primary) return 0;
  const columns = first.columns.map((name) => ({ name, sql: `n0.${ident(name)}` }));
  const joins: string[] = [];
  for (const [n, other] of others.entries()) {
    const alias = `n${n + 1}`;
    joins.push(`left join ${newBack(other.at)} ${alias} on ${sameKey(first.key, alias, 'n0')}`);
    for (const name of other.columns)
      if (!columns.some((column) => column.name === name)) columns.push({ name, sql: `${alias}.${ident(name)}` });
  }
  const result = await source.query(
    `insert into ${first.table.sql} (${identList(columns.map(({ name }) => name))}) overriding system value
     select ${columns.map(({ sql }) => sql).join(', ')} from ${newBack(first.at)} n0 ${joins.join(' ')}
     where not exists (select from ${first.table.sql} s where ${sameKey(first.key, 's', 'n0')})`,
  );
  return result.rowCount ?? 0;
}

/**
 * A source column is written only where the way back of the new target row differs from that of the row the source makes
 * now; otherwise the source keeps its own spelling. A row without such a column is not touched at all.
 */
export async function updateChanged(source: PoolClient, { table, key, columns, at }: Part): Promise<number> {
  const given = new Set(table.columns.filter(({ identityAlways }) => identityAlways).map(({ name }) => name));
  const values = columns.filter((name) => !given.has(name));
  if (values.length === 0) return 0;
  const first = `o.${ident(key[0]!)}`;
  const next = (name: string): string => {
    const column = ident(name);
    return `case when ${first} is null or ${imagesDiffer(`n.${column}`, `o.${column}`)} then n.${column} else s.${column} end`;
  };
  const result = await source.query(
    `update ${table.sql} s set ${values.map((name) => `${ident(name)} = ${next(name)}`).join(', ')}
     from ${newBack(at)} n left join ${oldBack(at)} o on ${sameKey(key, 'o', 'n')}
     where ${sameKey(key, 's', 'n')} and ${imagesDiffer(identList(values, 's'), values.map(next).join(', '))}`,
  );
  return result.rowCount ?? 0;
}

/** Rows `s` the target deleted, while the wave still owns them. Only the deciding part deletes: the others gave columns. */
export async function deleteEnded(
  source: PoolClient,
  { table, key, at, customer, primary }: Part,
  wave: number,
  which = 'true',
): Promise<number> {
  if (!primary) return 0;
  const result = await source.query(
    `delete from ${table.sql} s using ${oldBack(at)} o
     where ${sameKey(key, 's', 'o')} and not exists (select from ${newBack(at)} n where ${sameKey(key, 'n', 'o')})
       and ${waveOf(`s.${ident(customer)}`)} = ${wave} and ${which}`,
  );
  return result.rowCount ?? 0;
}

/** Keeps what the source has no column for, by entity and target key. */
export async function keepResidue(source: PoolClient, { entity, at }: Part): Promise<void> {
  const key = `array[${entity.targetKey.map((name) => `${ident(name)}::text`).join(', ')}]`;
  const id = literal(entity.id);
  if (entity.kind === 'row')
    await source.query(
      `delete from cutover.residue r using (select ${key} as key from ${originTable(at)}) o where r.entity = ${id} and r.key = o.key`,
    );
  await source.query(
    `insert into cutover.residue (entity, key, row) select ${id}, ${key}, ${RESIDUE} from ${newRows(at)} where ${RESIDUE} <> '{}'
     on conflict (entity, key) do update set row = excluded.row`,
  );
}
