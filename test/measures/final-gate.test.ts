import { accept } from '../../systems/control/requests';
import { recordRefusals } from '../../systems/control/measures';
import { forwarder } from '../../gateway/forward';
import { Billing, CUTOVER } from './support/billing';
import { PlayedGate, provesRed } from './support/gate';

jest.setTimeout(120_000);

/** The first half of the customers moves tonight. */
const CUSTOMERS = 40;
const WAVE = 1;
const [BEHIND, OWN] = ['C0000003', 'C0000004'];

let billing: Billing;

beforeAll(async () => {
  billing = await Billing.open('final', { customers: CUSTOMERS, seed: 3 }, `customer_id <= 'C0000020'`);
  const { source } = billing.pools;
  // A company whose records are clean, except where a test makes them otherwise.
  await source.query(`update legacy.customer set tenure = '0', total_charges = '' where btrim(total_charges) = '';
    update legacy.customer set tenure = '7', total_charges = ' ' where customer_id = '${BEHIND}';
    insert into legacy.work_order (order_id, customer_id, kind, state) values (nextval('legacy.order_seq')::text, '${OWN}', 'repair', 'new')`);
});
afterAll(() => billing.close());

describe('at the gate before the night', () => {
  it('left-behind is red when a rule excludes too many, and passes when the data expert has settled it and they are back', async () => {
    expect(await billing.preload(WAVE)).toBe(1);
    const gate = await PlayedGate.open(billing, WAVE, 'go-night');
    await provesRed(gate, ['left-behind'], async () => {
      const { custody } = await billing.world.of(CUTOVER);
      await billing.pools.source.query(`update legacy.customer set total_charges = '70.00' where customer_id = $1`, [
        BEHIND,
      ]);
      for (const side of ['target', 'source'] as const) await custody[side].moveMembers([BEHIND], WAVE);
      await billing.activities.catchUp({ ref: billing.ref(WAVE, 'catch-up'), lagRows: 0 });
    });
    const { rows } = await billing.pools.target.query('select total_charges from crm.customer where customer_no = $1', [
      BEHIND,
    ]);
    expect(rows).toEqual([{ total_charges: '70.00' }]);
  });
});

describe('at the final gate, with the wave frozen and converted', () => {
  beforeAll(() => billing.freeze(WAVE));

  it('passes at once when nothing is wrong and everybody says go', async () => {
    const gate = await PlayedGate.open(billing, WAVE, 'final');
    expect(gate.red).toEqual([]);
    expect(gate.passed).toBe(true);
    expect(gate.shown('owed')).toMatch(/^source (-?\d+(\.\d+)?), target \1;/);
    expect(Number(/source (\d+)/.exec(gate.shown('services') ?? '')?.[1])).toBeGreaterThan(0);
    expect(Number(/source (\d+)/.exec(gate.shown('work-in-hand') ?? '')?.[1])).toBeGreaterThan(0);
  });

  it.each([
    {
      measure: 'services',
      table: 'oss.service',
      row: `select ctid from oss.service where customer_no = '${OWN}' limit 1`,
      break: (row: string) => `delete from oss.service where ctid = (${row})`,
    },
    {
      measure: 'owed',
      table: 'billing.payment',
      row: `select ctid from billing.payment where customer_no <= 'C0000020' order by payment_no limit 1`,
      break: (row: string) => `update billing.payment set amount = amount + 0.01 where ctid = (${row})`,
    },
    {
      measure: 'work-in-hand',
      table: 'oss.work_order',
      row: `select ctid from oss.work_order where customer_no = '${OWN}' and state <> 'done' limit 1`,
      break: (row: string) => `delete from oss.work_order where ctid = (${row})`,
    },
  ])('$measure is red when one row of the copy is not what it was', async ({ measure, table, row, break: sql }) => {
    const before = await billing.pools.target.query<Record<string, unknown>>(`select * from ${table}`);
    expect(await billing.behindTheGuard(table, sql(row))).toBe(1);
    const gate = await PlayedGate.open(billing, WAVE, 'final');
    await provesRed(gate, [measure], async () => {
      await billing.behindTheGuard(table, `delete from ${table}`);
      await billing.behindTheGuard(
        table,
        `insert into ${table} select * from json_populate_recordset(null::${table}, '${JSON.stringify(before.rows).replaceAll("'", "''")}')`,
      );
    });
  });

  it('owed sees a whole payment that is at the target only', async () => {
    await billing.behindTheGuard(
      'billing.payment',
      `insert into billing.payment (payment_no, customer_no, amount, kind) values (9000001, '${OWN}', 0.01, 'transfer')`,
    );
    const gate = await PlayedGate.open(billing, WAVE, 'final');
    expect(gate.shown('owed')).toMatch(/may differ by 0$/);
    await provesRed(gate, ['owed'], () =>
      billing.behindTheGuard('billing.payment', 'delete from billing.payment where payment_no = 9000001'),
    );
  });

  it('refused is red beyond what was agreed; a write that meets the freeze counts by itself', async () => {
    const { control } = billing.pools;
    const body = JSON.stringify({ payload: { reference: 'r1', kind: 'change' } });
    // Sent before the wave froze, arriving after it.
    await control.query(`update control.wave set custody = 'source' where wave = $1`, [WAVE]);
    const sent = await accept(control, { cutover: CUTOVER, key: 'late', customer: OWN, kind: 'order', body });
    await control.query(`update control.wave set custody = 'moving' where wave = $1`, [WAVE]);
    if (sent.outcome !== 'forwarding') throw new Error(sent.outcome);
    const send = forwarder(billing.pools, CUTOVER, 2_000);
    expect(await send.forward(sent.request, 'source', billing.run.runbook.requests)).toBe('held');
    await recordRefusals(control, CUTOVER, 4_999, WAVE);
    expect((await PlayedGate.open(billing, WAVE, 'final')).passed).toBe(true);
    await recordRefusals(control, CUTOVER, 1, WAVE);
    const gate = await PlayedGate.open(billing, WAVE, 'final');
    expect(gate.shown('refused')).toBe('5001; at most 5000');
    // Refusals of the other wave are not this one's.
    await provesRed(gate, ['refused'], () =>
      control.query('update control.refusal set wave = 2 where ctid = (select ctid from control.refusal limit 1)'),
    );
  });

  it('a measure that cannot be read is red, and says which and why, while the others are read', async () => {
    const { target } = billing.pools;
    await target.query('alter table oss.service rename to service_gone');
    const gate = await PlayedGate.open(billing, WAVE, 'final');
    expect(gate.shown('services')).toMatch(/^cannot be read: measure at the target: PostgreSQL error 42P01: relation/);
    expect(gate.shown('owed')).toContain('may differ by 0');
    // The table is one of the conversion's: that it is gone shows by itself too.
    await provesRed(gate, ['services', 'guards', 'shapes'], () =>
      target.query('alter table oss.service_gone rename to service'),
    );
  });
});
