/** OWNER, looked at from outside: no customer is ever accepted by both systems at one moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Side } from '../../domain/custody';
import { connect, toSystemFault } from '../../systems/postgres/connect';
import type { Random } from './random';

/** Leaves the machine to those who write and move. */
const PAUSE_MS = 25;
/** Refused by the guard, waited too long, or the customer is not there (yet): not accepted. */
const REFUSALS = new Set(['CU001', '55P03', '40P01', '23503']);

export interface Prober {
  stop(): Promise<void>;
  probes(): number;
}

/** What is probed. `writes` insert a row for customer `$2` with a key made of `$1`; they are never committed. */
export interface Probed {
  urls: Record<Side, string>;
  writes: Record<Side, string>;
  customers: readonly string[];
  waves: readonly number[];
}

/** Begins a write and leaves it open: as long as it is, its wave cannot change there. */
async function accepts(client: PoolClient, sql: string, customer: string, id: number): Promise<boolean> {
  await client.query('begin');
  await client.query(`set local lock_timeout = '250ms'`);
  try {
    await client.query(sql, [-id, customer]);
    return true;
  } catch (error) {
    const code = String((error as { code?: string }).code);
    if (REFUSALS.has(code)) return false;
    throw error;
  }
}

interface Probe {
  pool: Pool;
  sql: string;
}

async function probeTwice(first: Probe, second: Probe, customer: string, id: number): Promise<boolean> {
  const one = await first.pool.connect();
  try {
    if (!(await accepts(one, first.sql, customer, id))) return false;
    const two = await second.pool.connect();
    try {
      return await accepts(two, second.sql, customer, id);
    } finally {
      await putAway(two);
    }
  } finally {
    await putAway(one);
  }
}

async function putAway(client: PoolClient): Promise<void> {
  const lost = await client.query('rollback').then(
    () => false,
    () => true,
  );
  client.release(lost);
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
  return still && there !== undefined && there.state !== 'sealed';
}

const NOT_INSTALLED = '42P01';

/** A system that cannot be reached at the moment, or knows no waves yet, is no second owner; anything else is a defect. */
async function reached(probe: () => Promise<boolean>): Promise<boolean> {
  try {
    return await probe();
  } catch (error) {
    if (toSystemFault(error).retryable || (error as { code?: string }).code === NOT_INSTALLED) return false;
    throw error;
  }
}

export function startProber(probed: Probed, random: Random, broken: (what: string) => void): Prober {
  const open = (side: Side): Probe => {
    const pool = connect(probed.urls[side], { applicationName: 'prober' });
    pool.on('connect', (client) => client.on('error', () => undefined)); // a lost connection shows in its next query
    return { pool, sql: probed.writes[side] };
  };
  const [source, target] = [open('source'), open('target')];
  let going = true;
  let probes = 0;
  const loop = async (): Promise<void> => {
    while (going) {
      probes += 1;
      await sleep(PAUSE_MS);
      const customer = random.pick(probed.customers);
      const [first, second] = random.chance(0.5) ? [source, target] : [target, source];
      if (await reached(() => probeTwice(first, second, customer, probes)))
        broken(`OWNER: both systems accepted a write for ${customer} at once`);
      const wave = random.pick(probed.waves);
      if (await reached(() => bothOwn(source.pool, target.pool, wave)))
        broken(`OWNER: wave ${wave} is owned by both systems`);
    }
  };
  const ended = loop();
  ended.catch(() => undefined);
  return {
    probes: () => probes,
    stop: async () => {
      if (!going) return;
      going = false;
      await ended.finally(() => Promise.all([source.pool.end(), target.pool.end()]));
    },
  };
}
