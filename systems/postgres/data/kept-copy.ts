import type { PoolClient } from 'pg';
import { SystemFault, type Position, type Stale } from '../../ports';
import { withTransaction } from '../connect';
import { shapeFindings, triggersIntact } from '../schema';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { fenced, saying } from './faults';
import type { Pair } from './pair';
import { startPosition } from './position';
import { isOfServer } from './server';
import { inSnapshot, movePosition, requireSealed, takeFence, waveKey } from './transaction';

/** Whose copy it is, and of what. */
export interface CopyOwner {
  cutover: string;
  /** SHA-256 of the conversion it is made with. */
  conversion: string;
}

/** The row of `cutover.copy` and the wave's fence. `capture` names the source's guards as they were when the copy began. */
interface CopyRow extends CopyOwner {
  capture: string;
  targetPosition: Position;
  kept: boolean;
  position: Position | null;
  chunksDone: boolean;
}

async function readCopy({ target }: Pair, wave: number): Promise<CopyRow | null> {
  const { rows } = await target.query<CopyRow>(
    `select c.cutover, c.conversion, c.capture, c.target_position as "targetPosition", c.kept, f.position,
       exists (select from cutover.fence d where starts_with(d.key, $2) and d.position is not null) as "chunksDone"
     from cutover.copy c join cutover.fence f on f.key = $3 where c.wave = $1`,
    [wave, `chunk/${wave}/`, waveKey(wave)],
  );
  return rows[0] ?? null;
}

/** Changes whenever a guard of the source is made, put back or taken away: what was written meanwhile may be in no log. */
async function captureOf({ source }: Pair): Promise<string> {
  const { rows } = await source.query<{ capture: string }>(
    `select md5(coalesce(string_agg(tab || ' ' || fingerprint, ';' order by tab), '')) as capture from cutover.guarded`,
  );
  return rows[0]!.capture;
}

/** The first thing that makes the copy worthless to its owner; null: what changed since its position brings it up to date. */
async function distrust(
  pair: Pair,
  wave: number,
  copy: CopyRow,
  owner: CopyOwner,
  chunksKnown: boolean,
): Promise<string | null> {
  if (copy.cutover !== owner.cutover) return `cutover ${copy.cutover} made it`;
  if (copy.conversion !== owner.conversion) return 'it was made with another conversion';
  if (copy.position === null) return 'its position is lost';
  if (copy.chunksDone && !chunksKnown) return 'control does not know its chunks any more';
  const guards = await triggersIntact(pair.source);
  if (guards.length > 0) return `the guards of the source are not as installed: ${guards.join('; ')}`;
  if (copy.capture !== (await captureOf(pair))) return 'the capture at the source was interrupted';
  const same = await inSnapshot(pair.source, (source) =>
    inSnapshot(pair.target, (target) => isOfServer(target, source, waveKey(wave))),
  );
  if (!same) return 'the source failed over, or was set back';
  const there = await triggersIntact(pair.target);
  if (there.length > 0) return `the guards of the target are not as installed: ${there.join('; ')}`;
  const { rows: written } = await pair.target.query<{ rows: string }>('select cutover.unapplied($1, $2) as rows', [
    wave,
    copy.targetPosition,
  ]);
  if (written[0]!.rows !== '0') return 'the target was written by others';
  const shapes = [...(await shapeFindings(pair.source)), ...(await shapeFindings(pair.target))];
  return shapes.length > 0 ? `tables changed their shape: ${shapes.join('; ')}` : null;
}

/**
 * Leaves the wave's copy where it is, for a later run of its cutover: from its position that run only has to catch up. The caller
 * raised the epoch, so nobody writes into it meanwhile. `untrusted`, with the reason: it has to be purged. Idempotent.
 */
export async function keepCopy(
  pair: Pair,
  wave: number,
  epoch: number,
  owner: CopyOwner,
  chunksKnown: boolean,
): Promise<{ outcome: 'kept' } | { outcome: 'untrusted'; reason: string } | Stale> {
  return fenced(`keeping the copy of wave ${wave}`, async () => {
    const copy = await readCopy(pair, wave);
    const reason = copy === null ? 'nothing was copied' : await distrust(pair, wave, copy, owner, chunksKnown);
    if (reason !== null) return { outcome: 'untrusted', reason };
    await withTransaction(pair.target, {}, async (target) => {
      await takeFence(target, waveKey(wave), epoch);
      await requireSealed(target, wave);
      await target.query('update cutover.copy set kept = true where wave = $1', [wave]);
    });
    await withTransaction(pair.source, {}, async (source) => {
      await takeFence(source, waveKey(wave), epoch);
      await movePosition(source, waveKey(wave), null); // nothing was carried back: that begins anew at the next switch
    });
    return { outcome: 'kept' };
  });
}

/**
 * Why a copy that an earlier run left at the target must go before this one copies, and the cutover that made it; null when there is
 * none, or it may go on from it. Throws when the copy is of another cutover that has not given it up.
 */
export async function whyPurge(
  pair: Pair,
  wave: number,
  owner: CopyOwner,
  chunksKnown: boolean,
): Promise<{ reason: string; madeBy: string } | null> {
  return saying(`the copy of wave ${wave}`, async () => {
    const copy = await readCopy(pair, wave);
    if (copy?.kept) {
      const reason = await distrust(pair, wave, copy, owner, chunksKnown);
      return reason === null ? null : { reason, madeBy: copy.cutover };
    }
    if (copy && (copy.cutover !== owner.cutover || copy.conversion !== owner.conversion))
      throw new SystemFault(
        `cutover ${copy.cutover} copied it with ${copy.conversion === owner.conversion ? 'this' : 'another'} conversion and has not given ` +
          'it up: let it end or be rolled back, then retry',
        false,
      );
    return null;
  });
}

/** Whether the copy was kept by an earlier run and nobody goes on from it yet. The caller holds the wave's fence. */
export async function isKept(target: PoolClient, wave: number): Promise<boolean> {
  const { rowCount } = await target.query('select from cutover.copy where wave = $1 and kept', [wave]);
  return rowCount === 1;
}

export async function forgetCopy(target: PoolClient, wave: number): Promise<void> {
  await target.query('delete from cutover.copy where wave = $1', [wave]);
}

/** A table that a copy is in. */
export interface CopiedTable {
  /** For SQL, with its schema. */
  table: string;
  /** Name of its customer column, not quoted. */
  customer: string;
}

const tableOf = (entity: CompiledEntity): CopiedTable => ({
  table: entity.target.sql,
  customer: entity.targetCustomer.name,
});

/** The tables the wave's copy is in, parents first; none when there is no copy. The caller holds the wave's fence. */
export async function tablesOfCopy(target: PoolClient, wave: number): Promise<CopiedTable[]> {
  const { rows } = await target.query<{ tables: CopiedTable[] }>('select tables from cutover.copy where wave = $1', [
    wave,
  ]);
  return rows[0]?.tables ?? [];
}

/** Says whose copy begins here, or goes on, with `startPosition`, after the guards are on. */
export async function startCopy(
  pair: Pair,
  wave: number,
  epoch: number,
  owner: CopyOwner,
  compiled: CompiledConversion,
): Promise<{ position: Position } | Stale> {
  const capture = await captureOf(pair);
  return startPosition(pair, wave, epoch, (target) =>
    target.query(
      `insert into cutover.copy (wave, cutover, conversion, capture, target_position, tables)
       values ($1, $2, $3, $4, pg_current_snapshot()::text, $5) on conflict (wave) do update set kept = false`,
      [wave, owner.cutover, owner.conversion, capture, JSON.stringify(compiled.entities.map(tableOf))],
    ),
  );
}
