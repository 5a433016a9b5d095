/** OWNER, looked at from outside: no customer is ever accepted by both systems at one moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { connect } from '../../systems/postgres/connect';
import type { Random } from './random';
import { CUSTOMERS, WAVES, type Urls } from './world';

/** Leaves the machine to those who write and move. */
const PAUSE_MS = 25;

export interface Prober {
  stop(): Promise<void>;
  probes(): number;
}

/** Begins a write and leaves it open: as long as it is, its wave cannot change there. */
async function accepts(client: PoolClient, customer: string, id: number): Promise<boolean> {
  await client.query('begin');
  await client.query(`set local lock_timeout = '250ms'`);
  try {
    await client.query(`insert into app.item values ($1, $2, '{}')`, [-id, customer]);
    return true;
  } catch (error) {
    const code = String((error as { code?: string }).code);
    if (code === 'CU001' || code === '55P03' || code === '40P01') return false;
    throw error;
  }
}

async function probeTwice(first: Pool, second: Pool, customer: string, id: number): Promise<boolean> {
  const one = await first.connect();
  const two = await second.connect();
  try {
    return (await accepts(one, customer, id)) && (await accepts(two, customer, id));
  } finally {
    await Promise.all([one.query('rollback'), two.query('rollback')]);
    one.release();
    two.release();
  }
}

interface Row {
  state: string;
  epoch: string;
}

/** Both wave rows; the source's is read twice, and counts only if nothing happened between. */
async function bothOwn(source: Pool, target: Pool, wave: number): Promise<boolean> {
  const read = async (pool: Pool): Promise<Row | undefined> =>
    (
      await pool.query<Row>(
        `select w.state, f.epoch from cutover.wave w, cutover.fence f where w.wave = $1 and f.key = 'wave/' || w.wave`,
        [wave],
      )
    ).rows[0];
  const [before, there, after] = [await read(source), await read(target), await read(source)];
  const still = before?.state !== 'sealed' && after?.state !== 'sealed' && before?.epoch === after?.epoch;
  return still && there?.state !== 'sealed';
}

export function startProber(urls: Urls, random: Random, broken: (what: string) => void): Prober {
  const [source, target] = [
    connect(urls.source, { applicationName: 'prober' }),
    connect(urls.target, { applicationName: 'prober' }),
  ];
  let going = true;
  let probes = 0;
  const loop = async (): Promise<void> => {
    while (going) {
      probes += 1;
      await sleep(PAUSE_MS);
      const customer = random.pick(CUSTOMERS);
      const [first, second] = random.chance(0.5) ? [source, target] : [target, source];
      if (await probeTwice(first, second, customer, probes))
        broken(`OWNER: both systems accepted a write for ${customer} at once`);
      const wave = random.pick(WAVES);
      if (await bothOwn(source, target, wave)) broken(`OWNER: wave ${wave} is owned by both systems`);
    }
  };
  const ended = loop();
  ended.catch(() => undefined);
  return {
    probes: () => probes,
    stop: async () => {
      going = false;
      await ended;
      await Promise.all([source.end(), target.end()]);
    },
  };
}
