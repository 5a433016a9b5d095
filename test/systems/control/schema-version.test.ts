import type { Pool } from 'pg';
import { sha256 } from '../../../systems/control/canonical';
import { installControl } from '../../../systems/control/schema';
import { CONTROL_VERSION } from '../../../systems/control/schema-version';
import { connect } from '../../../systems/postgres/connect';
import { freshDatabase } from '../../support/databases';
import { controlDatabase } from './control-database';

const pools: Pool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.end())));

async function made(): Promise<Pool> {
  const pool = await controlDatabase('version');
  pools.push(pool);
  return pool;
}

/** Tables, columns, keys, checks and indexes, each a line. */
async function shapeOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(
    `select format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
         pg_get_expr(d.adbin, d.adrelid)) as line
       from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       where c.relnamespace = 'control'::regnamespace and c.relkind in ('r', 'S') and a.attnum > 0 and not a.attisdropped
     union all select pg_get_constraintdef(oid) || conrelid::regclass from pg_constraint where connamespace = 'control'::regnamespace and contype <> 'n'
     union all select indexdef from pg_indexes where schemaname = 'control'`,
  );
  return rows.map(({ line }) => line).sort();
}

test('several that find an empty database make the tables once, with their version', async () => {
  const url = await freshDatabase('version');
  const many = Array.from({ length: 8 }, () => connect(url, { applicationName: 'test', max: 1 }));
  pools.push(...many);
  await Promise.all(many.map((pool) => installControl(pool)));
  const { rows } = await many[0]!.query('select version from control.meta');
  expect(rows).toEqual([{ version: CONTROL_VERSION }]);
});

test('a schema that holds nothing yet is filled', async () => {
  const pool = connect(await freshDatabase('version'), { applicationName: 'test', max: 1 });
  pools.push(pool);
  await pool.query('create schema control');
  await installControl(pool);
  expect((await shapeOf(pool)).join()).toContain('chunk.planned_under');
});

test('one that is there is left alone: whoever writes to its tables is not waited for', async () => {
  const pool = await made();
  const writer = await pool.connect();
  await writer.query('begin; lock table control.request, control.document in row exclusive mode');
  await installControl(pool);
  await writer.query('rollback');
  writer.release();
});

it.each([
  ['made before versions were kept', 'drop table control.meta', 'schema control has no version'],
  ['whose making was undone by hand', 'delete from control.meta', 'schema control has no version'],
  ['of an older build', 'update control.meta set version = 0', 'schema control has version 0'],
  ['of a newer build', 'update control.meta set version = 99', 'schema control has version 99'],
])('one %s is refused with its name and what to do, and stays as it is', async (_, change, found) => {
  const pool = await made();
  await pool.query(`alter table control.chunk drop column planned_under; ${change}`);
  const before = await shapeOf(pool);
  const { rows } = await pool.query<{ name: string }>('select current_database() as name');
  await expect(installControl(pool)).rejects.toMatchObject({
    retryable: false,
    message: expect.stringMatching(
      new RegExp(
        `^control database [\\d.:]+/${rows[0]?.name}: ${found}, this program needs ${CONTROL_VERSION}: finish .* new, empty database$`,
      ),
    ) as string,
  });
  expect(await shapeOf(pool)).toEqual(before);
});

test('a change of the tables comes with another version', async () => {
  const digest = sha256((await shapeOf(await made())).join('\n')).slice(0, 16);
  // Another digest: raise CONTROL_VERSION, and write both here.
  expect([CONTROL_VERSION, digest]).toEqual([2, '8c90a52c7d75e838']);
});
