import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { waveKey } from './transaction';

/**
 * Takes a new epoch, unique in this control database, and records it as the current one of the wave (or of the whole
 * cutover). Of two taken at once the higher one stays current. The same `key` gets the epoch it got before: an attempt
 * that is repeated, or wakes late, takes none.
 */
export async function nextEpoch(
  pool: Pool,
  cutover: string,
  wave: number | null,
  key: string = randomUUID(),
): Promise<number> {
  const { rows } = await pool.query<{ epoch: string }>(
    `with taken as (insert into control.epoch_taken as known (cutover, wave, key, epoch)
                    values ($1, $2, $3, nextval('control.epoch_seq'))
                    on conflict (cutover, wave, key) do update set key = known.key returning epoch),
          kept as (insert into control.epoch (cutover, wave, epoch) select $1, $2, epoch from taken
                   on conflict (cutover, wave) do update set epoch = greatest(control.epoch.epoch, excluded.epoch))
     select epoch from taken`,
    [cutover, waveKey(wave), key],
  );
  return Number(rows[0]?.epoch);
}

/** The current epoch, 0 when none was taken yet. */
export async function currentEpoch(pool: Pool, cutover: string, wave: number | null): Promise<number> {
  return read(pool, cutover, wave, '');
}

/** The same, locked against being raised until the transaction ends: what is written under it is seen after a raise. */
export async function lockedEpoch(client: PoolClient, cutover: string, wave: number | null): Promise<number> {
  return read(client, cutover, wave, 'for share');
}

async function read(db: Pool | PoolClient, cutover: string, wave: number | null, lock: string): Promise<number> {
  const { rows } = await db.query<{ epoch: string }>(
    `select epoch from control.epoch where cutover = $1 and wave = $2 ${lock}`,
    [cutover, waveKey(wave)],
  );
  return Number(rows[0]?.epoch ?? 0);
}
