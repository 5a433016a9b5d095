import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'yaml';
import { runCli } from '../../cli/run-cli';
import type { RunView } from '../../engine/view';
import { CHANGES, COMPARISONS, WRITTEN_BACK } from '../bring-your-own/compare';
import { commandsOf, editFolder } from '../bring-your-own/follow-page';
import { makeSystems, SYSTEMS, type SystemName } from '../bring-your-own/systems';
import { fakeCli } from '../cli/support/fake-cli';
import { Night, type NightDocuments } from './support/night';
import { BILLING_PEOPLE } from './support/people';
import { Stage } from './support/stage';

jest.setTimeout(300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('bring-your-own');
});
afterAll(() => stage.close());
afterEach(() => stage.stopChildren());

/** Follows the page under the documented roles; the tables' owner runs the prepared SQL. */
async function followPage(name: SystemName): Promise<NightDocuments> {
  const owned = await stage.freshSystems(({ source, target }) => makeSystems(name, source, target));
  const dir = join(stage.dir, String(Date.now()));
  for (const args of commandsOf(name, dir)) {
    const cli = fakeCli(stage.env);
    expect([await runCli(args, cli), cli.stderr]).toEqual([0, '']);
  }
  const folder = join(dir, name);
  await editFolder(name, folder);
  for (const side of ['source', 'target'] as const) {
    const file = join(folder, `${side}.sql`);
    if (existsSync(file)) await stage.query(owned[side], readFileSync(file, 'utf8'));
  }
  const cli = fakeCli(stage.env);
  const args = ['check', join(folder, 'runbook.yaml'), '--plan', join(folder, 'plan.yaml'), '--live'];
  expect([await runCli(args, cli), cli.stdout]).toEqual([0, expect.stringContaining('all well')]);
  return { runbook: name, folder };
}

/** The gate `final` waits 15 minutes for its votes: this many times less here. */
const PACE = 60;

/** Tonight, at a pace, with the scripted people. */
function rehearse(runbook: Document, plan: Document): void {
  runbook.set('timeZone', 'UTC');
  runbook.setIn(['windows', 'night'], { opens: '00:00', lasts: 'PT24H' });
  plan.set('mode', 'rehearsal');
  plan.set('pace', PACE);
  plan.set('people', BILLING_PEOPLE);
}

const isWaiting = (wave: RunView | null, step: string): boolean =>
  wave?.steps.some((each) => each.id === step && each.status === 'waiting-people') ?? false;

test.each(SYSTEMS)(
  'the waves of the %s move as the page says, under the documented roles, with what changes meanwhile',
  async (name) => {
    const documents = await followPage(name);
    await stage.startWorkers();
    const id = `${name}-${Date.now()}`;
    const waiting = new Night(stage, id, { leave: ['go-night'] }, documents);
    await waiting.start(rehearse);
    await waiting.play(
      120_000,
      ({ wave }) => wave?.gates.some((gate) => gate.id === 'go-night' && gate.status === 'open') ?? false,
    );
    await stage.query(stage.env['SOURCE_URL'] ?? '', CHANGES[name]);
    const view = await new Night(stage, id, {}, documents).play(180_000);
    expect(view?.outcome).toBe('live');
    for (const { what, source, target, atLeast } of COMPARISONS[name]) {
      const [old, young] = await Promise.all([
        stage.query(stage.env['SOURCE_URL'] ?? '', source),
        stage.query(stage.env['TARGET_URL'] ?? '', target),
      ]);
      expect({ what, rows: young }).toEqual({ what, rows: old });
      expect(old.length).toBeGreaterThanOrEqual(atLeast);
    }
  },
);

test('what the new system took comes back the way the page says, through a query too', async () => {
  const documents = await followPage('library');
  await stage.startWorkers();
  const id = `library-back-${Date.now()}`;
  const waiting = new Night(stage, id, { leave: ['smoke'] }, documents);
  await waiting.start((runbook, plan) => {
    rehearse(runbook, plan);
    plan.set('waves', [{ id: 'all' }]);
  });
  await waiting.play(180_000, ({ wave }) => isWaiting(wave, 'smoke'));
  const before = await stage.query(stage.env['SOURCE_URL'] ?? '', WRITTEN_BACK.source);
  await stage.query(stage.env['TARGET_URL'] ?? '', WRITTEN_BACK.changes);
  const view = await new Night(stage, id, { rollbackAt: 'smoke' }, documents).play(180_000);
  expect(view?.outcome).toBe('rolled-back');
  expect(before).toEqual([]);
  expect(await stage.query(stage.env['SOURCE_URL'] ?? '', WRITTEN_BACK.source)).toEqual(WRITTEN_BACK.rows);
  const [left] = await stage.query(
    stage.env['TARGET_URL'] ?? '',
    'select count(*)::int as rows from circulation.lending',
  );
  expect(left).toEqual({ rows: 0 });
});
