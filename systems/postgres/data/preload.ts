import type { PoolClient } from 'pg';
import { STAYS_WAVE } from '../../../domain/custody';
import { SystemFault, type Stale } from '../../ports';
import { sqlStateOf, withTransaction } from '../connect';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { pipeRows } from './copy';
import { faultIn, fenced, FOREIGN_KEY_VIOLATION, UNIQUE_VIOLATION } from './faults';
import { inRange, originTable, selectChunk, targetCustomerOf } from './forward';
import {
  columnNames,
  createStage,
  createTargetOrigins,
  originColumns,
  parentsPresent,
  stageTable,
  upsertStage,
} from './merge';
import { identList, sameKey, waveOf } from './names';
import { readPosition } from './position';
import { parkCollisions } from './park';
import { refuseSharedKeys, wanted } from './shared-keys';
import type { CustomerRange, Pair } from './pair';
import {
  inSnapshot,
  movePosition,
  othersMayOwn,
  requireSealed,
  takeFence,
  takePassLock,
  vouch,
  vouchFor,
} from './transaction';
import { readWave } from './wave-here';

export interface ChunkRef extends CustomerRange {
  wave: number;
  epoch: number;
  entity: string;
  no: number;
}

const DONE = 'done/';
const chunkKey = ({ wave, entity, no }: ChunkRef): string => `chunk/${wave}/${entity}/${no}`;

function entityOf(compiled: CompiledConversion, id: string): CompiledEntity {
  const found = compiled.entities.find((entity) => entity.id === id);
  if (!found) throw new SystemFault(`the conversion has no entity ${id}`, false);
  return found;
}

/**
 * Copies one chunk in one target transaction. It shares the wave's fence with the other streams and has a fence row of its
 * own, which keeps that it is done (PROTOCOL 9); a chunk that is done is not copied again. Where a row's parent is not
 * there yet, the chunk is copied by way of a temporary table; where rows are in the way (an earlier attempt, a row
 * that changed its customer meanwhile, a unique value that changed hands), it is merged instead, taking turns with passes.
 * Chunks of an entity come after all chunks of its `after`.
 */
export async function preloadChunk(
  pair: Pair,
  compiled: CompiledConversion,
  chunk: ChunkRef,
): Promise<{ outcome: 'done'; rows: number } | Stale> {
  const entity = entityOf(compiled, chunk.entity);
  return fenced(`chunk ${chunk.no} of entity ${entity.id}`, async () => {
    for (const copy of [copyStraight, copyStaged]) {
      try {
        return await attempt(pair, entity, chunk, copy, false);
      } catch (error) {
        const state = sqlStateOf(error);
        if (state === UNIQUE_VIOLATION) break;
        if (state !== FOREIGN_KEY_VIOLATION) throw error;
      }
    }
    return attempt(pair, entity, chunk, mergeStaged, true);
  });
}

type Copy = (source: PoolClient, target: PoolClient, entity: CompiledEntity, chunk: ChunkRef) => Promise<number>;

async function attempt(
  pair: Pair,
  entity: CompiledEntity,
  chunk: ChunkRef,
  copy: Copy,
  alone: boolean,
): Promise<{ outcome: 'done'; rows: number }> {
  return withTransaction(pair.target, {}, async (target) => {
    if (alone) await takePassLock(target);
    const position = await takeFence(target, chunkKey(chunk), chunk.epoch);
    if (position?.startsWith(DONE)) return { outcome: 'done', rows: Number(position.slice(DONE.length)) };
    await requireSealed(target, chunk.wave);
    const rows = await inSnapshot(pair.source, (source) => copy(source, target, entity, chunk));
    await movePosition(target, chunkKey(chunk), `${DONE}${rows}`);
    return { outcome: 'done', rows };
  });
}

const staleRows = (entity: CompiledEntity, chunk: ChunkRef): string =>
  [
    ...inRange(entity, 'target', targetCustomerOf(entity, 't'), chunk),
    `${waveOf(targetCustomerOf(entity, 't'))} in (${chunk.wave}, ${STAYS_WAVE})`,
  ].join(' and ');

const pipeChunk = async (
  source: PoolClient,
  target: PoolClient,
  entity: CompiledEntity,
  chunk: ChunkRef,
  into: string,
): Promise<number> =>
  pipeRows(
    source,
    selectChunk(entity, await readWave(source, chunk.wave), chunk, await readPosition(target, chunk.wave)),
    target,
    `${into} (${identList(columnNames(entity))})`,
  );

/** Membership may differ between the systems for a moment, so rows of the source's wave may be another's here. */
async function vouchForCopied(target: PoolClient, entity: CompiledEntity, chunk: ChunkRef): Promise<void> {
  if (!(await othersMayOwn(target, chunk.wave))) return;
  const customer = targetCustomerOf(entity, 't');
  const copied = [...inRange(entity, 'target', customer, chunk), 't.xmin = pg_current_xact_id()::xid'].join(' and ');
  const { rows } = await target.query<{ wave: number }>(
    `select distinct ${waveOf(customer)} as wave from ${entity.target.sql} t where ${copied}`,
  );
  await vouchFor(
    target,
    rows.map(({ wave }) => wave),
  );
}

const copyStraight: Copy = async (source, target, entity, chunk) => {
  await vouch(target);
  await target.query(`delete from ${entity.target.sql} t where ${staleRows(entity, chunk)}`);
  const rows = await pipeChunk(source, target, entity, chunk, entity.target.sql);
  await vouchForCopied(target, entity, chunk);
  return rows;
};

/**
 * Rows whose parent is not there yet are left out: the parent, and the row, were written after the starting position, so
 * the first pass brings both. (What never comes, verification finds.)
 */
const copyStaged: Copy = async (source, target, entity, chunk) => {
  await target.query(`delete from ${entity.target.sql} t where ${staleRows(entity, chunk)}`);
  await createStage(target, entity, 0);
  await pipeChunk(source, target, entity, chunk, stageTable(0));
  const names = identList(columnNames(entity));
  const result = await target.query(
    `insert into ${entity.target.sql} (${names}) overriding system value
     select ${names} from ${stageTable(0)} s where ${parentsPresent(entity.parents, 's')}`,
  );
  return result.rowCount ?? 0;
};

const mergeStaged: Copy = async (source, target, entity, chunk) => {
  await createStage(target, entity, 0);
  const staged = await pipeChunk(source, target, entity, chunk, stageTable(0));
  await refuseSharedKeys(source, target, entity, 0);
  await target.query(
    `delete from ${entity.target.sql} t where ${staleRows(entity, chunk)}
       and not exists (select from ${stageTable(0)} s where ${sameKey(entity.targetKey, 's', 't')})`,
  );
  await createTargetOrigins(target, entity, 0);
  await target.query(`insert into ${originTable(0)} select ${identList(originColumns(entity))} from ${stageTable(0)}`);
  await parkCollisions(source, target, entity, 0);
  try {
    await upsertStage(target, entity, 0, parentsPresent(entity.parents, 's'));
  } catch (error) {
    if (sqlStateOf(error) === UNIQUE_VIOLATION) throw wanted(entity, 'a unique value of another customer’s row', error);
    throw faultIn(`entity ${entity.id}`, error);
  }
  return staged;
};
