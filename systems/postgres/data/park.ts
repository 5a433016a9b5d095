import type { PoolClient } from 'pg';
import { newBack, oldBack, type Part } from './carry-stage';
import { deleteEnded } from './carry-write';
import type { CompiledEntity, Parking } from './compiled';
import { pipeRows } from './copy';
import { columnsNamed, originTable, selectMoving, targetCustomerOf, wireColumns, wireList } from './forward';
import { originColumns, stageTable, writing } from './merge';
import { ident, identList, imagesDiffer, sameKey, waveOf } from './names';

/**
 * Takes a unique value away from the row that holds it while another staged row wants it: from rows of this pass's origins,
 * which the pass writes or deletes, and from rows of other waves that the source has given another value, which the passes
 * of their wave write. What the source still holds twice is left to collide. Returns the waves of the rows parked.
 */
export async function parkCollisions(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  at: number,
): Promise<number[]> {
  const waves: number[] = [];
  for (const [no, parking] of entity.parking.entries()) {
    const own = `${wanted(entity, at, parking)} and ${ofThisPass(entity, at)}`;
    waves.push(...(await writing(target, entity, parkSql(entity, parking, own))).waves);
    waves.push(...(await parkOthers(source, target, entity, at, parking, `${at}_${no}`)));
  }
  return waves;
}

const wanted = (entity: CompiledEntity, at: number, { columns }: Parking): string =>
  `exists (select from ${stageTable(at)} s where ${sameKey(columns, 's', 't')} and not (${sameKey(entity.targetKey, 's', 't')}))`;

const ofThisPass = (entity: CompiledEntity, at: number): string =>
  `exists (select from ${originTable(at)} o where ${sameKey(originColumns(entity), 'o', 't')})`;

const parkSql = (entity: CompiledEntity, { column }: Parking, holders: string): string =>
  column === null
    ? `delete from ${entity.target.sql} t where ${holders}`
    : `update ${entity.target.sql} t set ${ident(column)} = null where ${holders}`;

async function parkOthers(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  at: number,
  parking: Parking,
  no: string,
): Promise<number[]> {
  const names = [...new Set([...entity.targetKey, ...parking.columns])];
  const columns = columnsNamed(entity, names);
  const [holding, freed] = [`cutover_holding_${no}`, `cutover_freed_${no}`];
  const table = (name: string): string => `create temporary table ${name} (${wireColumns(columns)}) on commit drop`;
  const sealed = `exists (select from cutover.wave w where w.wave = ${waveOf(targetCustomerOf(entity, 't'))} and w.state = 'sealed')`;
  const holders = `${wanted(entity, at, parking)} and not ${ofThisPass(entity, at)} and ${sealed}`;
  const found = await target.query(`select from ${entity.target.sql} t where ${holders} limit 1`);
  if (found.rowCount === 0) return [];
  await source.query(table(holding));
  await target.query(table(freed));
  await pipeRows(
    target,
    `select ${wireList(columns)} from ${entity.target.sql} t where ${holders}`,
    source,
    `pg_temp.${holding}`,
  );
  await pipeRows(
    source,
    `select ${identList(columns.map(({ name }) => name))} from pg_temp.${holding} h
     where not exists (select from (${selectMoving(entity, names)}) m where ${sameKey(names, 'm', 'h')})`,
    target,
    `pg_temp.${freed}`,
  );
  const given = `exists (select from pg_temp.${freed} f where ${sameKey(entity.targetKey, 'f', 't')})`;
  return (await writing(target, entity, parkSql(entity, parking, given))).waves;
}

/**
 * The same on the way back, among the rows a pass brings: each of them is written or deleted after it. What was taken away and has not
 * changed at the target is written again as the source spelt it. Where nothing can be taken away, a row that the target has no more goes before
 * its time. Returns the rows deleted.
 */
export async function parkReturning(source: PoolClient, part: Part, wave: number): Promise<number> {
  const { table, key, columns, at } = part;
  let deleted = 0;
  for (const [no, unique] of table.uniques.entries()) {
    if (unique.primary || unique.deferrable || unique.partial || unique.columns.length === 0) continue;
    if (!unique.columns.every((name) => columns.includes(name))) continue;
    const taken = `exists (select from ${newBack(at)} n where ${sameKey(unique.columns, 'n', 's')} and not (${sameKey(key, 'n', 's')}))`;
    const free = unique.columns.find(
      (name) => !key.includes(name) && table.columns.find((column) => column.name === name)?.notNull === false,
    );
    if (free === undefined) {
      deleted += await deleteEnded(source, part, wave, taken);
      continue;
    }
    const [name, parked] = [ident(free), `cutover_parked_${at}_${no}`];
    await source.query(
      `create temporary table ${parked} on commit drop as
       select ${identList([...key, free], 's')} from ${table.sql} s
       where ${taken}
         and exists (select from ${oldBack(at)} o where ${sameKey(key, 'o', 's')})`,
    );
    const its = (alias: string): string => `from pg_temp.${parked} p where ${sameKey(key, 'p', alias)}`;
    await source.query(
      `update ${newBack(at)} n set ${name} = (select p.${name} ${its('n')}) from ${oldBack(at)} o
       where ${sameKey(key, 'o', 'n')} and not ${imagesDiffer(`n.${name}`, `o.${name}`)} and exists (select ${its('n')})`,
    );
    await source.query(`update ${oldBack(at)} o set ${name} = null where exists (select ${its('o')})`);
    await source.query(`update ${table.sql} s set ${name} = null where exists (select ${its('s')})`);
  }
  return deleted;
}
