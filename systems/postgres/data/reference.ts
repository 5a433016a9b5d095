import type { PoolClient } from 'pg';
import type { CompiledConversion } from './compiled';
import { pipeRows } from './copy';
import type { Stale } from '../../ports';
import { fenced } from './faults';
import { withTransaction } from '../connect';
import { ident, identList, imagesDiffer } from './names';
import type { Pair } from './pair';
import { inSnapshot, requireSealed, takeFence, takePassLock, waveKey } from './transaction';

/**
 * Copies reference tables the source owns, on behalf of a wave that is not live yet; rows equal to the byte stay. What the source deleted
 * stays too: rows that were moved may point at it. Returns the rows written. Idempotent.
 */
export async function copyReference(
  pair: Pair,
  compiled: CompiledConversion,
  wave: number,
  epoch: number,
): Promise<{ rows: number } | Stale> {
  if (!compiled.references.some(({ owner }) => owner === 'source')) return { rows: 0 };
  return fenced('copying reference tables', () =>
    withTransaction(pair.target, {}, async (target) => {
      await takePassLock(target);
      await takeFence(target, waveKey(wave), epoch);
      await requireSealed(target, wave);
      return inSnapshot(pair.source, async (source) => ({ rows: await copyReferenceWithin(source, target, compiled) }));
    }),
  );
}

/** The same inside a pass, from its snapshot. */
export async function copyReferenceWithin(
  source: PoolClient,
  target: PoolClient,
  compiled: CompiledConversion,
): Promise<number> {
  let written = 0;
  for (const [at, reference] of compiled.references.entries()) {
    if (reference.owner !== 'source') continue;
    const names = reference.columns.map(({ name }) => name);
    const stage = `cutover_reference_${at}`;
    await target.query(
      `create temporary table ${stage} on commit drop as select ${identList(names)} from ${reference.target.sql} with no data`,
    );
    const list = reference.columns.map(({ name, forward }) => `${forward} as ${ident(name)}`).join(', ');
    const select = `select ${list} from ${reference.source.sql} as ${ident(reference.source.bare)}`;
    await pipeRows(source, select, target, `pg_temp.${stage} (${identList(names)})`);
    const values = names.filter((name) => name !== reference.key);
    const update = values.map((name) => `${ident(name)} = excluded.${ident(name)}`).join(', ');
    const differs = imagesDiffer(identList(values, 'cutover_t'), identList(values, 'excluded'));
    const result = await target.query(
      `insert into ${reference.target.sql} as cutover_t (${identList(names)}) select ${identList(names)} from pg_temp.${stage}
       on conflict (${ident(reference.key)}) ${values.length === 0 ? 'do nothing' : `do update set ${update} where ${differs}`}`,
    );
    written += result.rowCount ?? 0;
  }
  return written;
}
