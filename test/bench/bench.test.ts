import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlike } from '../../bench/company/expected';
import { fillSql, IMAGES, SOURCE_SQL, TARGET_SQL } from '../../bench/company/schema';
import { holds, ratioOf, type Line } from '../../bench/measure';
import { Place } from '../../bench/place';
import { moving } from '../../bench/moving';
import { keepTable } from '../../bench/table';
import { withClient } from '../../local/with-client';
import { freshDatabase } from '../support/databases';

const PATIENCE_MS = 300_000;
const CUSTOMERS = 2_000;

it(
  'moves its customers there and back at both sizes, with what SQL computes at each end, and gives every ratio',
  async () => {
    const place = Place.open();
    try {
      const lines = await moving({ place, customers: CUSTOMERS, rounds: 1, say: () => undefined });
      const count = (scenario: string): number => lines.filter((line) => line.scenario === scenario).length;
      expect(['conversion', 'live verification', 'downtime', 'rollback'].map(count)).toEqual([2, 2, 6, 2]);
      // Without psql the conversion has nothing to be compared with, and says so.
      for (const { value, figures } of lines) if (!figures.includes('no psql')) expect(value).toBeGreaterThanOrEqual(0);
    } finally {
      await place.close();
    }
  },
  PATIENCE_MS,
);

it('sees a row that is not what SQL computes', async () => {
  const [source, target] = [await freshDatabase('bench_source'), await freshDatabase('bench_target')];
  await withClient(source, (client) => client.query(SOURCE_SQL + fillSql(50)));
  await withClient(target, (client) => client.query(TARGET_SQL));
  expect(await unlike(source, target)).toHaveLength(IMAGES.length);
  for (const { source: old, target: fresh, columns } of IMAGES) {
    const rows = await withClient(source, async (client) => {
      await client.query(`set timezone = 'UTC'`);
      const images = await client.query<{ row: string }>(
        `select row_to_json(r)::text as row from (select ${old.select} from ${old.table} s) r(${columns.join(', ')})`,
      );
      return images.rows.map(({ row }) => row);
    });
    await withClient(target, (client) =>
      client.query(
        `insert into ${fresh.table} select r.* from unnest($1::json[]) j, json_populate_record(null::${fresh.table}, j) r`,
        [rows],
      ),
    );
  }
  expect(await unlike(source, target)).toEqual([]);
  await withClient(target, (client) => client.query('update fresh.payment set amount = amount + 0.01 where no = 7'));
  expect(await unlike(source, target)).toEqual([expect.stringMatching(/^fresh\.payment: /)]);
});

describe('the table', () => {
  const line: Line = { scenario: 's', what: 'w', figures: 'f', value: 1.5, unit: 'x', bar: { atMost: 1.5 } };

  it('says which bars are met, in both directions, and which were not measured', () => {
    expect(holds(line)).toBe(true);
    expect(holds({ ...line, value: 1.51 })).toBe(false);
    expect(holds({ ...line, bar: { atLeast: 1.6 } })).toBe(false);
    expect(holds({ ...line, value: null })).toBeNull();
  });

  it('takes ratios round by round, so that a slow moment does not count', () => {
    expect(ratioOf({ ours: [2, 20, 3], bare: [1, 10, 3] })).toEqual({ value: 2, spread: [1, 2] });
  });

  it('is kept between the marks of a document, which otherwise stays', () => {
    const dir = mkdtempSync(join(tmpdir(), 'bench-'));
    const file = join(dir, 'kept.md');
    try {
      writeFileSync(file, 'before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n');
      keepTable(file, 'heading', [line, { ...line, value: null }]);
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(
        /^before\n[^]*heading[^]*\| s \| w \| 1\.50 × \| ≤ 1\.50 × \| met \| f \|[^]*not measured[^]*\nafter\n$/,
      );
      expect(text).not.toContain('old');
      writeFileSync(file, 'no marks');
      expect(() => keepTable(file, 'heading', [line])).toThrow(/no place for the table/);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
