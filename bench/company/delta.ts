import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../../systems/postgres/connect';
import { pipeRows } from '../../systems/postgres/data/copy';
import { IMAGES } from './schema';

/** Spreads `count` row numbers over 1 … customers, others in every `turn`. */
const rowsOf = (customers: number, count: number, turn: number): string =>
  `(select distinct 1 + (k * 7919::bigint + ${turn} * 104729) % ${customers} as i from generate_series(1, ${count}) k)`;

const share = (changes: number): number => Math.ceil(changes / IMAGES.length);
const customerId = `'C' || lpad(p.i::text, 8, '0')`;

async function write(pool: Pool, statements: string[]): Promise<number> {
  let rows = 0;
  for (const statement of statements) rows += (await pool.query(statement)).rowCount ?? 0;
  return rows;
}

/** Changes `changes` rows of the source, an equal share in each table. Resolves to how many. */
export const changeSource = (source: Pool, customers: number, changes: number, turn: number): Promise<number> => {
  const picked = (salt: number): string => rowsOf(customers, share(changes), turn * 4 + salt);
  const next = `((${turn} + p.i) % 90000)::text || '.${String(turn % 100).padStart(2, '0')}'`;
  return write(source, [
    `update old.customer set charges = ${next} from ${picked(0)} p where id = ${customerId}`,
    `update old.contract set price = ${next} from ${picked(1)} p where id = p.i::text`,
    `update old.invoice set amount = ${next} from ${picked(2)} p where id = p.i::text`,
    `update old.payment set amount = ${next} from ${picked(3)} p where id = p.i::text`,
  ]);
};

/** The same at the target, once it serves the customers. */
export const changeTarget = (target: Pool, customers: number, changes: number, turn: number): Promise<number> => {
  const picked = (salt: number): string => rowsOf(customers, share(changes), turn * 4 + salt);
  const next = `((${turn} + p.i) % 80000) + 0.77`;
  return write(target, [
    `update fresh.customer set charges = ${next} from ${picked(0)} p where no = ${customerId}`,
    `update fresh.contract set price = ${next} from ${picked(1)} p where no = p.i`,
    `update fresh.invoice set amount = ${next} from ${picked(2)} p where no = p.i`,
    `update fresh.payment set amount = ${next} from ${picked(3)} p where no = p.i`,
  ]);
};

/** Where the log stands. */
export async function logEnd(source: Pool): Promise<string> {
  const { rows } = await source.query<{ seq: string }>('select coalesce(max(seq), 0) as seq from cutover.change');
  return rows[0]!.seq;
}

/**
 * The least a delta takes, by hand: the logged keys since `seq` joined to their rows, COPY to a temporary table, one
 * `INSERT … ON CONFLICT DO UPDATE` a table, in one transaction; then a hash over the changed keys on both sides.
 */
export async function bareDelta(source: Pool, bare: Pool, seq: string): Promise<void> {
  await withTransaction(bare, {}, (to) =>
    withTransaction(source, { isolation: 'repeatable read' }, async (from) => {
      for (const [at, { source: old, target, columns }] of IMAGES.entries()) {
        await from.query(
          `create temporary table changed_${at} on commit drop as
           select distinct new_key[1] as id from cutover.change where tab = '${old.table}' and seq > ${seq}`,
        );
        await from.query(`analyze changed_${at}`);
        await to.query(`create temporary table new_${at} on commit drop as select * from ${target.table} with no data`);
        const changed = `select ${old.select} from ${old.table} s join changed_${at} using (id)`;
        await pipeRows(from, changed, to, `new_${at} (${columns.join(', ')})`);
        await to.query(`analyze new_${at}`);
        const [key, ...values] = columns;
        const update = values.map((name) => `${name} = excluded.${name}`).join(', ');
        await to.query(
          `insert into ${target.table} (${columns.join(', ')}) select ${columns.join(', ')} from new_${at}
           on conflict (${key}) do update set ${update}`,
        );
      }
      await digestChanged(from, to);
    }),
  );
}

async function digestChanged(from: PoolClient, to: PoolClient): Promise<void> {
  for (const [at, { source: old, target, columns }] of IMAGES.entries()) {
    const sum = async (client: PoolClient, rows: string): Promise<string> =>
      (await client.query<{ sum: string }>(`select sum(hash_record_extended(r, 0)) as sum from (${rows}) r`)).rows[0]!
        .sum;
    const [expected, held] = await Promise.all([
      sum(from, `select ${old.select} from ${old.table} s join changed_${at} using (id)`),
      sum(
        to,
        `select ${target.select} from ${target.table} t where ${columns[0]} in (select ${columns[0]} from new_${at})`,
      ),
    ]);
    if (expected !== held) throw new Error(`the bare upsert of ${target.table} did not give what the source holds`);
  }
}

/** One hash over every mapped row on both sides at once: the least a proof of everything takes. */
export async function bareDigest(source: Pool, target: Pool): Promise<void> {
  for (const { source: old, target: fresh } of IMAGES) {
    const sum = async (pool: Pool, select: string, table: string): Promise<string> =>
      (
        await pool.query<{ sum: string }>(
          `select sum(hash_record_extended(r, 0)) as sum from (select ${select} from ${table}) r`,
        )
      ).rows[0]!.sum;
    const [expected, held] = await Promise.all([
      sum(source, old.select, `${old.table} s`),
      sum(target, fresh.select, `${fresh.table} t`),
    ]);
    if (expected !== held) throw new Error(`${fresh.table} is not what the source holds`);
  }
}
