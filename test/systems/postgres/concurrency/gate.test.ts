import { Billing, CUTOVER } from '../../../measures/support/billing';
import { PlayedGate } from '../../../measures/support/gate';
import { guardedTables } from '../../../../systems/postgres/data/compile';
import { guardTables } from '../../../../systems/postgres/schema';

jest.setTimeout(240_000);

const WAVE = 1;
let billing: Billing;

beforeAll(async () => {
  billing = await Billing.open('owner', { customers: 20, seed: 5 }, `customer_id <= 'C0000010'`);
  await billing.pools.source.query(
    `update legacy.customer set tenure = '0', total_charges = '' where btrim(total_charges) = ''`,
  );
  await billing.preload(WAVE);
});
afterAll(() => billing.close());

const redAt = async (gate: string): Promise<string[]> => {
  const played = await PlayedGate.open(billing, WAVE, gate);
  expect(played.passed).toBe(played.red.length === 0);
  return played.red.map((id) => `${id}: ${played.shown(id) ?? ''}`);
};

describe('whoever votes', () => {
  it('reads that a guard was off and what changed in a table, and the gate does not pass', async () => {
    const { source, target } = billing.pools;
    expect(await redAt('go-night')).toEqual([]);
    await source.query(`alter table legacy.payment disable trigger cutover_guard`);
    await source.query('alter table legacy.customer add column iban text');
    const red = [
      'guards: source legacy.payment: trigger cutover_guard is not always enabled',
      'shapes: source legacy.customer: column iban was added (text)',
    ];
    expect(await redAt('go-night')).toEqual(red);
    await source.query(
      'alter table legacy.payment enable always trigger cutover_guard; alter table legacy.customer drop column iban',
    );
    expect(await redAt('go-night')).toEqual([
      'guards: source legacy.payment: its guard was changed, removed, or off for a while',
    ]);

    const { compiled } = await billing.world.of(CUTOVER);
    await guardTables(source, guardedTables(await compiled(), 'source'));
    await billing.activities.catchUp({ ref: billing.ref(WAVE, 'catch-up'), lagRows: 0 });
    await billing.freeze(WAVE);
    expect(await redAt('final')).toEqual([]);

    await target.query(
      'alter table billing.payment disable trigger cutover_guard; alter table billing.payment enable always trigger cutover_guard',
    );
    expect(await redAt('final')).toEqual([
      'guards: target billing.payment: its guard was changed, removed, or off for a while',
    ]);
    await expect(billing.switch(WAVE)).rejects.toThrow(
      /the target's guards are not as installed: billing\.payment: .* roll back and start the wave anew/,
    );
  });
});
