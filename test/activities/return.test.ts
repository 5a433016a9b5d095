import { setTimeout as sleep } from 'node:timers/promises';
import { Billing, CUTOVER } from '../measures/support/billing';

jest.setTimeout(120_000);

it('a return whose attempt died with the target frozen freezes it anew, and brings what was written after the lapse', async () => {
  const billing = await Billing.open('return', { customers: 20, seed: 3 }, 'true');
  try {
    const { activities, pools, world } = billing;
    await pools.source.query(`update legacy.customer set tenure = '0' where btrim(total_charges) = ''`);
    await billing.preload(1);
    await billing.freeze(1);
    await billing.switch(1);
    const { epoch } = await activities.raiseEpoch({ cutover: CUTOVER, wave: 1, key: 'rollback' });
    const { custody } = await world.of(CUTOVER);
    // What the dead attempt left: a short lease under the rollback's epoch.
    expect(await custody.target.freeze(1, epoch, 200)).toMatchObject({ outcome: 'frozen' });
    while ((await custody.target.wave(1)).refusesWrites) await sleep(20);
    await pools.target.query(`update crm.customer set email = 'late@example.net' where customer_no = 'C0000003'`);
    const ref = { cutover: CUTOVER, wave: 1, step: 'switch', occurrence: 1, epoch };
    expect(await activities.returnCustody({ ref })).toMatchObject({ path: 'carried-back' });
    const { rows } = await pools.source.query(`select email from legacy.customer where customer_id = 'C0000003'`);
    expect(rows).toEqual([{ email: 'late@example.net' }]);
    expect([(await custody.source.wave(1)).state, (await custody.target.wave(1)).state]).toEqual(['open', 'sealed']);
  } finally {
    await billing.close();
  }
});
