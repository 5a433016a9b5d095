import type { Pool } from 'pg';
import { planChunks } from '../../../../systems/postgres/data/chunks';
import { compileConversion } from '../../../../systems/postgres/data/compile';
import { runPass } from '../../../../systems/postgres/data/pass';
import { quarantine } from '../../../../systems/postgres/data/quarantine';
import { startPosition } from '../../../../systems/postgres/data/position';
import { copyReference } from '../../../../systems/postgres/data/reference';
import { startCopy } from '../../../../systems/postgres/data/kept-copy';
import { preloadChunk } from '../../../../systems/postgres/data/preload';
import { postgresCustody } from '../../../../systems/postgres/custody';
import { conversionSchema } from '../../../../runbooks/schema/conversion';
import { CONVERSION, example, lines, raise, type Example } from './example';
import { expectEqual, mine, OWNER, preload, settle } from './steps';

/** Writes as an application would, over customers `from` to `to`, until told to stop. */
function churn(source: Pool, from: number, to: number): { stop(): Promise<number> } {
  let going = true;
  let n = 0;
  const customer = (): string => `c${String(from + ((n * 7) % (to - from + 1))).padStart(3, '0')}`;
  const work = (async () => {
    while (going) {
      n++;
      const bill = String(5000 + from * 100 + n);
      const client = await source.connect();
      await client.query('begin');
      await client.query('insert into old.bill (bill_no, cust, amount, mailed) values ($1, $2, $3, now())', [
        bill,
        customer(),
        `${n}.0`,
      ]);
      await client.query('insert into old.bill_line select $1, l, $2, l::text from generate_series(1, 2) l', [
        bill,
        customer(),
      ]);
      await client.query(`update old.feature set a = case a when 'Yes' then 'No' else 'Yes' end where cust = $1`, [
        customer(),
      ]);
      await client.query('update old.customer set name = name || $2 where id = $1', [customer(), String(n % 10)]);
      if (n % 3 === 0) await client.query('delete from old.bill_line where bill_no = $1 and line_no = 1', [bill]);
      if (n % 5 === 0)
        await client.query('insert into cutover.effect (key, customer) values ($1, $2)', [`e${bill}`, customer()]);
      await client.query('commit');
      client.release();
    }
  })();
  return { stop: async () => ((going = false), await work, n) };
}

const keepBack = async ({ pair }: Example, customers: string[]): Promise<void> => {
  for (const side of ['target', 'source'] as const) await postgresCustody(pair[side]).moveMembers(customers, 0);
};

/** Each feature has one key for all customers, its memo. */
async function keyedFeature(it_: Example): Promise<Example> {
  const { pair } = it_;
  await pair.target.query('alter table fresh.feature drop constraint feature_pkey, add primary key (code)');
  await pair.source.query(
    `update old.customer set total = '1' where btrim(total) = ''; update old.feature set memo = cust`,
  );
  const conversion = structuredClone(CONVERSION);
  Object.assign(conversion.entities['feature']!.from, { query: 'select cust, memo as code from old.feature' });
  conversion.entities['feature']!.to.key = 'code';
  it_.compiled = await compileConversion(conversion, pair);
  return it_;
}

describe('moving data forward', () => {
  let it_: Example;
  beforeEach(async () => {
    it_ = await example();
  });
  afterEach(() => it_.end());

  it('brings a wave over while it is written to, and nothing of another wave', async () => {
    await keepBack(it_, (await quarantine(it_.pair.source, it_.compiled, 1)).customers);
    const writers = churn(it_.pair.source, 1, 30);
    await preload(it_, 1);
    expect(await runPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ outcome: 'applied' });
    expect(await writers.stop()).toBeGreaterThan(5);
    await settle(it_, 1);
    await expectEqual(it_, 1);
    expect(await lines(it_.pair.target, `select no from fresh.person where not ${mine(1, 'no')}`)).toEqual([]);
    expect(await lines(it_.pair.target, 'select * from fresh.product')).toHaveLength(3);
  });

  it('copies a unique value that changes hands while its chunks are copied, and the pass brings the other row', async () => {
    const { pair, compiled } = it_;
    await keepBack(it_, (await quarantine(pair.source, compiled, 1)).customers);
    await copyReference(pair, compiled, 1, 1);
    expect(await startCopy(pair, 1, 1, OWNER, compiled)).toHaveProperty('position');
    for (const chunk of await planChunks(compiled, pair.source, 1, 7)) {
      expect(await preloadChunk(pair, compiled, { ...chunk, wave: 1, epoch: 1 })).toMatchObject({ outcome: 'done' });
      if (chunk.entity === 'person' && chunk.no === 0)
        await pair.source.query(`update old.customer set email = 'given away' where id = 'c001';
          update old.customer set email = 'mail1' where id = 'c020'`);
    }
    expect(await lines(pair.target, `select no from fresh.person where email = 'mail1'`)).toEqual(['(c020)']);
    await settle(it_, 1);
    await expectEqual(it_, 1);
  });

  it('takes a row of a set over from another customer only when the source has its key once', async () => {
    const { pair } = await keyedFeature(it_);
    await preload(it_, 1);
    await settle(it_, 1);
    await pair.source.query(`update old.feature set memo = 'c001' where cust = 'c002'`);
    await expect(settle(it_, 1)).rejects.toThrow('want the key of another customer’s row in fresh.feature (key code)');
    expect(await lines(pair.target, `select * from fresh.feature where code = 'c001'`)).toEqual(['(c001,c001)']);
    await pair.source.query(`update old.feature set memo = 'other' where cust = 'c001'`);
    await settle(it_, 1);
    expect(await lines(pair.target, `select * from fresh.feature where no in ('c001', 'c002')`)).toEqual([
      '(c001,other)',
      '(c002,c001)',
    ]);
  });

  it('counts no row of a customer who stays behind when a key of a set changes hands', async () => {
    const { pair } = await keyedFeature(it_);
    await preload(it_, 1);
    await settle(it_, 1);
    await pair.source.query(`update old.feature set memo = 'c006' where cust = 'c005'`);
    for (const side of ['target', 'source'] as const) await postgresCustody(pair[side]).moveMembers(['c006'], 0);
    await settle(it_, 1);
    expect(await lines(pair.target, `select * from fresh.feature where no in ('c005', 'c006')`)).toEqual([
      '(c005,c006)',
    ]);
  });

  it('plans no copy of rows that are nobody’s', async () => {
    const { pair, compiled } = it_;
    await pair.source.query(
      'alter table old.bill_line alter cust drop not null; update old.bill_line set cust = null where bill_no = $$99$$',
    );
    await expect(planChunks(compiled, pair.source, 3, 7)).rejects.toThrow(
      'entity line: 2 rows have no customer in cust',
    );
  });

  it('writes no row of a customer whose wave the target owns, neither by chunk nor by pass', async () => {
    const { pair, compiled } = it_;
    await keepBack(it_, (await quarantine(pair.source, compiled, 1)).customers);
    const owned = (state: string): Promise<unknown> =>
      pair.target.query(`update cutover.wave set state = $1 where wave = 2`, [state]);
    // The target knows of a move the source has not heard of yet.
    await pair.target.query(`update cutover.member set wave = 2 where customer = 'c001'`);
    await owned('open');
    await expect(preload(it_, 1)).rejects.toThrow(/does not cover rows of wave 2/);
    await owned('sealed');
    await preload(it_, 1);
    await owned('open');
    await pair.source.query(`update old.customer set name = 'New' where id = 'c001'`);
    await expect(runPass(pair, compiled, 1, 1)).rejects.toThrow(/does not cover rows of wave 2/);
    await owned('sealed');
    expect(await runPass(pair, compiled, 1, 1)).toMatchObject({ outcome: 'applied' });
  });

  it('applies nothing of a pass with a row that cannot be mapped any more, until its customer is excluded', async () => {
    await keepBack(it_, (await quarantine(it_.pair.source, it_.compiled, 1)).customers);
    await preload(it_, 1);
    await settle(it_, 1);
    const { source, target } = it_.pair;
    const one = `select cutover.wave_of(id) as wave, id from old.customer where cutover.wave_of(id) = 1 order by id limit 2`;
    const [bad, good] = (await source.query<{ id: string }>(one)).rows.map(({ id }) => id);
    await source.query(`update old.customer set tenure = 'long' where id = $1`, [bad]);
    await source.query(`update old.customer set name = 'Renamed' where id = $1`, [good]);
    const before = await lines(target, 'select * from fresh.person order by 1');
    expect(await runPass(it_.pair, it_.compiled, 1, 1)).toMatchObject({ outcome: 'unmappable', customers: [bad] });
    expect(await lines(target, 'select * from fresh.person order by 1')).toEqual(before);
    await keepBack(it_, [bad ?? '']);
    await settle(it_, 1);
    expect(await lines(target, `select no from fresh.person where no = '${bad}'`)).toEqual([]);
    await expectEqual(it_, 1);
  });

  it('keeps rows that move between customers of different waves, there and back', async () => {
    await preload(it_, 1);
    await preload(it_, 2);
    const { source } = it_.pair;
    const move = async (to: string): Promise<void> => {
      await source.query(`update old.bill set cust = $1 where bill_no = '7'`, [to]);
      await source.query(`update old.bill_line set cust = $1 where bill_no = '7'`, [to]);
    };
    await move('c025');
    await settle(it_, 2);
    await move('c008');
    await settle(it_, 2);
    await settle(it_, 1);
    await expectEqual(it_, 1);
    await expectEqual(it_, 2);
    await move('c026');
    await settle(it_, 2);
    await settle(it_, 1);
    await expectEqual(it_, 1);
    await expectEqual(it_, 2);
  });

  it('leaves no copy of what a customer gave away before changing waves, when the new wave goes first', async () => {
    await preload(it_, 1);
    await preload(it_, 2);
    const { source, target } = it_.pair;
    await source.query(`delete from old.bill_line where bill_no = '7'; delete from old.bill where bill_no = '7';
      update old.bill_line set cust = 'c009' where bill_no = '47'; update old.bill set cust = 'c009' where bill_no = '47'`);
    for (const pool of [target, source])
      expect(await postgresCustody(pool).moveMembers(['c008'], 2)).toEqual({ moved: 1 });
    await settle(it_, 2);
    await expectEqual(it_, 2);
  });

  it('applies deletes, changed keys and swapped unique values in one pass', async () => {
    await preload(it_, 1);
    const { source } = it_.pair;
    await source.query(`delete from old.bill_line where bill_no = '3'; delete from old.bill where bill_no = '3';
      update old.bill set bill_no = '9003' where bill_no = '4'; update old.bill_line set bill_no = '9003' where bill_no = '4';
      update old.customer set email = case id when 'c001' then 'mail2' when 'c002' then 'mail1' end where id in ('c001', 'c002');
      update old.feature set a = 'No', b = 'No', c = 'No' where cust = 'c003';
      update old.bill_line set bill_no = '9004' where bill_no = '5'; update old.bill set bill_no = '9004' where bill_no = '5'`);
    await settle(it_, 1);
    await expectEqual(it_, 1);
  });

  it('takes a unique value from a row of another wave, whatever other rows an exclude rule will keep back', async () => {
    const { pair } = it_;
    await pair.target.query('alter table fresh.invoice add unique (mailed)');
    const conversion = structuredClone(CONVERSION);
    const rules = [{ id: 'no-number', when: `bill_no !~ '^[0-9]+$'`, then: 'exclude', why: 'not billed' }];
    Object.assign(conversion.entities['invoice']!, { rules });
    it_.compiled = await compileConversion(conversion, pair);
    await keepBack(it_, (await quarantine(pair.source, it_.compiled, 1)).customers);
    for (const wave of [1, 2]) await preload(it_, wave);
    await pair.source.query(`insert into old.bill (bill_no, cust, amount) values ('x9', 'c026', '1');
      update old.bill set mailed = now() where bill_no = '24';
      update old.bill set mailed = timestamptz '2026-01-02 00:00:00.123456+00' where bill_no = '7'`);
    await settle(it_, 1);
    await expectEqual(it_, 1);
  });

  it('takes a customer who is excluded back out of the target', async () => {
    await preload(it_, 1);
    for (const pool of [it_.pair.target, it_.pair.source])
      expect(await postgresCustody(pool).moveMembers(['c007'], 0)).toEqual({ moved: 1 });
    await settle(it_, 1);
    await expectEqual(it_, 1);
    for (const table of ['person', 'account', 'invoice', 'invoice_line', 'feature'])
      expect(await lines(it_.pair.target, `select * from fresh.${table} where no = 'c007'`)).toEqual([]);
  });

  it('writes nothing under an epoch that was raised', async () => {
    await preload(it_, 1);
    const chunks = await planChunks(it_.compiled, it_.pair.source, 2, 100);
    await raise(it_.pair.target, [1, 2], 2);
    await it_.pair.source.query(`delete from old.bill_line where cust = 'c001'`);
    const before = await lines(it_.pair.target, 'select xmin, * from fresh.invoice_line');
    expect(await runPass(it_.pair, it_.compiled, 1, 1)).toEqual({ outcome: 'stale' });
    expect(await preloadChunk(it_.pair, it_.compiled, { ...chunks[0]!, wave: 2, epoch: 1 })).toEqual({
      outcome: 'stale',
    });
    expect(await startPosition(it_.pair, 2, 1)).toEqual({ outcome: 'stale' });
    expect(await lines(it_.pair.target, 'select xmin, * from fresh.invoice_line')).toEqual(before);
  });

  it('copies a chunk once, and leaves equal rows untouched when it is merged', async () => {
    await preload(it_, 1);
    const { pair, compiled } = it_;
    const chunk = (await planChunks(compiled, pair.source, 1, 1000)).find(({ entity }) => entity === 'person')!;
    const before = await lines(pair.target, 'select xmin, ctid, no from fresh.person');
    expect(await preloadChunk(pair, compiled, { ...chunk, wave: 1, epoch: 1 })).toEqual({
      outcome: 'done',
      rows: expect.any(Number),
    });
    await pair.target.query(`delete from cutover.fence where key like 'chunk/1/person/%'`);
    await preloadChunk(pair, compiled, { ...chunk, wave: 1, epoch: 1 });
    expect(await lines(pair.target, 'select xmin, ctid, no from fresh.person')).toEqual(before);
  });

  it('refuses two source rows with one target key, naming entity and key but no value', async () => {
    await it_.pair.source.query(`insert into old.bill (bill_no, cust, amount) values ('0017', 'c011', '1.00')`);
    await expect(preload(it_, 1)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/entity invoice.*key invoice_no/),
    });
  });
});

describe('compiling a conversion', () => {
  it('lists every problem with its entity and column', async () => {
    const { pair, end } = await example();
    const broken = structuredClone(CONVERSION);
    const entities = broken.entities;
    Object.assign(entities['invoice']!.columns, { ghost: '1', amount: 'amonut::numeric' });
    Object.assign(entities['feature']!.from, { changedBy: {} });
    Object.assign(entities['person']!.to, { customer: 'nobody' });
    Object.assign(entities['person']!.rules![1]!, { when: 'no_such_column = 1' });
    await expect(compileConversion(conversionSchema.parse(broken), pair)).rejects.toThrow(
      expect.objectContaining({
        retryable: false,
        message: expect.stringMatching(
          /(?=[^]*invoice, column ghost)(?=[^]*invoice, column amount)(?=[^]*feature: the query reads old.feature)(?=[^]*person: fresh.person has no column nobody)(?=[^]*person, rule blank-old)/,
        ),
      }),
    );
    await end();
  });
});
