import { join } from 'node:path';
import { Client } from 'pg';
import { fillLegacy } from '../../../../local/legacy/fill';
import { createTarget } from '../../../../local/target/schema';
import { loadRunbook } from '../../../../runbooks/load';
import { connect } from '../../../../systems/postgres/connect';
import { census } from '../../../../systems/postgres/data/census';
import { compileConversion, guardedTables } from '../../../../systems/postgres/data/compile';
import { installData } from '../../../../systems/postgres/data/install';
import { quarantine } from '../../../../systems/postgres/data/quarantine';
import { verifyWave } from '../../../../systems/postgres/data/verify';
import { guardTables, install, seedWaves } from '../../../../systems/postgres/schema';
import { freshDatabase } from '../../../support/databases';
import { raise } from './example';
import { preload, settle } from './steps';

const RUNBOOK = join(__dirname, '../../../../runbooks/billing-oss/runbook.yaml');
const CUSTOMERS = 400;

it('moves the customers of the billing runbook and proves every row', async () => {
  const urls = { source: await freshDatabase('billing_source'), target: await freshDatabase('billing_target') };
  await fillLegacy(urls.source, { customers: CUSTOMERS, seed: 3 });
  const client = new Client(urls.target);
  await client.connect();
  await createTarget(client);
  await client.end();
  const pair = {
    source: connect(urls.source, { applicationName: 'billing test' }),
    target: connect(urls.target, { applicationName: 'billing test' }),
  };
  const { runbook, conversion, findings } = await loadRunbook(RUNBOOK);
  if (!runbook || !conversion) throw new Error(`the runbook does not load: ${JSON.stringify(findings)}`);
  for (const side of ['source', 'target'] as const) {
    await install(pair[side], side);
    await seedWaves(pair[side], side, [{ wave: 1, name: 'all' }]);
  }
  const compiled = await compileConversion(conversion, pair);
  await installData(pair, runbook.population);
  for (const side of ['source', 'target'] as const) {
    await guardTables(pair[side], guardedTables(compiled, side));
    await raise(pair[side], [1], 1);
  }
  const { rows } = await pair.source.query<{ id: string }>('select customer_id as id from legacy.customer');
  const { customers } = await quarantine(pair.source, compiled, 1);
  for (const side of ['source', 'target'] as const) {
    await pair[side].query('insert into cutover.member select unnest($1::text[]), 1, true', [rows.map(({ id }) => id)]);
    await pair[side].query('update cutover.member set wave = 0 where customer = any ($1)', [customers]);
  }
  await preload({ pair, compiled }, 1, 500);
  await settle({ pair, compiled }, 1);
  const totals = Object.entries(runbook.totals).map(([id, total]) => ({ id, ...total }));
  const proven = await verifyWave(pair, compiled, 1, 1, { scope: 'frozen', totals });
  expect(proven).toMatchObject({ mismatches: 0, findings: [], totals: totals.map(({ id }) => ({ id, equal: true })) });
  expect(await census(pair, runbook.population)).toMatchObject({
    baseline: CUSTOMERS,
    missing: 0,
    duplicated: 0,
    excluded: customers.length,
  });
  await Promise.all([pair.source.end(), pair.target.end()]);
});
