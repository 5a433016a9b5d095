import { readdirSync } from 'node:fs';
import type { Document } from 'yaml';
import type { POLICIES } from '../../workflows/policies';
import type { Script } from './support/night';
import { leftBehind, play } from './support/scene';
import { Stage } from './support/stage';

/** Everything is in `npm run kills`; the tests that belong to every run kill where it hurts most. */
const EVERYTHING = process.env['CUTOVER_KILLS'] === 'all';
const WITHIN_MS = EVERYTHING ? 600_000 : 240_000;
const CUSTOMERS = 100;
/** Longer than two workers, both dead, take to come back on a busy machine: a lapsed freeze is a matter of other tests. */
const LEASE = 'PT1M';

jest.setTimeout(WITHIN_MS + 60_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('kills');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

/** Workers die once at each moment; whatever dies, the run ends as it was meant to and no write is lost or doubled. */
async function survive(breakAt: string[], expected: 'live' | 'rolled-back', script: Script = {}): Promise<void> {
  const before = stage.deaths;
  const change = (runbook: Document): void => runbook.setIn(['limits', 'lease'], LEASE);
  await play(stage, { customers: CUSTOMERS, script, breakAt, change }, async (scene) => {
    const view = await scene.night.play(WITHIN_MS);
    await scene.writer.stop();
    expect(view).toMatchObject({ outcome: expected });
    expect(broken(scene.breakDir)).toEqual([...breakAt].sort());
    expect(stage.deaths - before).toBeGreaterThanOrEqual(breakAt.length);
    expect(expected === 'live' ? await scene.writer.audit('target') : await leftBehind(scene)).toEqual([]);
    expect(scene.writer.counts().acknowledged).toBeGreaterThan(20);
  });
}

/** The moments at which a worker died. */
const broken = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith('broke-'))
    .map((name) => name.replace('broke-', '').replace('-', ':'))
    .sort();

const FORWARD = [
  'loadRun',
  'openCutover',
  'startPreload',
  'preloadStream',
  'catchUp',
  'holdIntake',
  'drain',
  'freeze',
  'convert',
  'verify',
  'switchWave',
  'releaseIntake',
  'runAction',
  'notify',
  'recordUndo',
  'raiseEpoch',
  'readMeasures',
  'follow',
  'holdFreeze',
  'appendLedger',
  'saveView',
] as const satisfies (keyof typeof POLICIES)[];
const BACK = [
  'returnCustody',
  'thaw',
  'purgeCopy',
  'listUndo',
  'completeUndo',
  'verifyReturned',
  'closeCutover',
] as const satisfies (keyof typeof POLICIES)[];
/** These run until they are stopped: there is no moment after them. */
const UNENDING: readonly string[] = ['follow', 'holdFreeze'];

if (EVERYTHING) {
  for (const moment of ['before', 'during', 'after']) {
    const endings = (activity: string): boolean => moment !== 'after' || !UNENDING.includes(activity);
    for (const part of [FORWARD.slice(0, 7), FORWARD.slice(7, 14), FORWARD.slice(14)]) {
      const moments = part.filter(endings).map((activity) => `${activity}:${moment}`);
      test(`workers killed ${moment} ${part.join(', ')}: the wave goes live with every write`, () =>
        survive(moments, 'live'));
    }
    test(`workers killed ${moment} each part of a rollback after the switch: every write is back at the source`, () =>
      survive(
        [...BACK, 'runAction', 'releaseIntake'].map((activity) => `${activity}:${moment}`),
        'rolled-back',
        { rollbackAt: 'hypercare' },
      ));
  }
} else {
  test('workers killed inside freeze, conversion and switch: the wave goes live with every write', () =>
    survive(['freeze:after', 'convert:during', 'switchWave:after'], 'live'));
  test('workers killed inside a rollback after the switch: every write is back at the source', () =>
    survive(['returnCustody:during', 'purgeCopy:after'], 'rolled-back', { rollbackAt: 'hypercare' }));
}
