import { postgresCustody } from '../../systems/postgres/custody';
import { readPosition, startCarryBack } from '../../systems/postgres/data/position';
import { Billing } from '../measures/support/billing';

jest.setTimeout(120_000);

const WAVES = 'select customer, wave from {}.member order by customer';

let billing: Billing;
/** Customers for whom `pilot` is true are wave 1; two of all cannot be mapped. */
async function open(pilot: string): Promise<void> {
  billing = await Billing.open('exclude', { customers: 30, seed: 3 }, pilot);
  await billing.pools.source.query(
    `update legacy.customer set total_charges = ' ', tenure = '5' where customer_id in ('C0000003', 'C0000017')`,
  );
}
beforeEach(() => open('true'));
afterEach(() => billing.close());

/** The wave of every customer as the source, the target and routing have it. */
const waves = async (): Promise<unknown[][]> => {
  const { source, target, control } = billing.pools;
  const read = async (...[pool, schema]: [typeof source, string]): Promise<unknown[]> =>
    (await pool.query(WAVES.replace('{}', schema))).rows;
  return [await read(source, 'cutover'), await read(target, 'cutover'), await read(control, 'control')];
};

const staying = async (): Promise<number> =>
  ((await waves())[0] as { wave: number }[]).filter(({ wave }) => wave === 0).length;

async function expectAlike(): Promise<void> {
  const [source, target, control] = await waves();
  expect([target, control]).toEqual([source, source]);
}

async function failsWithoutRouting(attempt: () => Promise<unknown>): Promise<void> {
  const { control } = billing.pools;
  await control.query('alter table control.member rename to away');
  await expect(attempt()).rejects.toThrow();
  await control.query('alter table control.away rename to member');
}

it('an exclusion that was cut short before routing was told is finished by the next attempt', async () => {
  await failsWithoutRouting(() => billing.preload(1));
  expect(await billing.preload(1)).toBe(2);
  expect(await staying()).toBe(2);
  await expectAlike();
});

it('so is one of a customer who became unmappable after the copy had begun', async () => {
  const { source } = billing.pools;
  await source.query(`update legacy.customer set tenure = '0' where btrim(total_charges) = ''`);
  expect(await billing.preload(1)).toBe(0);
  await source.query(`update legacy.customer set total_charges = ' ', tenure = '5' where customer_id = 'C0000003'`);
  const catchUp = (): Promise<unknown> => billing.activities.catchUp({ ref: billing.ref(1, 'catch-up'), lagRows: 0 });
  await failsWithoutRouting(catchUp);
  await catchUp();
  expect(await staying()).toBe(1);
  await expectAlike();
});

it('what an exclusion left half done and nobody tries again, the conversion takes back', async () => {
  const { source, target } = billing.pools;
  await source.query(`update legacy.customer set tenure = '0' where btrim(total_charges) = ''`);
  expect(await billing.preload(1)).toBe(0);
  await target.query(`update cutover.member set wave = 0 where customer = 'C0000005'`);
  await source.query(`update cutover.member set wave = 0 where customer = 'C0000006'`);
  await billing.freeze(1);
  await expectAlike();
  expect(await staying()).toBe(1);
});

it('what is left half done after the conversion is taken back before the source is sealed', async () => {
  const { target } = billing.pools;
  expect(await billing.preload(1)).toBe(2);
  await billing.freeze(1);
  await target.query(`update cutover.member set wave = 0 where customer = 'C0000005'`);
  await billing.switch(1);
  expect(await staying()).toBe(2);
  await expectAlike();
});

it('what one that wakes late does at the target, once the source is sealed, is taken back before the target opens', async () => {
  const { source, target } = billing.pools;
  await billing.preload(1);
  await billing.freeze(1);
  const { epoch } = billing.ref(1, 'switch');
  expect(await startCarryBack({ source, target }, 1, epoch)).toHaveProperty('position');
  const applied = (await readPosition(target, 1))!;
  expect(await postgresCustody(source).seal(1, epoch, applied)).toEqual({ outcome: 'sealed' });
  expect(await postgresCustody(target).moveMembers(['C0000005'], 0, { 1: epoch })).toEqual({ moved: 1 });
  await billing.switch(1);
  expect(await staying()).toBe(2);
  await expectAlike();
  await target.query(`update crm.customer set full_name = 'served' where customer_no = 'C0000005'`);
});

it('so it is in the last wave for who came after the customers were divided, and the wave is switched', async () => {
  await billing.close();
  await open('false');
  const { source, target } = billing.pools;
  expect(await billing.preload(2)).toBe(2);
  for (const pool of [source, target]) await pool.query(`delete from cutover.member where customer = 'C0000007'`);
  await target.query(`insert into cutover.member (customer, wave) values ('C0000007', 0)`);
  await billing.freeze(2);
  const verified = await billing.activities.verify({ ref: billing.ref(2, 'verify'), scope: 'frozen', totals: [] });
  expect(verified.mismatches).toBe(0);
  await billing.switch(2);
});

it('the conversion brings reference data though nothing else has changed', async () => {
  const { source, target } = billing.pools;
  expect(await billing.preload(1)).toBe(2);
  await source.query(`update legacy.tariff set descr = 'Renamed'`);
  await billing.freeze(1);
  expect((await target.query('select distinct name from catalog.product')).rows).toEqual([{ name: 'Renamed' }]);
});

it('who was left behind and cleansed since comes along when the wave is copied again', async () => {
  const { source } = billing.pools;
  expect(await billing.preload(1)).toBe(2);
  expect(await staying()).toBe(2);
  await source.query(`update legacy.customer set tenure = '0' where btrim(total_charges) = ''`);
  expect(await billing.preload(1)).toBe(0);
  expect(await staying()).toBe(0);
  await expectAlike();
  await billing.freeze(1);
  const verified = await billing.activities.verify({ ref: billing.ref(1, 'verify'), scope: 'frozen', totals: [] });
  expect(verified.mismatches).toBe(0);
  await billing.switch(1);
});
