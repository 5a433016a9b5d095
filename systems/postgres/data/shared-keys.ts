import type { PoolClient } from 'pg';
import { SystemFault } from '../../ports';
import type { CompiledEntity } from './compiled';
import { pipeRows } from './copy';
import { columnsNamed, selectMoving, wireColumns, wireList } from './forward';
import { stageTable } from './merge';
import { ident, identList, sameKey } from './names';
import { keepingAwake } from './transaction';

/** The source wants for one customer what the target has for another. */
export const wanted = (entity: CompiledEntity, what: string, cause?: unknown): SystemFault =>
  new SystemFault(
    `entity ${entity.id}: rows of the source want ${what} in ${entity.target.name} (key ${entity.targetKey.join(', ')})`,
    false,
    { cause },
  );

/** A key that is taken is taken over only when no second row that moves has it at the source. Throws where one has. */
export async function refuseSharedKeys(
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  at: number,
): Promise<void> {
  const keys = columnsNamed(entity, entity.targetKey);
  const customer = ident(entity.targetCustomer.name);
  const taken = `cutover_taken_${at}`;
  await source.query(`create temporary table ${taken} (${wireColumns(keys)}) on commit drop`);
  const found = await pipeRows(
    target,
    `select ${wireList(keys)} from ${stageTable(at)} s
     join ${entity.target.sql} t on ${sameKey(entity.targetKey, 't', 's')} where t.${customer}::text is distinct from s.${customer}::text`,
    source,
    `pg_temp.${taken}`,
  );
  if (found === 0) return;
  const names = identList(entity.targetKey);
  const { rows } = await keepingAwake(target, () =>
    source.query<{ shared: string }>(
      `select count(*) as shared from (
       select ${names} from (${selectMoving(entity, entity.targetKey)}) mapped
       where (${names}) in (select ${names} from pg_temp.${taken}) group by ${names} having count(*) > 1) twice`,
    ),
  );
  if (Number(rows[0]!.shared) > 0) throw wanted(entity, 'the key of another customer’s row');
}
