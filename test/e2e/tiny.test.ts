import { Night } from './support/night';
import { recordNight } from './support/record';
import { Stage } from './support/stage';
import { TINY_SOURCE_SQL, TINY_TARGET_SQL, tinyFillSql } from '../runbooks/tiny/schema';

jest.setTimeout(180_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('tiny');
});
afterAll(() => stage.close());
beforeEach(() =>
  stage.freshSystems(async ({ source, target }) => {
    await stage.query(source, TINY_SOURCE_SQL + tinyFillSql(200));
    await stage.query(target, TINY_TARGET_SQL);
  }),
);
afterEach(() => stage.stopChildren());

test('a second runbook of two tables and one wave goes live under the documented roles, and nothing of it is wired to billing', async () => {
  await stage.startWorkers();
  const night = new Night(stage, `live-${Date.now()}`);
  await night.start();
  const view = await night.play(90_000);
  expect(view?.outcome).toBe('live');
  expect(view?.waves[0]?.verification).toMatchObject({ mismatches: 0 });
  const [row] = await stage.query<{ clients: string; memos: string }>(
    stage.env['TARGET_URL'] ?? '',
    'select (select count(*) from shop.client) as clients, (select count(*) from shop.memo) as memos',
  );
  expect(row).toEqual({ clients: '200', memos: '600' });
  await recordNight('finished', night);
});
