import type { PoolClient } from 'pg';
import { postgresCustody } from '../../../../systems/postgres/custody';
import { startCarryBack, readPosition } from '../../../../systems/postgres/data/position';
import type { Example } from '../data/example';
import { settle } from '../data/steps';

export const LEASE_MS = 60_000;

/** Custody calls that give up soon: nobody here waits for a blocker to go. */
export const custodyOf = ({ pair }: Pick<Example, 'pair'>) => {
  const options = { freezePatienceMs: 300, callPatienceMs: 600 };
  return { source: postgresCustody(pair.source, options), target: postgresCustody(pair.target, options) };
};

/** Freezes the wave, applies what is left, seals the source and opens the target. */
export async function switchOver(it_: Example, wave: number): Promise<void> {
  const custody = custodyOf(it_);
  expect(await custody.source.freeze(wave, 1, LEASE_MS)).toMatchObject({ outcome: 'frozen' });
  await settle(it_, wave);
  expect(await startCarryBack(it_.pair, wave, 1)).toHaveProperty('position');
  expect(await sealNow(it_, wave)).toEqual({ outcome: 'sealed' });
  expect(await custody.target.open(wave, 1)).toEqual({ outcome: 'done' });
}

export const sealNow = async (it_: Example, wave: number) =>
  custodyOf(it_).source.seal(wave, 1, (await readPosition(it_.pair.target, wave)) ?? '');

/** A session of the application at the source, with a name that blockers are known by. A transaction left open is rolled back. */
export async function asApplication<T>(
  it_: Example,
  name: string,
  body: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await it_.pair.source.connect();
  try {
    await client.query(`set application_name = '${name}'`);
    return await body(client);
  } finally {
    await client.query('rollback');
    await client.query('reset all');
    client.release();
  }
}
