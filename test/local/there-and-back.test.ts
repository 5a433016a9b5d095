import type { Pool } from 'pg';
import { fillLegacy } from '../../local/legacy/fill';
import { createTarget } from '../../local/target/schema';
import { withClient } from '../../local/with-client';
import { connect } from '../../systems/postgres/connect';
import { postgresCustody } from '../../systems/postgres/custody';
import { carryBackPass } from '../../systems/postgres/data/carry-back';
import { planChunks } from '../../systems/postgres/data/chunks';
import { compileConversion, guardedTables } from '../../systems/postgres/data/compile';
import type { CompiledConversion } from '../../systems/postgres/data/compiled';
import { installData } from '../../systems/postgres/data/install';
import { runPass } from '../../systems/postgres/data/pass';
import { startPosition } from '../../systems/postgres/data/position';
import { preloadChunk } from '../../systems/postgres/data/preload';
import { quarantine } from '../../systems/postgres/data/quarantine';
import { copyReference } from '../../systems/postgres/data/reference';
import { alignTargetSequences } from '../../systems/postgres/data/sequences';
import { verifyWave } from '../../systems/postgres/data/verify';
import { assignMembers, guardTables, install, seedWaves } from '../../systems/postgres/schema';
import { freshDatabase } from '../support/databases';
import { readFolder } from '../support/local-documents';

/** The last wave, which newcomers belong to. */
const WAVE = 2;
const EPOCH = 1;

const { runbook, conversion } = readFolder('runbooks/billing-oss');
if (!runbook || !conversion) throw new Error('the documents cannot be read');
const totals = Object.entries(runbook.totals).map(([id, total]) => ({ id, ...total }));

let pair: { source: Pool; target: Pool };
let compiled: CompiledConversion;

beforeAll(async () => {
  const [source, target] = [await freshDatabase('there'), await freshDatabase('back')];
  await fillLegacy(source, { customers: 800, seed: 2 });
  await withClient(target, createTarget);
  pair = { source: connect(source, { applicationName: 'test' }), target: connect(target, { applicationName: 'test' }) };
  for (const side of ['source', 'target'] as const) {
    await install(pair[side], side);
    await seedWaves(pair[side], side, [
      { wave: 1, name: 'pilot' },
      { wave: WAVE, name: 'rest' },
    ]);
  }
  compiled = await compileConversion(conversion, pair);
  await installData(pair, runbook.population);
  const { rows } = await pair.source.query<{ id: string }>('select customer_id as id from legacy.customer order by 1');
  const ids = rows.map(({ id }) => id);
  for (const side of ['source', 'target'] as const) {
    await guardTables(pair[side], guardedTables(compiled, side));
    await assignMembers(pair[side], WAVE, ids.slice(0, 500));
    await assignMembers(pair[side], 1, ids.slice(500));
    await pair[side].query("update cutover.fence set epoch = $1 where key = 'wave/2'", [EPOCH]);
  }
  const { customers } = await quarantine(pair.source, compiled, WAVE);
  for (const side of ['source', 'target'] as const) await postgresCustody(pair[side]).moveMembers(customers, 0);
});

afterAll(() => Promise.all([pair.source.end(), pair.target.end()]));

async function settle(pass: typeof runPass): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const done = await pass(pair, compiled, WAVE, EPOCH);
    if (done.outcome !== 'applied') throw new Error(done.outcome);
    if (done.lagRows === 0) return;
  }
  throw new Error('the log does not run empty');
}

const state = (pool: Pool, to: string): Promise<unknown> =>
  pool.query('update cutover.wave set state = $2, lease_until = null where wave = $1', [WAVE, to]);

/** Each row of the legacy system as text, by table and key. */
async function legacyRows(): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (const { table, keyColumns } of guardedTables(compiled, 'source')) {
    const found = await pair.source.query<{ key: string; line: string }>(
      `select concat_ws('/', ${keyColumns.join(', ')}) as key, t::text as line from ${table} t`,
    );
    for (const { key, line } of found.rows) rows.set(`${table} ${key}`, line);
  }
  return rows;
}

const proven = async (scope: 'live' | 'frozen'): Promise<void> => {
  const result = await verifyWave(pair, compiled, WAVE, EPOCH, { scope, totals, chunkRows: 500 });
  if ('outcome' in result) throw new Error('another epoch is there');
  expect(result.findings).toEqual([]);
  expect(result.mismatches).toBe(0);
  expect(result.entities.filter(({ entity }) => entity !== 'effect').every(({ rows }) => rows > 0)).toBe(true);
  expect(result.totals.map(({ equal }) => equal)).toEqual([true, true]);
};

/** Two customers of the wave with everything, and what is done to them at the target, by table. */
const TARGET_WRITES = `
  update crm.customer set email = 'moved@example.net', total_charges = 12.30, reference = 'w1' where customer_no = 'C0000003';
  update billing.account set paperless = not paperless, payment_method = 'credit-card' where customer_no = 'C0000003';
  delete from oss.service where customer_no = 'C0000004' and product_code <> 'phone';
  insert into oss.service values ('C0000005', 'tech-support', '') on conflict do nothing;
  update oss.agreement set ends = '2026-12-31' where customer_no = 'C0000003' and ends is null;
  insert into billing.invoice (invoice_no, customer_no, amount, issued, due, reference)
    values (nextval('billing.invoice_seq'), 'C0000003', 10.50, '2026-11-22', '2026-12-13', 'w2');
  insert into billing.invoice_line select invoice_no, 1, 'C0000003', 'Subscription', 10.50, 'w2' from billing.invoice where reference = 'w2';
  insert into billing.payment (payment_no, customer_no, invoice_no, amount, kind, reference)
    select nextval('billing.payment_seq'), 'C0000003', invoice_no, 10.50, 'transfer', 'w3' from billing.invoice where reference = 'w2';
  delete from billing.payment where customer_no = 'C0000006';
  delete from billing.invoice_line where customer_no = 'C0000006';
  delete from billing.invoice where customer_no = 'C0000006';
  insert into oss.work_order (order_no, customer_no, kind, reference) values (nextval('oss.order_seq'), 'C0000003', 'repair', 'w4');
  insert into care.ticket (ticket_no, customer_no, subject, reference) values (nextval('care.ticket_seq'), 'C0000003', 'No dial tone', 'w5');
  delete from care.ticket where customer_no = 'C0000007';`;

/** A customer born in the target. */
const BIRTH = `
  insert into crm.customer (customer_no, full_name, total_charges, reference) values ('N1', 'Born There', 3.00, 'w6');
  insert into billing.account values ('N1', true, 'bank-transfer');
  insert into oss.service values ('N1', 'phone', 'single'), ('N1', 'internet', 'fiber');
  insert into oss.agreement (agreement_no, customer_no, kind, product_code, starts, reference)
    values (nextval('oss.agreement_seq'), 'N1', 'one-year', 'plan-1y', '2026-11-22', 'w6');`;

it('the billing conversion takes a wave there while it is written to, and brings back what was done there', async () => {
  await copyReference(pair, compiled, WAVE, EPOCH);
  await alignTargetSequences(pair, compiled);
  expect(await startPosition(pair, WAVE, EPOCH)).toHaveProperty('position');
  await pair.source.query(
    "update legacy.customer set total_charges = '77.1', note = 'just changed' where customer_id = 'C0000010'",
  );
  for (const chunk of await planChunks(compiled, pair.source, WAVE, 400))
    expect(await preloadChunk(pair, compiled, { ...chunk, wave: WAVE, epoch: EPOCH })).toMatchObject({
      outcome: 'done',
    });
  await pair.source
    .query(`update legacy.service set internet = 'DSL', streaming_tv = 'Yes' where customer_id = 'C0000011';
    delete from legacy.ticket where customer_id = 'C0000012';
    insert into legacy.payment (payment_id, customer_id, amount, kind) values (nextval('legacy.payment_seq')::text, 'C0000013', '-1.00', 'reversal')`);
  await settle(runPass);
  await proven('live');
  await pair.source.query("update legacy.work_order set state = 'busy' where customer_id = 'C0000014'");
  await pair.source.query(
    "update cutover.wave set state = 'frozen', lease_until = clock_timestamp() + interval '1 hour' where wave = 2",
  );
  await settle(runPass);
  await proven('frozen');

  const before = await legacyRows();
  await state(pair.source, 'sealed');
  await state(pair.target, 'open');
  await pair.target.query(TARGET_WRITES);
  await pair.target.query(BIRTH);
  await state(pair.target, 'sealed');
  await settle(carryBackPass);

  await proven('frozen');
  const after = await legacyRows();
  const changed = [...after].filter(([key, line]) => before.get(key) !== line).map(([key]) => key);
  const gone = [...before.keys()].filter((key) => !after.has(key));
  const owners = ['C0000003', 'C0000004', 'C0000005', 'N1'];
  for (const table of ['customer', 'service', 'contract', 'invoice', 'invoice_line', 'payment', 'work_order', 'ticket'])
    expect([table, changed.some((key) => key.startsWith(`legacy.${table} `))]).toEqual([table, true]);
  const touched = changed
    .filter((key) => /^legacy\.(customer|service) /.test(key))
    .map((key) => key.split(' ')[1] ?? '');
  expect(new Set(touched)).toEqual(new Set(owners));
  expect(gone.every((key) => /^legacy\.(payment|invoice|invoice_line|ticket) /.test(key))).toBe(true);
  expect(gone.length).toBeGreaterThan(0);
  const { rows } = await pair.source.query<{
    total_charges: string;
    payment_method: string;
    tenure: string;
    internet: string;
  }>(
    "select total_charges, payment_method, tenure, internet from legacy.customer join legacy.service using (customer_id) where customer_id = 'N1'",
  );
  expect(rows).toEqual([
    { total_charges: '3.00', payment_method: 'Bank transfer (automatic)', tenure: '0', internet: 'Fiber optic' },
  ]);
  const kept = await pair.source.query(
    "select total_charges, note from legacy.customer where customer_id = 'C0000010'",
  );
  expect(kept.rows).toEqual([{ total_charges: '77.1', note: 'just changed' }]);
});
