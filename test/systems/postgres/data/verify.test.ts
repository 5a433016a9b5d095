import { readPairOfNumbers } from '../../../../systems/postgres/data/numbers';
import { verifyWave, type Verification, type VerifyOptions } from '../../../../systems/postgres/data/verify';
import { behindTriggers, example, raise, type Example } from './example';
import { preload, settle } from './steps';

const corrupt = ({ pair }: Example, sql: string): Promise<void> => behindTriggers(pair.target, sql);

async function verify({ pair, compiled }: Example, options: VerifyOptions): Promise<Verification> {
  const result = await verifyWave(pair, compiled, 1, 1, { chunkRows: 8, ...options });
  if ('outcome' in result) throw new Error('stale');
  return result;
}

const SUMS = [
  {
    id: 'invoiced',
    source: 'select sum(amount::numeric) from old.bill where cust in (select customer_id from cutover.members)',
    target: 'select sum(amount) from fresh.invoice where no in (select customer_id from cutover.members)',
  },
  {
    id: 'persons',
    source: 'select count(*) from old.customer where cutover.wave_of(id) = $1::int',
    target: 'select count(*) from fresh.person where cutover.wave_of(no) = $1::int',
  },
];

describe('verifying a wave', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
    await preload(it_, 1);
    await settle(it_, 1);
  });
  afterEach(() => it_.end());

  it('compares every mapped row and finds nothing where nothing is wrong', async () => {
    const { rows } = await it_.pair.target.query<{ n: number }>(`select sum(n)::int as n from (
      select count(*) as n from fresh.person union all select count(*) from fresh.account union all select count(*) from fresh.invoice
      union all select count(*) from fresh.invoice_line union all select count(*) from fresh.feature) tables`);
    const frozen = await verify(it_, { scope: 'frozen', totals: SUMS });
    expect(frozen).toMatchObject({
      rows: rows[0]!.n,
      mismatches: 0,
      findings: [],
      totals: [
        { id: 'invoiced', equal: true },
        { id: 'persons', equal: true },
      ],
    });
    const live = await verify(it_, { scope: 'live', totals: SUMS });
    expect(live).toMatchObject({ rows: rows[0]!.n, mismatches: 0, totals: [{ equal: true }, { equal: true }] });
    expect(await verify(it_, { scope: 'frozen' })).toMatchObject({ rows: rows[0]!.n, mismatches: 0 });
  });

  const wrongs: [string, string, object][] = [
    [
      'a row that is missing',
      `delete from fresh.invoice_line where invoice_no = 7 and line_no = 1`,
      { entity: 'line', kind: 'missing', columns: [] },
    ],
    [
      'a row that is too many',
      `insert into fresh.feature values ('c005', 'zzz')`,
      { entity: 'feature', kind: 'extra', columns: [] },
    ],
    [
      'a row of a customer the source does not know',
      `insert into fresh.feature values ('c0055', 'a')`,
      { entity: 'feature', kind: 'extra', columns: [] },
    ],
    [
      'a cent',
      `update fresh.invoice set amount = amount + 0.01 where invoice_no = 9`,
      { entity: 'invoice', kind: 'changed', columns: ['amount'] },
    ],
    [
      '1.0 for 1.00',
      `update fresh.invoice set amount = 6.250 where invoice_no = 6`,
      { entity: 'invoice', kind: 'changed', columns: ['amount'] },
    ],
    [
      'two columns swapped',
      `update fresh.person set full_name = email, email = full_name where no = 'c004'`,
      { entity: 'person', kind: 'changed', columns: ['full_name', 'email'] },
    ],
    [
      'a microsecond',
      `update fresh.invoice set mailed = mailed + interval '1 microsecond' where invoice_no = 9`,
      { entity: 'invoice', kind: 'changed', columns: ['mailed'] },
    ],
    [
      'a null for false',
      `update fresh.account set paperless = null where no = 'c004'`,
      { entity: 'account', kind: 'changed', columns: ['paperless'] },
    ],
  ];

  it.each(wrongs)('finds %s', async (_title, sql, finding) => {
    if (sql.includes('c0055')) await it_.pair.target.query(`insert into cutover.member values ('c0055', 1)`);
    await corrupt(it_, sql);
    for (const scope of ['live', 'frozen'] as const) {
      const result = await verify(it_, { scope });
      expect(result).toMatchObject({
        mismatches: 1,
        findings: [{ ...finding, key: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      });
      expect(result.entities.filter(({ mismatches }) => mismatches > 0)).toHaveLength(1);
    }
  });

  it('sees a total that differs', async () => {
    await corrupt(it_, `update fresh.invoice set amount = amount + 0.01 where invoice_no = 9`);
    expect((await verify(it_, { scope: 'frozen', totals: SUMS })).totals).toEqual([
      { id: 'invoiced', equal: false },
      { id: 'persons', equal: true },
    ]);
    expect(await readPairOfNumbers(it_.pair, SUMS[0]!.source, SUMS[0]!.target, 1)).toMatchObject({
      difference: expect.closeTo(0.01),
    });
    expect(await readPairOfNumbers(it_.pair, SUMS[1]!.source, SUMS[1]!.target, 2)).toEqual({
      source: 10,
      target: 0,
      difference: 10,
    });
  });

  it('sees a microsecond, a nineteenth digit and a sign of zero in a total', async () => {
    const total = (id: string, source: string, target: string) => ({ id, source, target });
    const mine = 'no in (select customer_id from cutover.members)';
    const totals = [
      total(
        'last',
        `select max(mailed) from old.bill where cust in (select customer_id from cutover.members)`,
        `select max(mailed) from fresh.invoice where ${mine}`,
      ),
      total('digits', 'select 9007199254740993', 'select 9007199254740992'),
      total('float', `select '-0'::float8`, `select '0'::float8`),
      total('scale', 'select 10.00', 'select 10'),
    ];
    const equal = async () => (await verify(it_, { scope: 'frozen', totals })).totals.map((each) => each.equal);
    expect(await equal()).toEqual([true, false, false, true]);
    await corrupt(
      it_,
      `update fresh.invoice set mailed = mailed + interval '1 microsecond' where mailed = (select max(mailed) from fresh.invoice where ${mine})`,
    );
    expect(await equal()).toEqual([false, false, false, true]);
  });

  it('finds an empty target where the source has rows', async () => {
    await corrupt(it_, 'truncate fresh.invoice, fresh.invoice_line, fresh.feature, fresh.person, fresh.account');
    const result = await verify(it_, { scope: 'frozen' });
    expect(result.mismatches).toBe(result.rows);
    expect(result.rows).toBeGreaterThan(100);
  });

  it('after live proofs, compares again what either log names, and only that', async () => {
    const live = await verify(it_, { scope: 'live' });
    await it_.pair.source.query(`insert into old.bill (bill_no, cust, amount) values ('700', 'c003', '5.00')`);
    await settle(it_, 1);
    expect(await verify(it_, { scope: 'frozen' })).toMatchObject({ rows: live.rows, mismatches: 0 });
    await it_.pair.source.query(`update old.bill set amount = '6.00' where bill_no = '700'`);
    expect(await verify(it_, { scope: 'frozen' })).toMatchObject({
      mismatches: 1,
      findings: [{ entity: 'invoice', columns: ['amount'] }],
    });
    await settle(it_, 1);
    await it_.pair.target.query(`update cutover.wave set state = 'open' where wave = 1`);
    await it_.pair.target.query(`update fresh.invoice set amount = 1 where invoice_no = 9`);
    await it_.pair.target.query(`update cutover.wave set state = 'sealed' where wave = 1`);
    expect(await verify(it_, { scope: 'frozen' })).toMatchObject({
      mismatches: 1,
      findings: [{ entity: 'invoice', columns: ['amount'] }],
    });
  });

  it('proves live against writers who do not stop', async () => {
    let going = true;
    const writer = (async () => {
      for (let n = 0; going; n++)
        await it_.pair.source.query(`update old.bill set amount = $1 where bill_no = $2`, [
          `${n}.5`,
          String((n % 120) + 1),
        ]);
    })();
    expect(await verify(it_, { scope: 'live', totals: SUMS })).toMatchObject({
      mismatches: 0,
      totals: [{ equal: true }, { equal: true }],
    });
    going = false;
    await writer;
    await settle(it_, 1);
    expect(await verify(it_, { scope: 'frozen', totals: SUMS })).toMatchObject({
      mismatches: 0,
      totals: [{ equal: true }, { equal: true }],
    });
  });

  it('of which two attempts are at work fails to be tried again, and one that is over stops at the next stretch', async () => {
    const both = await Promise.allSettled([verify(it_, { scope: 'live' }), verify(it_, { scope: 'live' })]);
    const failed = both.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(failed).toContainEqual(
      expect.objectContaining({ retryable: true, message: expect.stringContaining('another attempt') }),
    );
    const ended = AbortSignal.abort();
    await expect(verify(it_, { scope: 'live', ended })).rejects.toThrow('stale');
    expect(await verify(it_, { scope: 'live' })).toMatchObject({ mismatches: 0 });
  });

  it('is stale under a raised epoch', async () => {
    await raise(it_.pair.target, [1], 2);
    expect(await verifyWave(it_.pair, it_.compiled, 1, 1, { scope: 'frozen' })).toEqual({ outcome: 'stale' });
  });
});
