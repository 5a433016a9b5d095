import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../connect';
import type { Position, Stale } from '../../ports';
import { fenced, saying } from './faults';
import type { Pair } from './pair';
import { noteServer } from './server';
import { inSnapshot, movePosition, takeFence, waveKey } from './transaction';

/**
 * Where the wave's passes begin: the source as it is now, unless a position is there already. Call it before the first
 * chunk is planned, so that whatever changes during the preload is applied after it. `note` writes along with it.
 */
export async function startPosition(
  pair: Pair,
  wave: number,
  epoch: number,
  note?: (target: PoolClient) => Promise<unknown>,
): Promise<{ position: Position } | Stale> {
  return startAt(pair.target, pair.source, wave, epoch, note);
}

/**
 * Where the carry-back begins: the target as it is now, kept in the source's fence unless a position is there already.
 * Call it right before the target opens: nobody writes there yet, and nothing later is missed.
 */
export async function startCarryBack(pair: Pair, wave: number, epoch: number): Promise<{ position: Position } | Stale> {
  return startAt(pair.source, pair.target, wave, epoch);
}

async function startAt(
  written: Pool,
  read: Pool,
  wave: number,
  epoch: number,
  note: (client: PoolClient) => Promise<unknown> = () => Promise.resolve(),
): Promise<{ position: Position } | Stale> {
  return fenced(`starting position of wave ${wave}`, () =>
    withTransaction(written, {}, async (client) => {
      const known = await takeFence(client, waveKey(wave), epoch);
      await note(client);
      if (known !== null) return { position: known };
      return inSnapshot(read, async (reader, position) => {
        await movePosition(client, waveKey(wave), position);
        await noteServer(client, reader, waveKey(wave));
        return { position };
      });
    }),
  );
}

/** Log rows of the source not visible in `position`; null counts all. */
export async function lag(pair: Pair, wave: number, position: Position | null): Promise<number> {
  return saying(`lag of wave ${wave}`, () =>
    inSnapshot(pair.source, async (client) => {
      const { rows } = await client.query<{ rows: string }>('select cutover.unapplied($1, $2) as rows', [
        wave,
        position,
      ]);
      return Number(rows[0]!.rows);
    }),
  );
}

/** The position the wave's fence holds on this side: what is applied here of the other side's log. Null before the first. */
export async function readPosition(pool: Pool | PoolClient, wave: number): Promise<Position | null> {
  return saying(`position of wave ${wave}`, async () => {
    const { rows } = await pool.query<{ position: string | null }>(
      'select position from cutover.fence where key = $1',
      [waveKey(wave)],
    );
    return rows[0]?.position ?? null;
  });
}
