import type { Activities } from '../../engine/contract';
import { putDocument } from '../../systems/control/documents';
import { Billing, CUTOVER, STARTER } from '../measures/support/billing';

jest.setTimeout(120_000);

it('what another cutover copied is gone on from by a plan with its conditions only', async () => {
  const billing = await Billing.open('division', { customers: 10, seed: 3 }, `customer_id < 'C0000005'`);
  try {
    const { activities, pools } = billing;
    await billing.preload(1);
    await activities.closeCutover({ cutover: CUTOVER, outcome: 'abandoned' });
    const { rows } = await pools.control.query<{ runbookHash: string; planHash: string; plan: string }>(
      `select c.runbook_hash as "runbookHash", c.plan_hash as "planHash", d.body as plan
       from control.cutover c join control.document d on d.hash = c.plan_hash`,
    );
    const { plan, ...hashes } = rows[0]!;
    const openWith = (cutover: string, planHash: string): ReturnType<Activities['openCutover']> =>
      activities.openCutover({ ...hashes, cutover, planHash, startedBy: STARTER, fresh: true });
    const other = await putDocument(pools.control, 'plan', plan.replace('C0000005', 'C0000006'));
    await expect(openWith('night-2', other)).rejects.toThrow('the waves of this plan have other conditions');
    await expect(openWith('night-3', hashes.planHash)).resolves.toHaveProperty('population', 10);
  } finally {
    await billing.close();
  }
});
