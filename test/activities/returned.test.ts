import { Billing, CUTOVER } from '../measures/support/billing';

jest.setTimeout(120_000);

it('a request on its way to the source does not stand in the way of a return; one to the target does', async () => {
  const billing = await Billing.open('returned', { customers: 10, seed: 3 }, 'true');
  const forward = (key: string, side: string): Promise<unknown> =>
    billing.world.control.query(
      `insert into control.request (cutover, idempotency_key, customer, kind, payload, state, wave, side, forwarded_at)
       select cutover, $2, customer, 'payment', '{}', 'forwarding', 1, $3, clock_timestamp()
       from control.member where cutover = $1 and wave = 1 limit 1`,
      [CUTOVER, key, side],
    );
  try {
    const { activities } = billing;
    const look = { ref: billing.ref(1, 'rollback') };
    await forward('to-source', 'source');
    expect(await activities.verifyReturned(look)).toEqual({ ok: true, findings: [] });
    await forward('to-target', 'target');
    expect(await activities.verifyReturned(look)).toEqual({
      ok: false,
      findings: ['1 requests to the target have no known outcome'],
    });
  } finally {
    await billing.close();
  }
});
