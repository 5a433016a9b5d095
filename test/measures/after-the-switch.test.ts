import { downtimeOf } from '../../engine/downtime';
import type { RunState } from '../../engine/state';
import { forwarder } from '../../gateway/forward';
import { accept } from '../../systems/control/requests';
import { recordRefusals } from '../../systems/control/measures';
import { Billing, CUTOVER } from './support/billing';
import { PlayedGate, provesRed } from './support/gate';

jest.setTimeout(120_000);

const WAVES = [1, 2] as const;

let billing: Billing;

beforeAll(async () => {
  billing = await Billing.open('after', { customers: 40, seed: 3 }, `customer_id <= 'C0000020'`);
  await billing.pools.source.query(
    `update legacy.customer set tenure = '0', total_charges = '' where btrim(total_charges) = ''`,
  );
  for (const wave of WAVES) expect(await billing.preload(wave)).toBe(0);
  await billing.freeze(1);
  await billing.switch(1);
});
afterAll(() => billing.close());

/** A request as the gateway takes it. Resolves to its id. */
async function submit(key: string, customer: string, kind: string, payload: object): Promise<number> {
  const { control } = billing.pools;
  const body = JSON.stringify({ payload: { reference: key, ...payload } });
  const taken = await accept(control, { cutover: CUTOVER, key, customer, kind, body });
  if (taken.outcome === 'conflict') throw new Error(taken.outcome);
  if (taken.outcome === 'forwarding')
    await forwarder(billing.pools, CUTOVER, 2_000).forward(taken.request, taken.side, billing.run.runbook.requests);
  return taken.request.id;
}

/** A request that was taken while the intake was held, and is held still: since so many seconds, by control's clock. */
async function hold(key: string, customer: string, seconds: number): Promise<void> {
  const { control } = billing.pools;
  await control.query(`update control.wave set intake = 'held'`);
  const id = await submit(key, customer, 'order', {});
  await control.query(`update control.wave set intake = 'open'`);
  await control.query(
    `update control.request set held_at = clock_timestamp() - $2 * interval '1 second' where id = $1`,
    [id, seconds],
  );
}

const forget = (): Promise<unknown> =>
  billing.pools.control.query('with gone as (delete from control.request) delete from control.refusal');

/** Switched so long after the freeze. */
const frozenFor =
  (seconds: number) =>
  (state: RunState): void => {
    const at = state.startedAt;
    state.frozen = { at, epoch: 1, notAfter: at };
    state.switchedAt = at + seconds * 1_000;
    state.downtimeMs = downtimeOf(state);
    state.frozen = null;
  };

/** As the cutover hears of its waves. */
const waveFrozenFor =
  (wave: number, seconds: number) =>
  (state: RunState): void => {
    const summary = state.waves.find((each) => each.wave === wave);
    if (summary) summary.downtimeMs = { machine: 60_000, people: seconds * 1_000 - 60_000 };
  };

describe('before the doors open, for the wave', () => {
  afterEach(forget);

  it('passes at once when nothing was felt beyond what was agreed', async () => {
    await hold('short', 'C0000001', 890);
    const gate = await PlayedGate.open(billing, 1, 'open-doors', frozenFor(2_700));
    expect([gate.passed, gate.red]).toEqual([true, []]);
    expect(gate.shown('downtime')).toBe('2700; at most 2700');
  });

  it('longest-hold is red while a request is held longer, and passes when it turns out shorter', async () => {
    await hold('long', 'C0000001', 901);
    const gate = await PlayedGate.open(billing, 1, 'open-doors');
    await provesRed(gate, ['longest-hold'], () =>
      billing.pools.control.query(`update control.request set held_at = clock_timestamp() - interval '5 seconds'`),
    );
  });

  it('disturbed is red when too many of this wave had a request turned down for good, few as they are of everybody', async () => {
    for (const customer of ['C0000001', 'C0000002'])
      await submit(`bad-${customer}`, customer, 'payment', { amount: 'much' });
    const gate = await PlayedGate.open(billing, 1, 'open-doors');
    expect(gate.shown('disturbed')).toBe('0.1; at most 0.05');
    await provesRed(gate, ['disturbed'], () =>
      billing.pools.control.query(`delete from control.request where customer = 'C0000002'`),
    );
    expect(gate.shown('disturbed')).toBe('0.05; at most 0.05');
  });

  it('disturbed counts who was held beyond the limit of the runbook', async () => {
    for (const customer of ['C0000001', 'C0000002']) await hold(`h-${customer}`, customer, 2 * 3_600 + 1);
    const gate = await PlayedGate.open(billing, 1, 'open-doors');
    await provesRed(gate, ['disturbed', 'longest-hold'], forget);
  });

  it('what customers of another wave felt does not hold this one back', async () => {
    await hold('theirs', 'C0000030', 8_000);
    await recordRefusals(billing.pools.control, CUTOVER, 5_001, 2);
    expect((await PlayedGate.open(billing, 1, 'open-doors')).passed).toBe(true);
  });

  it('refused is red after one write more than was agreed', async () => {
    await recordRefusals(billing.pools.control, CUTOVER, 5_001, 1);
    await provesRed(await PlayedGate.open(billing, 1, 'open-doors'), ['refused'], forget);
  });

  it('downtime is red after a freeze of a second too many, and stays so: what was felt cannot be mended', async () => {
    const gate = await PlayedGate.open(billing, 1, 'open-doors', frozenFor(2_701));
    expect(gate.red).toEqual(['downtime']);
    await gate.look();
    expect([gate.passed, gate.red, gate.gate.status]).toEqual([false, ['downtime'], 'open']);
  });
});

describe('before the cutover is accepted', () => {
  afterEach(forget);

  it('moved is red while a wave was never switched, and passes when it lives in the new system', async () => {
    const gate = await PlayedGate.open(billing, null, 'accept');
    expect(gate.shown('moved')).toMatch(/^0\.5\d*; at least 0\.98$/);
    await provesRed(gate, ['moved'], async () => {
      await billing.freeze(2);
      await billing.switch(2);
    });
    expect(gate.shown('moved')).toBe('1; at least 0.98');
  });

  it('left-behind is red when customers have stayed, and so is moved', async () => {
    const staying = ['C0000019', 'C0000020'];
    // As excluded before their wave moved: they belong to who stays, and the source serves them.
    const both = [billing.pools.source, billing.pools.target];
    for (const pool of both)
      await pool.query('update cutover.member set wave = 0 where customer = any ($1)', [staying]);
    const gate = await PlayedGate.open(billing, null, 'accept');
    await provesRed(gate, ['moved', 'left-behind'], async () => {
      for (const pool of both)
        await pool.query('update cutover.member set wave = 1 where customer = any ($1)', [staying]);
    });
  });

  it('downtime is red when any wave was frozen too long, however short the others', async () => {
    expect((await PlayedGate.open(billing, null, 'accept', waveFrozenFor(1, 2_700))).passed).toBe(true);
    const gate = await PlayedGate.open(billing, null, 'accept', (state) => {
      waveFrozenFor(1, 2_701)(state);
      waveFrozenFor(2, 60)(state);
    });
    expect([gate.passed, gate.red]).toEqual([false, ['downtime']]);
    expect(gate.shown('downtime')).toBe('2701; at most 2700');
  });

  it('disturbed, longest-hold and refused look at every wave', async () => {
    await hold('w1', 'C0000001', 7_300);
    await hold('w2', 'C0000021', 7_300);
    expect((await PlayedGate.open(billing, null, 'accept')).red).toEqual(['longest-hold']);
    await hold('w2b', 'C0000022', 7_300);
    await recordRefusals(billing.pools.control, CUTOVER, 5_001, 2);
    await provesRed(await PlayedGate.open(billing, null, 'accept'), ['disturbed', 'longest-hold', 'refused'], forget);
  });
});
