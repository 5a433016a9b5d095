import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { STAYS_WAVE, type Side } from '../../domain/custody';
import { SystemFault } from '../ports';
import { toSystemFault, withTransaction } from './connect';
import { patiently } from './patience';
import { demandServerVersion } from './server-version';
import { BASELINE } from './sql/baseline';
import { CUSTODY } from './sql/custody';
import { GUARDING } from './sql/guarding';
import { MEMBERS } from './sql/members';
import { SCHEMA_VERSION, TABLES, WAVE_LOCK_CLASS } from './sql/tables';
import { guardSql, relogSql, TAMPERING, type GuardedTable } from './sql/triggers';

export type { GuardedTable };

/** How long guarding one table may wait for the writers of that table, in short attempts. */
const GUARD_PATIENCE_MS = 30_000;
const INSTALL_LOCK = -1;

/** Effects of requests are rows of a customer like any other: guarded, logged and migrated. */
const EFFECT_TABLE: GuardedTable = { table: 'cutover.effect', keyColumns: ['key'], customerColumn: 'customer' };

const alone = (client: PoolClient): Promise<unknown> =>
  client.query('select pg_advisory_xact_lock($1::int, $2::int)', [WAVE_LOCK_CLASS, INSTALL_LOCK]);

/** Creates schema `cutover`, or brings its functions up to date. Idempotent. Throws when another version or side is there, or an old server. */
export async function install(pool: Pool, side: Side): Promise<void> {
  await withTransaction(pool, {}, async (client) => {
    await demandServerVersion(client);
    await alone(client);
    const meta = await client.query<{ exists: boolean }>(`select to_regclass('cutover.meta') is not null as exists`);
    if (meta.rows[0]?.exists) await refuseOther(client, side);
    await client.query(TABLES);
    await client.query(GUARDING + TAMPERING + BASELINE + CUSTODY + MEMBERS);
    await client.query('revoke execute on all functions in schema cutover from public');
    await client.query('insert into cutover.meta (version, side) values ($1, $2) on conflict do nothing', [
      SCHEMA_VERSION,
      side,
    ]);
  });
}

async function refuseOther(client: PoolClient, side: Side): Promise<void> {
  const found = await client.query<{ version: number; side: string }>('select version, side from cutover.meta');
  const row = found.rows[0];
  if (!row) return;
  if (row.version !== SCHEMA_VERSION)
    throw new SystemFault(
      `schema cutover has version ${row.version}, this program needs ${SCHEMA_VERSION}: finish its cutover with the program ` +
        'that installed it, then drop the schema',
      false,
    );
  if (row.side !== side)
    throw new SystemFault(
      `schema cutover was installed here for the ${row.side}, not the ${side}: source and target are two databases, mend their URLs`,
      false,
    );
}

/**
 * Writes the wave rows and their fences; wave 0 is added by itself. At the source waves start open, at the target sealed;
 * wave 0 stays so. Idempotent. A wave added later changes who belongs to the last wave, so the waves that are there
 * are locked for it, `cutover`, when it is given, must have the division, and nobody may have left the source.
 */
export async function seedWaves(
  pool: Pool,
  side: Side,
  waves: readonly { wave: number; name: string }[],
  cutover: string | null = null,
): Promise<void> {
  const all = [{ wave: STAYS_WAVE, name: 'stays' }, ...waves];
  const state = side === 'source' ? 'open' : 'sealed';
  await patiently(GUARD_PATIENCE_MS, async (patienceMs) =>
    withTransaction(pool, {}, async (client) => {
      await alone(client);
      const known = await client.query<{ wave: number }>('select wave from cutover.wave order by wave');
      const have = new Set(known.rows.map((row) => row.wave));
      const added = all.filter((wave) => !have.has(wave.wave));
      if (added.length === 0) return;
      await client.query('select cutover.lock_waves($1, $2)', [[...have], patienceMs]);
      await client.query('update cutover.wave set wave = wave');
      const owned = await client.query('select from cutover.division where cutover = $1 for share', [cutover]);
      if (cutover !== null && owned.rowCount === 0) throw tookOver();
      if (waves.some((wave) => have.has(wave.wave))) await refuseMoved(client, state);
      for (const { wave, name } of added) {
        await client.query('insert into cutover.wave (wave, name, state) values ($1, $2, $3)', [wave, name, state]);
        // A wave of an earlier plan left its fence, so that no attempt of that time is taken for one of now.
        await client.query('insert into cutover.fence (key, epoch) values ($1, 0) on conflict do nothing', [
          `wave/${wave}`,
        ]);
      }
    }),
  );
}

/** Who has no member row would be of the added wave, and at the source again, or nowhere. */
async function refuseMoved(client: PoolClient, asSeeded: 'open' | 'sealed'): Promise<void> {
  const moved = asSeeded === 'open' ? `state = 'sealed'` : `state <> 'sealed'`;
  const { rowCount } = await client.query(`select from cutover.wave where wave > ${STAYS_WAVE} and ${moved}`);
  if (rowCount !== 0)
    throw new SystemFault(
      'customers of these waves have left the source, and the plan adds waves: start with as many as there are, or roll back what was moved first',
      false,
    );
}

/**
 * Puts the guard and the capture on each table, and on `cutover.effect`. Idempotent; a table whose triggers are as
 * installed is not touched. Where a guard is put back, every row is logged as touched: what was written without it is in
 * no log, so it is copied and proven again. Each table is one short transaction that waits for that table's writers in short attempts.
 * Throws when no wave is seeded, or when a table or column is missing or of an unsupported kind.
 */
export async function guardTables(pool: Pool, tables: readonly GuardedTable[]): Promise<void> {
  const waves = await pool.query<{ last: number | null }>('select max(wave) as last from cutover.wave');
  if (!waves.rows[0]?.last) throw new SystemFault('waves are seeded before tables are guarded', false);
  for (const table of [...tables, EFFECT_TABLE])
    await patiently(GUARD_PATIENCE_MS, (patienceMs) =>
      withTransaction(pool, {}, async (client) => {
        await client.query(`select set_config('lock_timeout', $1, true)`, [`${patienceMs}ms`]);
        await guardTable(client, table);
      }),
    );
}

interface Described {
  relation: string;
  kind: string;
  columns: string[];
  unsteady: boolean;
}

async function describe(client: PoolClient, table: GuardedTable): Promise<Described> {
  const found = await client.query<Described>(
    `select format('%I.%I', n.nspname, c.relname) as relation, c.relkind::text as kind,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = c.oid
         and a.attname = any ($2) and (t.typcategory in ('D', 'T', 'U', 'R', 'A') or t.typtype = 'd' or t.typname in ('float4', 'float8'))) as unsteady
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)`,
    [table.table, [...table.keyColumns, table.customerColumn]],
  );
  const row = found.rows[0];
  if (!row) throw new SystemFault(`table ${table.table} does not exist`, false);
  if (row.kind !== 'r') throw new SystemFault(`${table.table} is not an ordinary table: it cannot be guarded`, false);
  const missing = [...table.keyColumns, table.customerColumn].filter((column) => !row.columns.includes(column));
  if (missing.length > 0) throw new SystemFault(`table ${table.table} has no column ${missing.join(', ')}`, false);
  return row;
}

async function guardTable(client: PoolClient, table: GuardedTable): Promise<void> {
  await alone(client);
  const { relation, unsteady } = await describe(client, table);
  const guard = guardName(table.table);
  const intact = await client.query(
    `select from cutover.guarded g where g.tab = $1 and g.relation = $2 and g.key_columns = $3 and g.customer_column = $4
       and cutover.fingerprint(g.relation, g.guard) = g.fingerprint
       and 2 = (select count(*) from pg_trigger t where t.tgrelid = to_regclass(g.relation)
         and t.tgname in ('cutover_guard', 'cutover_truncate') and t.tgenabled = 'A')`,
    [table.table, relation, table.keyColumns, table.customerColumn],
  );
  if (intact.rowCount) return;
  const known = await client.query('select from cutover.guarded where tab = $1', [table.table]);
  await client.query(guardSql(table, relation, guard, unsteady));
  await client.query(
    `insert into cutover.guarded (tab, relation, key_columns, customer_column, guard, fingerprint)
       values ($1, $2, $3, $4, $5, cutover.fingerprint($2, $5))
     on conflict (tab) do update set relation = excluded.relation, key_columns = excluded.key_columns,
       customer_column = excluded.customer_column, guard = excluded.guard, fingerprint = excluded.fingerprint`,
    [table.table, relation, table.keyColumns, table.customerColumn, guard],
  );
  if (known.rowCount) await client.query(relogSql(table, relation));
}

/** Unique per table and short enough for an identifier; the readable part is for stack traces. */
function guardName(table: string): string {
  const digest = createHash('sha256').update(table).digest('hex').slice(0, 8);
  return `guard_${table.replaceAll('.', '_').slice(0, 40)}_${digest}`;
}

/** Takes every guard away, in short attempts. From here on nothing is refused and nothing is logged. */
export async function unguardTables(pool: Pool): Promise<void> {
  const guarded = await pool.query<{ tab: string; relation: string; guard: string; there: boolean }>(
    'select tab, relation, guard, to_regclass(relation) is not null as there from cutover.guarded order by tab',
  );
  for (const { tab, relation, guard, there } of guarded.rows)
    await patiently(GUARD_PATIENCE_MS, (patienceMs) =>
      withTransaction(pool, {}, async (client) => {
        await client.query(`select set_config('lock_timeout', $1, true)`, [`${patienceMs}ms`]);
        for (const trigger of there ? ['cutover_guard', 'cutover_truncate'] : [])
          await client.query(`drop trigger if exists ${trigger} on ${relation}`);
        await client.query(`drop function if exists cutover.${guard}(), cutover.${guard}_t()`);
        await client.query('delete from cutover.guarded where tab = $1', [tab]);
      }),
    );
}

/** What is wrong with the guards, by table; empty when all are as installed. */
export const triggersIntact = (pool: Pool): Promise<string[]> => findings(pool, 'cutover.tampering()');

/** The same, and who could be switching one off right now. */
export const guardFindings = (pool: Pool): Promise<string[]> =>
  findings(pool, 'cutover.tampering() || cutover.altering()');

/** What differs from the tables and views the conversion was made for. Names and types only. */
export const shapeFindings = (pool: Pool): Promise<string[]> => findings(pool, 'cutover.drift()');

async function findings(pool: Pool, of: string): Promise<string[]> {
  try {
    return (await pool.query<{ findings: string[] }>(`select ${of} as findings`)).rows[0]?.findings ?? [];
  } catch (error) {
    throw toSystemFault(error);
  }
}

/** From here on, and until `endDivision`, the cutover, whose the division is, divides the customers anew. */
export async function beginDivision(pool: Pool, cutover: string): Promise<void> {
  await patiently(GUARD_PATIENCE_MS, (patienceMs) =>
    pool.query('select cutover.begin_division($1, $2)', [cutover, patienceMs]),
  );
}

/** Takes away the waves an earlier plan had more of than `last`. */
export async function endDivision(pool: Pool, cutover: string, last: number): Promise<void> {
  await patiently(GUARD_PATIENCE_MS, (patienceMs) =>
    pool.query('select cutover.end_division($1, $2, $3)', [cutover, last, patienceMs]),
  );
}

/** The division belongs to the cutover from here on; a fault unless it is still that of `before`, null when nobody had divided. */
export async function takeOverDivision(pool: Pool, cutover: string, before: string | null): Promise<void> {
  const taken = await pool.query(
    `insert into cutover.division (cutover, done) values ($1, false)
     on conflict (only_row) do update set cutover = excluded.cutover where division.cutover in ($1, $2)`,
    [cutover, before],
  );
  if (taken.rowCount === 0) throw tookOver();
}

const tookOver = (): SystemFault =>
  new SystemFault('another cutover over the same systems was started at the same moment', false);

/** The cutover whose division the customers have; null when none divided them. */
export async function dividedBy(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query<{ cutover: string }>('select cutover from cutover.division');
  return rows[0]?.cutover ?? null;
}

/**
 * Gives customers their wave before anything moves: who has one keeps it, unless `cutover` divides anew. Resolves to how many were new
 * or changed.
 */
export async function assignMembers(
  pool: Pool,
  wave: number,
  customers: readonly string[],
  cutover: string | null = null,
): Promise<number> {
  return patiently(GUARD_PATIENCE_MS, async (patienceMs) => {
    const done = await pool.query<{ assigned: number }>('select cutover.assign_members($1, $2, $3, $4) as assigned', [
      customers,
      wave,
      cutover,
      patienceMs,
    ]);
    return done.rows[0]?.assigned ?? 0;
  });
}
