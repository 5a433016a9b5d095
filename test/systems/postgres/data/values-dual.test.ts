import fc from 'fast-check';
import { carryBackPass } from '../../../../systems/postgres/data/carry-back';
import { purgeWave } from '../../../../systems/postgres/data/purge';
import { alignTargetSequences, finishReturn } from '../../../../systems/postgres/data/sequences';
import { custodyOf, switchOver } from '../concurrency/moving';
import { example, lines, type Example } from './example';
import { expectEqual, preload, settle } from './steps';

jest.setTimeout(240_000);

let it_: Example;
beforeEach(async () => {
  it_ = await example();
});
afterEach(() => it_.end());

const CUSTOMER = { 1: 'c002', 2: 'c022' } as const;

/** Bills as the system of record of the wave numbers them. */
const births = {
  source: (customer: string, count: number) =>
    it_.pair.source.query(
      `insert into old.bill (bill_no, cust, amount) select nextval('old.bill_seq')::text, $1, '1.00' from generate_series(1, $2)`,
      [customer, count],
    ),
  target: (customer: string, count: number) =>
    it_.pair.target.query(
      `insert into fresh.invoice (invoice_no, no, amount) select nextval('fresh.invoice_seq'), $1, 1.00 from generate_series(1, $2::int)`,
      [customer, count],
    ),
};

async function move(wave: 1 | 2): Promise<void> {
  await preload(it_, wave);
  await settle(it_, wave);
  await alignTargetSequences(it_.pair, it_.compiled);
  await switchOver(it_, wave);
}

async function comeBack(wave: 1 | 2): Promise<void> {
  const custody = custodyOf(it_);
  expect(await carryBackPass(it_.pair, it_.compiled, wave, 1)).toMatchObject({ lagRows: 0 });
  await it_.pair.target.query(`update cutover.wave set state = 'sealed' where wave = $1`, [wave]);
  await finishReturn(it_.pair, it_.compiled);
  expect(await custody.source.open(wave, 1)).toEqual({ outcome: 'done' });
  expect(await purgeWave(it_.pair, wave, 1)).toHaveProperty('rows');
}

describe('keys born on both sides while both are live', () => {
  it('never meet, whichever waves move and come back in between', async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          act: fc.constant('births' as const),
          wave: fc.constantFrom(1 as const, 2 as const),
          count: fc.integer({ min: 1, max: 40 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          act: fc.constant('cross' as const),
          wave: fc.constantFrom(1 as const, 2 as const),
          count: fc.constant(0),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 7 }), async (steps) => {
        const at: Record<1 | 2, 'source' | 'target'> = { 1: 'source', 2: 'source' };
        const born: Record<1 | 2, number> = { 1: 0, 2: 0 };
        const rows = async (wave: 1 | 2): Promise<number> =>
          (
            await lines(
              it_.pair[at[wave]],
              at[wave] === 'source'
                ? `select bill_no from old.bill where cust = '${CUSTOMER[wave]}'`
                : `select invoice_no from fresh.invoice where no = '${CUSTOMER[wave]}'`,
            )
          ).length;
        const before = { 1: await rows(1), 2: await rows(2) };
        const cross = async (wave: 1 | 2): Promise<void> => {
          await (at[wave] === 'source' ? move(wave) : comeBack(wave));
          at[wave] = at[wave] === 'source' ? 'target' : 'source';
        };
        for (const { act, wave, count } of steps) {
          if (act === 'cross') await cross(wave);
          else {
            await births[at[wave]](CUSTOMER[wave], count);
            born[wave] += count;
          }
          for (const each of [1, 2] as const)
            expect([each, await rows(each)]).toEqual([each, before[each] + born[each]]);
        }
        for (const wave of [1, 2] as const) if (at[wave] === 'target') await cross(wave);
        expect(await lines(it_.pair.source, 'select bill_no from old.bill group by 1 having count(*) > 1')).toEqual([]);
        for (const wave of [1, 2] as const) expect(await rows(wave)).toBe(before[wave] + born[wave]);
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });

  it('that meet because one side outran the distance stop the copy, and take nothing from the customer who has them', async () => {
    await move(1);
    await births.target(CUSTOMER[1], 3);
    await preload(it_, 2);
    const { rows } = await it_.pair.target.query<{ key: string }>(
      `select max(invoice_no)::text as key from fresh.invoice where no = $1`,
      [CUSTOMER[1]],
    );
    const key = rows[0]?.key ?? '';
    await it_.pair.source.query(`insert into old.bill (bill_no, cust, amount) values ($1, $2, '5.00')`, [
      key,
      CUSTOMER[2],
    ]);
    await expect(settle(it_, 2)).rejects.toThrow(/does not cover rows of wave 1/);
    expect(await lines(it_.pair.target, `select no, amount from fresh.invoice where invoice_no = ${key}`)).toEqual([
      `(${CUSTOMER[1]},1.00)`,
    ]);
    await it_.pair.source.query(`delete from old.bill where bill_no = $1`, [key]);
    await settle(it_, 2);
    await expectEqual(it_, 2);
  });
});
