import type { Stale } from '../../ports';
import { withTransaction } from '../connect';
import type { CompiledConversion } from './compiled';
import { fenced, saying } from './faults';
import { ident, waveOf } from './names';
import type { Pair } from './pair';
import { forgetCopy, isKept, tablesOfCopy } from './kept-copy';
import { forgetProofs } from './proofs';
import { movePosition, requireSealed, takeFence, takePassLock, waveKey } from './transaction';

const ofWaves = (table: string, customer: string, waves: readonly number[]): string =>
  `${table} t where ${waveOf(`t.${ident(customer)}`)} in (${waves.join(', ')})`;

/**
 * Takes the wave's copy out of the target, children first, from the tables it was copied into whatever conversion the caller goes by, and
 * forgets positions, chunks and proofs on both sides: the wave can start anew. Refused while the target owns the wave. Returns the rows deleted. Idempotent. `onlyKept`: nothing happens
 * unless the copy is still the one an earlier run kept: an attempt that wakes late must not take out what is copied since.
 */
export async function purgeWave(
  pair: Pair,
  wave: number,
  epoch: number,
  { onlyKept = false }: { onlyKept?: boolean } = {},
): Promise<{ rows: number } | Stale> {
  return fenced(`purge of wave ${wave}`, async () => {
    const rows = await withTransaction(pair.target, {}, async (target) => {
      await takePassLock(target);
      await takeFence(target, waveKey(wave), epoch);
      if (onlyKept && !(await isKept(target, wave))) return 0;
      await requireSealed(target, wave);
      await target.query('set constraints all deferred');
      let deleted = 0;
      for (const { table, customer } of (await tablesOfCopy(target, wave)).toReversed())
        deleted += (await target.query(`delete from ${ofWaves(table, customer, [wave, 0])}`)).rowCount ?? 0;
      await target.query('delete from cutover.fence where starts_with(key, $1)', [`chunk/${wave}/`]);
      await movePosition(target, waveKey(wave), null);
      await forgetProofs(target, wave);
      await forgetCopy(target, wave);
      return deleted;
    });
    await withTransaction(pair.source, {}, async (source) => {
      await takeFence(source, waveKey(wave), epoch);
      await movePosition(source, waveKey(wave), null);
    });
    return { rows };
  });
}

/** Rows of the wave's customers in the target's mapped tables. */
export async function countWave(pair: Pair, compiled: CompiledConversion, wave: number): Promise<number> {
  return saying(`counting wave ${wave}`, () =>
    withTransaction(pair.target, { isolation: 'repeatable read', readOnly: true }, async (target) => {
      let total = 0;
      for (const entity of compiled.entities) {
        const { rows } = await target.query<{ rows: string }>(
          `select count(*) as rows from ${ofWaves(entity.target.sql, entity.targetCustomer.name, [wave])}`,
        );
        total += Number(rows[0]!.rows);
      }
      return total;
    }),
  );
}
