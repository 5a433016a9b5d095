/** A process with some writers: what applications do to either system, journalled operation by operation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolClient } from 'pg';
import type { Side } from '../../domain/custody';
import { report, stopAtParentsEnd, stopping } from './child';
import { Journal, type Ended, type Kind } from './journal';
import { Random } from './random';
import { CUSTOMERS, type ChildConfig } from './world';

const LEVELS = ['read committed', 'repeatable read', 'serializable'] as const;
const KINDS: readonly Kind[] = [
  'insert',
  'insert',
  'append',
  'append',
  'append',
  'part',
  'part',
  'delete',
  'move',
  'move',
];
const TWO_PHASE = 0.12;
const SLOW = 0.15;

const config = JSON.parse(process.argv[2] ?? '{}') as ChildConfig;
const journal = new Journal(config.journal);
const pools: Record<Side, Pool> = { source: poolOf(config.urls.source), target: poolOf(config.urls.target) };
/** Where this customer was served last. */
const served = new Map<string, Side>();
let counter = 0;

function poolOf(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: config.writers, application_name: `writer-${config.index}` });
  pool.on('error', () => undefined);
  return pool;
}

interface Work {
  op: string;
  kind: Kind;
  side: Side;
  item: string;
  customer: string;
  /** The new owner of a moved row. */
  to: string;
}

/** The statements of one operation. Resolves to false when the row was not there; `held` of a deletion. */
async function perform(client: PoolClient, work: Work): Promise<string[] | boolean> {
  const { op, item, customer, to } = work;
  switch (work.kind) {
    case 'insert':
      await client.query('insert into app.item values ($1, $2, array[$3])', [item, customer, op]);
      await client.query('insert into app.part values ($1, 0, $2, $3)', [item, customer, op]);
      return true;
    case 'append':
    case 'part': {
      const found = await client.query('update app.item set ops = ops || $3::text where id = $1 and customer = $2', [
        item,
        customer,
        op,
      ]);
      if (!found.rowCount) return false;
      if (work.kind === 'part') {
        const no = config.index * 10_000 + counter;
        await client.query('insert into app.part values ($1, $2, $3, $4)', [item, no, customer, op]);
      }
      return true;
    }
    case 'delete': {
      const gone = await client.query<{ ops: string[] }>(
        'delete from app.item where id = $1 and customer = $2 returning ops',
        [item, customer],
      );
      return gone.rows[0]?.ops ?? false;
    }
    case 'move': {
      const found = await client.query(
        'update app.item set customer = $4, ops = ops || $3::text where id = $1 and customer = $2',
        [item, customer, op, to],
      );
      if (!found.rowCount) return false;
      await client.query('update app.part set customer = $2 where item = $1', [item, to]);
      return true;
    }
  }
}

const sqlState = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

/** One transaction: perhaps an old snapshot, perhaps slow, perhaps in two phases. */
async function transact(random: Random, work: Work): Promise<Omit<Ended, 't' | 'op' | 'at'>> {
  const client = await pools[work.side].connect();
  client.on('error', () => undefined);
  let unsure = false;
  try {
    const level = random.pick(LEVELS);
    await client.query(`begin isolation level ${level}`);
    await client.query(`set local lock_timeout = '2s'`);
    if (level !== 'read committed' && random.chance(0.5)) {
      await client.query('select count(*) from app.item where id < 10');
      await sleep(random.below(600));
    }
    const result = await perform(client, work);
    if (result === false) {
      await client.query('rollback');
      return { outcome: 'none' };
    }
    if (random.chance(SLOW)) await sleep(random.below(400));
    if (random.chance(TWO_PHASE)) {
      await client.query(`prepare transaction '${work.op}'`);
      unsure = true;
      await sleep(random.below(200));
      await client.query(`commit prepared '${work.op}'`);
    } else {
      await client.query('commit');
    }
    return { outcome: 'done', ...(Array.isArray(result) ? { held: result } : {}) };
  } catch (error) {
    const state = sqlState(error);
    // What the server refuses is rolled back, at the commit too. Without its answer, or once prepared, nobody knows.
    const outcome = state === undefined || unsure ? 'unknown' : 'refused';
    if (state === 'CU001') served.set(work.customer, work.side === 'source' ? 'target' : 'source');
    return { outcome };
  } finally {
    client.removeAllListeners('error');
    client.release(
      await client.query('rollback').then(
        () => false,
        () => true,
      ),
    );
  }
}

async function chooseItem(side: Side, customer: string, random: Random): Promise<string | null> {
  const found = await pools[side].query<{ id: string }>(
    'select id from app.item where customer = $1 and id >= 0 order by md5(id || $2) limit 1',
    [customer, String(random.below(1_000_000))],
  );
  return found.rows[0]?.id ?? null;
}

async function operate(random: Random): Promise<void> {
  counter += 1;
  const op = `${config.index}-${counter}`;
  const customer = random.pick(CUSTOMERS);
  const side = random.chance(0.1) ? random.pick(['source', 'target'] as const) : (served.get(customer) ?? 'source');
  const kind = random.pick(KINDS);
  const item =
    kind === 'insert' ? String((config.index + 1) * 10_000_000 + counter) : await chooseItem(side, customer, random);
  if (item === null) return;
  const to = random.pick(CUSTOMERS);
  const after = kind === 'insert' ? { customer } : kind === 'move' ? { customer: to } : {};
  journal.write({ t: 'start', op, at: Date.now(), kind, side, item, ...after });
  const end = await transact(random, { op, kind, side, item, customer, to });
  journal.write({ t: 'end', op, at: Date.now(), ...end });
  report(end.outcome);
}

async function write(seed: number): Promise<void> {
  const random = new Random(seed);
  while (!stopping()) {
    await operate(random);
    await sleep(random.below(20));
  }
}

async function main(): Promise<void> {
  stopAtParentsEnd();
  await Promise.all(Array.from({ length: config.writers }, (_, n) => write(config.seed + n)));
  await Promise.all([pools.source.end(), pools.target.end()]);
  journal.close();
  process.disconnect();
}

main().catch((error: unknown) => {
  process.stderr.write(`writer ${config.index}: ${String((error as Error).stack)}\n`);
  process.exit(3);
});
