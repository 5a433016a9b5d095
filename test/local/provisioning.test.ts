import { Pool } from 'pg';
import PgBoss from 'pg-boss';
import { fillLegacy } from '../../local/legacy/fill';
import { Provisioning } from '../../local/legacy/provisioning';
import { guardTables, install, seedWaves } from '../../systems/postgres/schema';
import { freshDatabase } from '../support/databases';
import { waitUntil } from '../support/wait-until';

let pool: Pool;
let boss: PgBoss;
let office: Provisioning;
let running: Promise<void>;
const reports: string[] = [];

beforeAll(async () => {
  const url = await freshDatabase('office');
  await fillLegacy(url, { customers: 400, seed: 1 });
  pool = new Pool({ connectionString: url, max: 4 });
  await install(pool, 'source');
  await seedWaves(pool, 'source', [{ wave: 1, name: 'all' }]);
  await guardTables(pool, [{ table: 'legacy.work_order', keyColumns: ['order_id'], customerColumn: 'customer_id' }]);
  boss = new PgBoss({ connectionString: url, max: 2, supervise: false, schedule: false });
  await boss.start();
  office = new Provisioning(pool, boss, (text) => reports.push(text));
});

afterAll(async () => {
  office.stop();
  await running;
  await boss.stop({ graceful: false, wait: true });
  await pool.end();
});

const number = async (sql: string): Promise<number> => Number((await pool.query<{ n: string }>(sql)).rows[0]?.n);
const open = (): Promise<number> => number("select count(*) n from legacy.work_order where state <> 'done'");
const queued = (): Promise<number> =>
  number("select count(*) n from pgboss.job where name = 'provisioning' and state < 'completed'");
const order = (id: string, customer: string): Promise<unknown> =>
  pool.query("insert into legacy.work_order (order_id, customer_id, kind) values ($1, $2, 'repair')", [id, customer]);

describe('the legacy back office', () => {
  it('finishes what came through the queue and what was typed in directly', async () => {
    expect(await open()).toBeGreaterThan(0);
    await order('900001', 'C0000001');
    await pool.query("select legacy.enqueue_provisioning('900001', 'C0000001')");
    expect(await queued()).toBeGreaterThan(0);
    running = office.run();
    await waitUntil(async () => (await open()) === 0 && (await queued()) === 0);
    expect(office.counts.failed).toBe(0);
  });

  it('tries a refused order again, message or not, until the freeze is over, and never marks it done before', async () => {
    await order('900002', 'C0000002');
    await pool.query(
      "update cutover.wave set state = 'frozen', lease_until = clock_timestamp() + interval '1 hour' where wave = 1",
    );
    await pool.query("select legacy.enqueue_provisioning('900002', 'C0000002')");
    await waitUntil(
      async () =>
        office.counts.refused >= 2 && (await number("select count(*) n from pgboss.job where state = 'retry'")) === 1,
    );
    expect(await open()).toBe(1);
    await pool.query("update cutover.wave set state = 'open', lease_until = null where wave = 1");
    await waitUntil(async () => (await open()) === 0 && (await queued()) === 0);
    expect(reports).toEqual([]);
  });
});
