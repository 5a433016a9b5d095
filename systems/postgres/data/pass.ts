import type { PoolClient } from 'pg';
import type { Position, Stale } from '../../ports';
import { withTransaction } from '../connect';
import { changedTables, collectSourceOrigins, triggersOf } from './affected';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { pipeRows } from './copy';
import { faultIn, fenced } from './faults';
import { forwardList, mappableKey, ORIGIN_CUSTOMER, originTable, selectMovingOrigins, selectOrigins } from './forward';
import {
  columnNames,
  createHeld,
  createStage,
  createTargetOrigins,
  deleteGone,
  hasUnstaged,
  heldColumns,
  heldTable,
  originColumns,
  stagedWaves,
  stageTable,
  upsertStage,
} from './merge';
import { ident, identList } from './names';
import { parkCollisions } from './park';
import type { Pair } from './pair';
import { lag } from './position';
import { unmappableOrigins, type RuleCount } from './quarantine';
import { copyReferenceWithin } from './reference';
import { demandSameSource } from './server';
import { refuseSharedKeys } from './shared-keys';
import {
  inSnapshot,
  keepingAwake,
  movePosition,
  othersMayOwn,
  requireSealed,
  takeFence,
  takePassLock,
  vouch,
  vouchFor,
  waveKey,
} from './transaction';
import { readWave, type WaveHere } from './wave-here';

export interface PassResult {
  outcome: 'applied';
  /** Log rows taken. */
  changes: number;
  /** Target rows written or deleted. */
  rows: number;
  position: Position;
  /** Log rows left when the pass had ended. */
  lagRows: number;
}

/** Customers with a changed row that cannot be mapped: nothing was applied, and nothing is until they are excluded. */
export interface Unmappable {
  outcome: 'unmappable';
  /** For the caller in this process only. */
  customers: string[];
  counts: RuleCount[];
}

/**
 * One pass (PROTOCOL 7, 8): what the source logged for the wave since the last position replaces the target rows of its
 * origins, and the new position is committed with them. Passes into one target take turns, by a lock that is taken
 * before the source's snapshot.
 */
export async function runPass(
  pair: Pair,
  compiled: CompiledConversion,
  wave: number,
  epoch: number,
): Promise<PassResult | Unmappable | Stale> {
  const applied = await fenced(`pass of wave ${wave}`, () =>
    withTransaction(pair.target, {}, async (target) => {
      await takePassLock(target);
      const since = await takeFence(target, waveKey(wave), epoch);
      await requireSealed(target, wave);
      return inSnapshot(pair.source, async (source, position) => {
        const applied = await applyWithin(source, target, compiled, wave, since);
        if (applied.outcome === 'applied') await movePosition(target, waveKey(wave), position);
        return { ...applied, position };
      });
    }),
  );
  if (applied.outcome !== 'applied') return applied;
  return { ...applied, lagRows: await lag(pair, wave, applied.position) };
}

interface Part {
  entity: CompiledEntity;
  at: number;
  /** Rows, or customers, that the log names. */
  origins: number;
  /** Target rows of the origins may have no row at the source any more. */
  mayBeGone: boolean;
}

/**
 * The body of a pass, inside a target transaction that holds the pass lock and the fence, from the source's snapshot. Writes
 * nothing when a row cannot be mapped.
 */
export async function applyWithin(
  source: PoolClient,
  target: PoolClient,
  compiled: CompiledConversion,
  wave: number,
  since: Position | null,
): Promise<{ outcome: 'applied'; changes: number; rows: number } | Unmappable> {
  await demandSameSource(source, target, wave);
  const { changes, parts, here, customers, counts } = await keepingAwake(target, () =>
    changedParts(source, compiled, wave, since),
  );
  if (changes === 0) return { outcome: 'applied', changes, rows: 0 };
  if (customers.length > 0) return { outcome: 'unmappable', customers, counts };
  await copyReferenceWithin(source, target, compiled);
  await target.query('set constraints all deferred');
  for (const part of parts) await naming(part, () => stage(source, target, part, here));
  return { outcome: 'applied', changes, rows: await replace(source, target, parts, wave) };
}

/** What the source logged since the position, by entity, and who cannot be mapped of it. */
async function changedParts(
  source: PoolClient,
  compiled: CompiledConversion,
  wave: number,
  since: Position | null,
): Promise<Pick<Unmappable, 'customers' | 'counts'> & { changes: number; parts: Part[]; here: WaveHere }> {
  const here = await readWave(source, wave);
  const { tables, changes } = await changedTables(source, wave, since);
  const parts = compiled.entities
    .map((entity, at): Part => ({ entity, at, origins: 0, mayBeGone: true }))
    .filter(({ entity }) => triggersOf(entity).some((table) => tables.has(table)));
  for (const part of parts)
    part.origins = await naming(part, () => collectSourceOrigins(source, part.entity, part.at, wave, since));
  return { changes, parts, here, ...(await unmappableOrigins(source, parts, here)) };
}

/** Replaces the target rows of the staged origins. Returns the rows written. */
async function replace(source: PoolClient, target: PoolClient, parts: Part[], wave: number): Promise<number> {
  await vouch(target);
  const upwards = parts.toReversed();
  const waves: number[] = [];
  let rows = 0;
  const gone = async (part: Part): Promise<void> => {
    if (!part.mayBeGone) return;
    const deleted = await naming(part, () => deleteGone(target, part.entity, part.at));
    rows += deleted.rows;
    waves.push(...deleted.waves);
  };
  if (await othersMayOwn(target, wave))
    for (const part of parts) waves.push(...(await naming(part, () => stagedWaves(target, part.entity, part.at))));
  for (const part of upwards) {
    if (!part.entity.hasChildren) await gone(part);
    waves.push(...(await naming(part, () => parkCollisions(source, target, part.entity, part.at))));
    // Of rows, the quarantine asks that their key comes back as the same.
    if (part.entity.kind === 'set') await naming(part, () => refuseSharedKeys(source, target, part.entity, part.at));
  }
  for (const part of parts) rows += await naming(part, () => upsertStage(target, part.entity, part.at));
  // Rows others point at go last: their children may have been given another parent just before.
  for (const part of upwards) if (part.entity.hasChildren) await gone(part);
  await vouchFor(target, waves);
  return rows;
}

async function naming<T>({ entity }: Part, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw faultIn(`entity ${entity.id} (key ${entity.targetKey.join(', ')} of ${entity.target.name})`, error);
  }
}

/**
 * Brings the affected origins and their new rows to temporary tables at the target. Mostly every origin is a row that is still
 * there: then its key is that of its new row, and no row is gone.
 */
async function stage(source: PoolClient, target: PoolClient, part: Part, wave: WaveHere): Promise<void> {
  const { entity, at } = part;
  await createStage(target, entity, at);
  const staged = await pipeRows(
    source,
    selectOrigins(entity, forwardList(entity), wave, originTable(at)),
    target,
    `${stageTable(at)} (${identList(columnNames(entity))})`,
  );
  await target.query(`analyze ${stageTable(at)}`);
  await createTargetOrigins(target, entity, at);
  const origins = `${originTable(at)} (${identList(originColumns(entity))})`;
  part.mayBeGone = entity.kind !== 'row' || staged !== part.origins;
  if (part.mayBeGone) await pipeRows(source, originsForTarget(entity, at), target, origins);
  else await target.query(`insert into ${origins} select ${identList(originColumns(entity))} from ${stageTable(at)}`);
  await target.query(`analyze ${originTable(at)}`);
  part.mayBeGone &&= await hasUnstaged(target, entity, at);
  if (!part.mayBeGone) return;
  await addNamesakes(source, entity, at);
  await createHeld(target, entity, at);
  await pipeRows(
    source,
    selectMovingOrigins(entity, forwardList(entity, heldColumns(entity)), originTable(at)),
    target,
    `${heldTable(at)} (${identList(heldColumns(entity))})`,
  );
}

/** Origins in the target's words: keys mapped from the source key alone, or customers. What cannot be mapped has nothing there. */
function originsForTarget(entity: CompiledEntity, at: number): string {
  if (entity.kind === 'row') {
    const list = entity.keyForward.map((sql, n) => `${sql} as ${ident(entity.targetKey[n]!)}`).join(', ');
    return `select ${list} from ${originTable(at)} as ${ident(entity.alias)} where ${mappableKey(entity).join(' and ') || 'true'}`;
  }
  const { wire, type } = entity.targetCustomer;
  return `select ${ORIGIN_CUSTOMER}::text::${wire ?? type} from ${originTable(at)}`;
}

/**
 * Adds to the origins at the source the rows whose key theirs comes back as ('17' beside '0017', whose customer stays behind): they hold the
 * target row that the two keys share.
 */
async function addNamesakes(source: PoolClient, entity: CompiledEntity, at: number): Promise<void> {
  if (entity.kind !== 'row' || entity.roundTrip === null) return;
  const columns = entity.roundTrip.again.map((sql, n) => `${sql} as ${ident(entity.sourceKey[n]!)}`).join(', ');
  await source.query(
    `insert into ${originTable(at)} select ${columns} from ${originTable(at)} as ${ident(entity.alias)}
     where ${mappableKey(entity).join(' and ') || 'true'} except select * from ${originTable(at)}`,
  );
}
