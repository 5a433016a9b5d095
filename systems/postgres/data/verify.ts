import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { VerifyEntity, VerifyResult } from '../../../engine/contract';
import { SystemFault, type Stale } from '../../ports';
import { FENCE_STALE, withTransaction } from '../connect';
import { triggersOf } from './affected';
import { readIntegrity } from './baseline';
import { cutPoints } from './chunks';
import { compareScope, type Compared, type Finding } from './compare';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { LISTED } from './digest';
import { fenced } from './faults';
import { readNumber } from './numbers';
import type { Pair } from './pair';
import { applyWithin } from './pass';
import { forgetProofs, readProofs, storeProof, type ProvenEntity, type ProvenSince } from './proofs';
import {
  currentSnapshot,
  inSnapshot,
  movePosition,
  requireSealed,
  takeFence,
  takePassLock,
  waveKey,
} from './transaction';

export interface VerifyOptions {
  scope: 'live' | 'frozen';
  /** Queries that return one value; see `readNumber`. */
  totals?: { id: string; source: string; target: string }[];
  chunkRows?: number;
  /** Aborted when this attempt is over: it ends as `stale` before the next stretch. */
  ended?: AbortSignal;
}

/** What the engine reads, and what an operator needs to find the rows. */
export type Verification = VerifyResult & { findings: Finding[] };

/** Each chunk costs a dozen round trips and holds passes off while it is compared. */
const CHUNK_ROWS = 100_000;

interface Verifying {
  pair: Pair;
  compiled: CompiledConversion;
  wave: number;
  epoch: number;
  chunkRows: number;
  ended: AbortSignal | undefined;
}

/** Both sides at one moment, with passes held off. `position` is the source's snapshot, `applied` what the target holds of it. */
interface Moment {
  source: PoolClient;
  target: PoolClient;
  position: string;
  applied: string | null;
}

/**
 * Proves the target equal to the mapping of the source, by code that shares nothing with the copier (promise CONTENT).
 * `live`: chunk by chunk, each brought up to date by a pass and compared in the same snapshot; a chunk that is equal
 * leaves a proof. `frozen`: customers logged at the source or the target since the proofs are compared again, and entities
 * without a whole proof are compared entirely; what no log names stands as proven, so the frozen time follows the changes.
 * Where a guard was off, or a table changed its shape, the logs do not tell everything, and every row is compared.
 */
export async function verifyWave(
  pair: Pair,
  compiled: CompiledConversion,
  wave: number,
  epoch: number,
  { scope, totals = [], chunkRows = CHUNK_ROWS, ended }: VerifyOptions,
): Promise<Verification | Stale> {
  return fenced(`verification of wave ${wave}`, async () => {
    const run: Verifying = { pair, compiled, wave, epoch, chunkRows, ended };
    const results: EntityResult[] = [];
    const { guards, shapes } = await readIntegrity(pair);
    const logged = guards.length + shapes.length === 0;
    if (scope === 'live') await atOneMoment(run, ({ target }) => forgetProofs(target, wave));
    for (const entity of compiled.entities)
      results.push(
        scope === 'live'
          ? await proveLive(run, entity)
          : ((logged ? await proveLogged(run, entity) : null) ?? (await proveAll(run, entity))),
      );
    return summarise(results, await compareTotals(run, scope, totals));
  });
}

async function atOneMoment<T>(
  { pair, wave, epoch, ended }: Verifying,
  body: (moment: Moment) => Promise<T>,
): Promise<T> {
  if (ended?.aborted) throw new SystemFault('this attempt is over', false, { cause: { code: FENCE_STALE } });
  return withTransaction(pair.target, {}, async (target) => {
    await takePassLock(target);
    const applied = await takeFence(target, waveKey(wave), epoch);
    return inSnapshot(pair.source, (source, position) => body({ source, target, position, applied }));
  });
}

/** Brings the target to the source's snapshot, so that what is compared is of the same instant on both sides. */
async function catchUp({ compiled, wave }: Verifying, { source, target, position, applied }: Moment): Promise<void> {
  await requireSealed(target, wave);
  const { outcome } = await applyWithin(source, target, compiled, wave, applied);
  if (outcome === 'unmappable')
    throw new SystemFault(`customers of wave ${wave} whose rows cannot be mapped are not excluded yet`, true);
  await movePosition(target, waveKey(wave), position);
}

interface EntityResult extends VerifyEntity {
  findings: Finding[];
  digest: string;
}

const nothing = (entity: CompiledEntity): EntityResult => ({
  entity: entity.id,
  rows: 0,
  mismatches: 0,
  findings: [],
  digest: '',
});

const add = (sum: EntityResult, { rows, mismatches, findings, digest }: Compared): EntityResult => ({
  entity: sum.entity,
  rows: sum.rows + rows,
  mismatches: sum.mismatches + mismatches,
  findings: [...sum.findings, ...findings],
  digest: `${sum.digest}\n${digest}`,
});

/** Stretches that leave no customer out, not even one that only the target has. */
async function stretches(
  { pair, chunkRows }: Verifying,
  entity: CompiledEntity,
): Promise<{ after: string | null; upTo: string | null }[]> {
  const ends = await cutPoints(entity, pair.source, chunkRows);
  return [...ends, null].map((upTo, at) => ({ after: at === 0 ? null : ends[at - 1]!, upTo }));
}

async function proveLive(run: Verifying, entity: CompiledEntity): Promise<EntityResult> {
  let result = nothing(entity);
  const scopes = await stretches(run, entity);
  for (const [no, scope] of scopes.entries()) {
    const compared = await atOneMoment(run, async (moment) => {
      await catchUp(run, moment);
      const targetPosition = await currentSnapshot(moment.target);
      const chunk = await compareScope(moment.source, moment.target, entity, run.wave, scope);
      if (chunk.mismatches === 0)
        await storeProof(moment.target, {
          wave: run.wave,
          entity: entity.id,
          no,
          chunks: scopes.length,
          lo: scope.after,
          hi: scope.upTo,
          position: moment.position,
          targetPosition,
          rows: chunk.rows,
          digest: chunk.digest,
        });
      return chunk;
    });
    result = add(result, compared);
  }
  return result;
}

/** Null: there is no whole proof of the entity. */
async function proveLogged(run: Verifying, entity: CompiledEntity): Promise<EntityResult | null> {
  return atOneMoment(run, async (moment) => {
    const proofs = await readProofs(moment.target, run.wave);
    const proof = proofs.entities.get(entity.id);
    return proof === undefined ? null : proveAgain(run, moment, entity, proofs, proof);
  });
}

async function proveAll(run: Verifying, entity: CompiledEntity): Promise<EntityResult> {
  let result = nothing(entity);
  for (const scope of await stretches(run, entity))
    result = add(
      result,
      await atOneMoment(run, ({ source, target }) => compareScope(source, target, entity, run.wave, scope)),
    );
  return result;
}

/** Compares the customers either log names for the entity since the proof; the others stand proven. */
async function proveAgain(
  run: Verifying,
  moment: Moment,
  entity: CompiledEntity,
  proofs: ProvenSince,
  proof: ProvenEntity,
): Promise<EntityResult> {
  const { source, target } = moment;
  const since = async (client: PoolClient, tables: string[], position: string | null): Promise<string[]> => {
    const { rows } = await client.query<{ owner: string }>(
      `select distinct owner from cutover.change c, unnest(array[c.old_owner, c.new_owner]) owner
       where c.wave = $1 and c.tab = any ($2) and owner is not null
         and c.xid >= pg_snapshot_xmin($3::pg_snapshot) and not pg_visible_in_snapshot(c.xid, $3::pg_snapshot)`,
      [run.wave, tables, position],
    );
    return rows.map(({ owner }) => owner);
  };
  const [here, there] = await Promise.all([
    since(source, triggersOf(entity), proofs.position),
    since(target, [entity.target.name], proofs.targetPosition),
  ]);
  const customers = [...new Set([...here, ...there])];
  const list = async (client: PoolClient): Promise<void> => {
    await client.query(`create temporary table ${LISTED} (cutover_listed_customer text primary key) on commit drop`);
    await client.query(`insert into ${LISTED} select unnest($1::text[])`, [customers]);
    await client.query(`analyze ${LISTED}`);
  };
  await Promise.all([list(source), list(target)]);
  const compared = await compareScope(source, target, entity, run.wave, 'listed');
  return {
    entity: entity.id,
    rows: Math.max(proof.rows, compared.rows),
    mismatches: compared.mismatches,
    findings: compared.findings,
    digest: `${proof.digest}\n${compared.digest}`,
  };
}

/** Live totals are read right after a pass, from its snapshot: the same instant on both sides. */
async function compareTotals(
  run: Verifying,
  scope: 'live' | 'frozen',
  totals: VerifyOptions['totals'] = [],
): Promise<{ id: string; equal: boolean }[]> {
  if (totals.length === 0) return [];
  return atOneMoment(run, async (moment) => {
    if (scope === 'live') await catchUp(run, moment);
    const results = [];
    for (const { id, source, target } of totals) {
      const left = await readNumber(moment.source, source, run.wave);
      const right = await readNumber(moment.target, target, run.wave);
      results.push({ id, equal: plain(left) === plain(right) });
    }
    return results;
  });
}

/** 10, 10.0 and 10.00 are one total. */
const plain = (value: string | null): string | null =>
  value !== null && /^-?\d+\.\d*$/.test(value) ? value.replace(/\.?0*$/, '') : value;

function summarise(results: EntityResult[], totals: { id: string; equal: boolean }[]): Verification {
  const entities = results.map(({ entity, rows, mismatches }) => ({ entity, rows, mismatches }));
  const lines = results.map(({ entity, rows, digest }) => `${entity}\n${rows}\n${digest}`);
  const sums = totals.map(({ id, equal }) => `${id}=${equal}`);
  return {
    rows: entities.reduce((sum, { rows }) => sum + rows, 0),
    mismatches: entities.reduce((sum, { mismatches }) => sum + mismatches, 0),
    entities,
    totals,
    digest: createHash('sha256')
      .update([...lines, ...sums].join('\n'))
      .digest('hex'),
    findings: results.flatMap(({ findings }) => findings),
  };
}
