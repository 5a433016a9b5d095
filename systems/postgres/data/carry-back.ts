import type { PoolClient } from 'pg';
import type { Position, Stale } from '../../ports';
import { withTransaction } from '../connect';
import { changedTables } from './affected';
import { leaveToOthers, partsOf, stageBack, type Part } from './carry-stage';
import { deleteEnded, groupsOf, insertBorn, keepResidue, updateChanged } from './carry-write';
import type { CompiledConversion } from './compiled';
import { faultIn, fenced, saying } from './faults';
import type { Pair } from './pair';
import { parkReturning } from './park';
import { isOfServer, noteServer } from './server';
import type { PassResult } from './pass';
import { inSnapshot, keepingAwake, movePosition, requireSealed, takeFence, takePassLock, waveKey } from './transaction';

/**
 * One pass back (DESIGN §7.8): what the target logged for the wave since the last position returns to the source, in one
 * source transaction with the new position. Passes into the source take turns as they do forward. The source keeps every
 * column whose mapped value did not change, and rows without such a change to the byte.
 */
export async function carryBackPass(
  pair: Pair,
  compiled: CompiledConversion,
  wave: number,
  epoch: number,
): Promise<PassResult | Stale> {
  const carried = await fenced(`carry-back of wave ${wave}`, () =>
    withTransaction(pair.source, {}, async (source) => {
      await takePassLock(source);
      const since = await takeFence(source, waveKey(wave), epoch);
      await requireSealed(source, wave);
      return inSnapshot(pair.target, async (target, position) => {
        // After a failover of the target its whole log is applied once more: there is nothing to copy the wave from anew.
        const same = await isOfServer(source, target, waveKey(wave));
        const counts = await carryWithin(source, target, compiled, wave, same ? since : null);
        await movePosition(source, waveKey(wave), position);
        if (!same) await noteServer(source, target, waveKey(wave));
        return { outcome: 'applied' as const, ...counts, position };
      });
    }),
  );
  if (carried.outcome === 'stale') return carried;
  return { ...carried, lagRows: await lagBack(pair, wave, carried.position) };
}

async function lagBack(pair: Pair, wave: number, position: Position): Promise<number> {
  return saying(`lag of wave ${wave} at the target`, async () => {
    const { rows } = await pair.target.query<{ rows: string }>('select cutover.unapplied($1, $2) as rows', [
      wave,
      position,
    ]);
    return Number(rows[0]!.rows);
  });
}

async function carryWithin(
  source: PoolClient,
  target: PoolClient,
  compiled: CompiledConversion,
  wave: number,
  since: Position | null,
): Promise<{ changes: number; rows: number }> {
  const { tables, changes } = await keepingAwake(source, () => changedTables(target, wave, since));
  if (changes === 0) return { changes, rows: 0 };
  await source.query('set constraints all deferred');
  const parts = partsOf(compiled.entities).filter(({ entity }) => tables.has(entity.target.name));
  for (const part of parts) await naming([part], () => stageBack(source, target, part, wave, since));
  const groups = groupsOf(parts);
  await leaveToOthers(
    source,
    groups.flatMap((group) => group.parts),
    wave,
  );
  let rows = 0;
  for (const group of groups)
    rows += await naming(group.parts, async () => {
      let written = 0;
      for (const part of group.parts) written += await parkReturning(source, part, wave);
      written += await insertBorn(source, group);
      for (const part of group.parts) written += await updateChanged(source, part);
      return written;
    });
  for (const part of groups.toReversed().flatMap((group) => group.parts))
    rows += await naming([part], () => deleteEnded(source, part, wave));
  for (const part of parts) await naming([part], () => keepResidue(source, part));
  return { changes, rows };
}

async function naming<T>(parts: Part[], body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const [first] = parts;
    throw faultIn(
      `entity ${parts.map(({ entity }) => entity.id).join(' and ')} (source table ${first?.table.name})`,
      error,
    );
  }
}
