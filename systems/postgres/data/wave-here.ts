import type { PoolClient } from 'pg';

/** A wave as one side knows it: customers without a row in `cutover.member` belong to the last one. */
export interface WaveHere {
  no: number;
  last: boolean;
}

export async function readWave(client: PoolClient, no: number): Promise<WaveHere> {
  const { rows } = await client.query<{ last: boolean }>('select max(wave) = $1 as last from cutover.wave', [no]);
  return { no, last: rows[0]!.last };
}
