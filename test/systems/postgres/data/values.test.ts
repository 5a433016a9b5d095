import type { Pool } from 'pg';
import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { startCarryBack, readPosition } from '../../../../systems/postgres/data/position';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { postgresCustody } from '../../../../systems/postgres/custody';
import type { Example } from './example';
import { behindTriggers, lines } from './example';
import { preload, settle } from './steps';
import { COLUMNS, VALUES, valuesExample } from './values';

/** Settings of a session that no other session here shares: what it writes must read the same everywhere. */
const ODD_SESSION = `set local timezone = 'Asia/Kolkata'; set local datestyle = 'German, DMY'; set local intervalstyle = 'sql_standard';
  set local extra_float_digits = -15; set local bytea_output = 'escape'; set local lc_monetary = 'C'`;

const typeOf = (side: 'old' | 'fresh', type: string): string => type.replace('@', side);

/** Writes row after row; `write` says which value of each column a row has. */
async function putRows(
  pool: Pool,
  side: 'old' | 'fresh',
  ids: string[],
  pick: (row: number, of: string[]) => string | undefined,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(ODD_SESSION);
    const casts = VALUES.map(({ type }, n) => `$${n + 2}::text::${typeOf(side, type)}`);
    for (const [row, id] of ids.entries())
      await client.query(
        `insert into ${side}.val as v (id, cust, ${VALUES.map(({ column }) => column).join(', ')})
         values ($1, 'v1', ${casts.join(', ')})
         on conflict (id) do update set ${VALUES.map(({ column }) => `${column} = excluded.${column}`).join(', ')}`,
        [id, ...VALUES.map(({ values }) => pick(row, values) ?? null)],
      );
    await client.query('commit');
  } finally {
    client.release();
  }
}

const both = async ({ pair }: Example): Promise<[string[], string[]]> => [
  await lines(pair.source, `select ${COLUMNS} from old.val`),
  await lines(pair.target, `select ${COLUMNS} from fresh.val`),
];

async function expectSame(it_: Example, rows: number): Promise<void> {
  const [here, there] = await both(it_);
  expect(here).toHaveLength(rows);
  // Not toEqual: a difference between megabytes of text is not worth a page of output.
  expect(here.filter((line, n) => line !== there[n]).map((line) => line.slice(0, 200))).toEqual([]);
  expect(there).toHaveLength(rows);
}

const verified = async ({ pair, compiled }: Example, scope: 'live' | 'frozen') => {
  const result = await verifyWave(pair, compiled, 1, 1, { scope });
  if ('outcome' in result) throw new Error('stale');
  return result;
};

describe('every value PostgreSQL can hold', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await valuesExample();
  });
  afterEach(() => it_.end());

  const most = Math.max(...VALUES.map(({ values }) => values.length));
  const ids = Array.from({ length: most + 1 }, (_, n) => `row ${n}`);

  it('arrives as it was: by preload, by delta, verified, and carried back', async () => {
    // The last row holds nulls.
    const nth = (shift: number) => (row: number, of: string[]) =>
      row === most ? undefined : of[(row + shift) % of.length];
    await putRows(it_.pair.source, 'old', ids, nth(0));
    await preload(it_, 1);
    await expectSame(it_, ids.length);
    await putRows(it_.pair.source, 'old', [...ids, 'late'], nth(1));
    await settle(it_, 1);
    await expectSame(it_, ids.length + 1);
    expect(await verified(it_, 'live')).toMatchObject({ mismatches: 0 });
    expect(await verified(it_, 'frozen')).toMatchObject({ mismatches: 0, rows: ids.length + 2 });

    const custody = { source: postgresCustody(it_.pair.source), target: postgresCustody(it_.pair.target) };
    expect(await custody.source.freeze(1, 1, 60_000)).toMatchObject({ outcome: 'frozen' });
    expect(await startCarryBack(it_.pair, 1, 1)).toHaveProperty('position');
    expect(await custody.source.seal(1, 1, (await readPosition(it_.pair.target, 1)) ?? '')).toEqual({
      outcome: 'sealed',
    });
    expect(await custody.target.open(1, 1)).toEqual({ outcome: 'done' });
    const untouched = await lines(it_.pair.source, 'select xmin, ctid, * from old.val');
    await it_.pair.target.query('update fresh.val set id = id');
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({
      outcome: 'applied',
      rows: 0,
      lagRows: 0,
    });
    expect(await lines(it_.pair.source, 'select xmin, ctid, * from old.val')).toEqual(untouched);
    await putRows(it_.pair.target, 'fresh', [...ids, 'born there'], nth(2));
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ outcome: 'applied', lagRows: 0 });
    await expectSame(it_, ids.length + 2);
  });

  it('is told from the value it looks like: by verification, by a pass, and on the way back', async () => {
    const twins = VALUES.flatMap(({ column, type, twins: pairs }) =>
      pairs.map(([one, other]) => ({ column, type, one, other })),
    );
    const { source, target } = it_.pair;
    for (const [n, { column, type, one }] of twins.entries())
      await source.query(
        `insert into old.val (id, cust, ${column}) values ($1, 'v1', $2::text::${typeOf('old', type)})`,
        [`twin ${n}`, one],
      );
    await preload(it_, 1);
    await expectSame(it_, twins.length);
    expect(await verified(it_, 'live')).toMatchObject({ mismatches: 0 });

    for (const [n, { column, type, other }] of twins.entries())
      await behindTriggers(
        target,
        `update fresh.val set ${column} = $1::text::${typeOf('fresh', type)} where id = $2`,
        [other, `twin ${n}`],
      );
    const [here, there] = await both(it_);
    expect(here.filter((line) => there.includes(line))).toEqual([]);
    const found = await verified(it_, 'live');
    expect(found.mismatches).toBe(twins.length);
    expect(found.findings.map(({ kind, columns }) => `${kind} ${columns.join()}`).sort()).toEqual(
      twins.map(({ column }) => `changed ${column}`).sort(),
    );

    await source.query('update old.val set id = id');
    await settle(it_, 1);
    await expectSame(it_, twins.length);
    expect(await verified(it_, 'frozen')).toMatchObject({ mismatches: 0 });
    for (const [n, { column, type, other }] of twins.entries())
      await source.query(`update old.val set ${column} = $1::text::${typeOf('old', type)} where id = $2`, [
        other,
        `twin ${n}`,
      ]);
    await settle(it_, 1);
    await expectSame(it_, twins.length);

    await target.query(`update cutover.wave set state = 'open' where wave = 1`);
    await source.query(`update cutover.wave set state = 'sealed' where wave = 1`);
    await startCarryBack(it_.pair, 1, 1);
    for (const [n, { column, type, one }] of twins.entries())
      await target.query(`update fresh.val set ${column} = $1::text::${typeOf('fresh', type)} where id = $2`, [
        one,
        `twin ${n}`,
      ]);
    expect(await carryBackPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ rows: twins.length });
    await expectSame(it_, twins.length);
  });
});
