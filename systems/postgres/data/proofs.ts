import type { PoolClient } from 'pg';
import { SystemFault } from '../../ports';

/** A chunk that was equal on both sides at these positions. Changes not visible in them are proven again after the freeze. */
export interface Proof {
  wave: number;
  entity: string;
  no: number;
  /** Chunks of the entity; the proof of an entity is whole when there are as many. */
  chunks: number;
  lo: string | null;
  hi: string | null;
  position: string;
  targetPosition: string;
  rows: number;
  digest: string;
}

/** Throws, to be tried again, when an earlier attempt that did not know it was over has stored one meanwhile. */
export async function storeProof(target: PoolClient, proof: Proof): Promise<void> {
  const { rowCount } = await target.query(
    `insert into cutover.proof (wave, entity, no, chunks, lo, hi, position, target_position, rows, digest)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      proof.wave,
      proof.entity,
      proof.no,
      proof.chunks,
      proof.lo,
      proof.hi,
      proof.position,
      proof.targetPosition,
      proof.rows,
      proof.digest,
    ],
  );
  if (rowCount === 0)
    throw new SystemFault(
      `another attempt of the verification is still at entity ${proof.entity}; it ends by itself`,
      true,
    );
}

/** `entity` null: of every entity. */
export async function forgetProofs(target: PoolClient, wave: number, entity: string | null = null): Promise<void> {
  await target.query('delete from cutover.proof where wave = $1 and entity = coalesce($2, entity)', [wave, entity]);
}

export interface ProvenEntity {
  /** Over the proofs of its chunks. */
  digest: string;
  /** Rows that were equal in them. */
  rows: number;
}

export interface ProvenSince {
  /** Entities whose every chunk is proven. */
  entities: Map<string, ProvenEntity>;
  /** Positions of the oldest proof: whatever is not visible in them has to be proven again. */
  position: string | null;
  targetPosition: string | null;
}

export async function readProofs(target: PoolClient, wave: number): Promise<ProvenSince> {
  const whole = await target.query<{ entity: string; digest: string; rows: string }>(
    `select entity, md5(string_agg(no || ':' || rows || ':' || digest, ',' order by no)) as digest, sum(rows) as rows
     from cutover.proof where wave = $1 group by entity having count(*) = max(chunks) and min(chunks) = max(chunks)`,
    [wave],
  );
  const oldest = await target.query<{ position: string; target_position: string }>(
    'select position, target_position from cutover.proof where wave = $1 order by at limit 1',
    [wave],
  );
  return {
    entities: new Map(whole.rows.map(({ entity, digest, rows }) => [entity, { digest, rows: Number(rows) }])),
    position: oldest.rows[0]?.position ?? null,
    targetPosition: oldest.rows[0]?.target_position ?? null,
  };
}
