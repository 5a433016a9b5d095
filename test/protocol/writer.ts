/** A process with some writers: what applications do to either system, journalled operation by operation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolClient } from 'pg';
import type { Side } from '../../domain/custody';
import { leave, report, reportBroken, stopAtParentsEnd, stopping } from './child';
import { Journal, type Ended, type Kind } from './journal';
import { Random } from '../support/random';
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
const SLOW = 0.1;
const OLD_SNAPSHOT = 0.3;

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
  /** Number of a new part; unique in the row. */
  no: number;
}

/** By row: what this process was told is done. The next write to the row must find it there. */
const acknowledged = new Map<string, string[]>();

/** The statements of one operation. Resolves to the operations the row now holds, or held; null when it was not there. */
async function perform(client: PoolClient, work: Work): Promise<string[] | null> {
  const { op, item, customer, to } = work;
  const change = async (sql: string, values: string[]): Promise<string[] | null> =>
    (await client.query<{ ops: string[] }>(`${sql} returning ops`, [item, customer, ...values])).rows[0]?.ops ?? null;
  const append = (): Promise<string[] | null> =>
    change('update app.item set ops = ops || $3::text where id = $1 and customer = $2', [op]);
  switch (work.kind) {
    case 'insert': {
      const ops = await change('insert into app.item values ($1, $2, array[$3])', [op]);
      await client.query('insert into app.part values ($1, 0, $2, $3)', [item, customer, op]);
      return ops;
    }
    case 'append':
      return append();
    case 'part': {
      const ops = await append();
      if (ops) await client.query('insert into app.part values ($1, $2, $3, $4)', [item, work.no, customer, op]);
      return ops;
    }
    case 'delete':
      return change('delete from app.item where id = $1 and customer = $2', []);
    case 'move': {
      const ops = await change(
        'update app.item set customer = $4, ops = ops || $3::text where id = $1 and customer = $2',
        [op, to],
      );
      if (ops) await client.query('update app.part set customer = $2 where item = $1', [item, to]);
      return ops;
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
    if (level !== 'read committed' && random.chance(OLD_SNAPSHOT)) {
      await client.query('select count(*) from app.item where id < 10');
      await sleep(random.below(600));
    }
    const expected = acknowledged.get(work.item) ?? [];
    const ops = await perform(client, work);
    if (ops === null) {
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
    const lost = expected.filter((op) => !ops.includes(op));
    if (lost.length > 0)
      reportBroken(`lost: acknowledged ${lost.join(', ')} was not in row ${work.item} at its next write ${work.op}`);
    if (work.kind === 'delete') acknowledged.delete(work.item);
    else acknowledged.set(work.item, [...(acknowledged.get(work.item) ?? []), work.op]);
    return { outcome: 'done', ...(work.kind === 'delete' ? { held: ops } : {}) };
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

interface Chosen {
  item: string;
  customer: string;
}

/** A row of the customer, or one this process has written before, as the system has it. */
async function chooseRow(side: Side, customer: string, random: Random): Promise<Chosen | null> {
  const own = [...acknowledged.keys()];
  const found =
    own.length > 0 && random.chance(0.5)
      ? await pools[side].query<Chosen>('select id as item, customer from app.item where id = $1', [random.pick(own)])
      : await pools[side].query<Chosen>(
          'select id as item, customer from app.item where customer = $1 and id >= 0 order by md5(id || $2) limit 1',
          [customer, String(random.below(1_000_000))],
        );
  return found.rows[0] ?? null;
}

async function operate(random: Random): Promise<void> {
  const count = ++counter;
  const kind = random.pick(KINDS);
  const someone = random.pick(CUSTOMERS);
  const side = random.chance(0.05) ? random.pick(['source', 'target'] as const) : (served.get(someone) ?? 'source');
  const chosen =
    kind === 'insert'
      ? { item: String((config.index + 1) * 10_000_000 + count), customer: someone }
      : await chooseRow(side, someone, random);
  if (chosen === null) return;
  const work = {
    op: `${config.index}-${count}`,
    kind,
    side,
    ...chosen,
    to: random.pick(CUSTOMERS),
    no: config.index * 100_000 + count,
  };
  const outcome = await journalled(random, work);
  // Refused here: the application asks the other system, as its gateway would.
  const other = served.get(chosen.customer);
  if (outcome === 'refused' && other !== undefined && other !== side)
    await journalled(random, { ...work, op: `${work.op}r`, side: other });
}

async function journalled(random: Random, work: Work): Promise<Ended['outcome']> {
  const { op, kind, side, item } = work;
  const after = kind === 'insert' ? { customer: work.customer } : kind === 'move' ? { customer: work.to } : {};
  journal.write({ t: 'start', op, at: Date.now(), kind, side, item, ...after });
  const end = await transact(random, work);
  journal.write({ t: 'end', op, at: Date.now(), ...end });
  report(end.outcome);
  return end.outcome;
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
  leave();
}

main().catch((error: unknown) => {
  process.stderr.write(`writer ${config.index}: ${String((error as Error).stack)}\n`);
  process.exit(3);
});
