import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'yaml';
import { POLICIES } from '../../workflows/policies';
import { Night, type Script } from './support/night';
import { Stage } from './support/stage';
import { Writer } from './support/writer';

/** Everything is in `npm run kills`; the tests that belong to every run kill where it hurts most. */
const EVERYTHING = process.env['CUTOVER_KILLS'] === 'all';
const WITHIN_MS = EVERYTHING ? 600_000 : 240_000;
const CUSTOMERS = 100;

jest.setTimeout(WITHIN_MS + 60_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('kills');
});
afterAll(() => stage.close());
beforeEach(() => stage.freshDatabases(CUSTOMERS));
afterEach(() => stage.stopChildren());

/** The tiny runbook with the kinds of step it does not need by itself. */
function everyKind(runbook: Document): void {
  runbook.setIn(
    ['before'],
    runbook.createNode([
      {
        phase: 'ready',
        owner: 'owner',
        steps: [
          { kind: 'task', signedBy: ['owner', 'ops'] },
          { kind: 'checklist', items: ['One', 'Two'] },
        ],
        gate: { id: 'prepared', votes: ['owner'], onNoGo: 'hold' },
      },
    ]),
  );
  const steps = runbook.getIn(['perWave', 1, 'steps']) as { items: unknown[] };
  steps.items.unshift(
    runbook.createNode({ id: 'opens', kind: 'window', window: 'always' }),
    runbook.createNode({ kind: 'notify', to: ['ops'], text: 'It begins.' }),
    runbook.createNode({
      id: 'stop-jobs',
      kind: 'action',
      system: 'source',
      do: 'create table tiny.stopped ()',
      undo: 'drop table tiny.stopped',
      go: 'lead',
    }),
  );
}

/** Workers die once at each moment; whatever dies, the run ends as it was meant to and no write is lost or doubled. */
async function survive(moments: string[], expected: 'live' | 'rolled-back', script: Script = {}): Promise<void> {
  const id = `kill-${Date.now()}`;
  const breakDir = join(stage.dir, id);
  mkdirSync(breakDir, { recursive: true });
  const writer = new Writer(stage.env, CUSTOMERS);
  const before = stage.deaths;
  await stage.startWorkers({ BREAK_AT: moments.join(','), BREAK_DIR: breakDir });
  const night = new Night(stage, id, script);
  writer.start();
  try {
    await night.start(everyKind);
    const view = await night.play(WITHIN_MS);
    await writer.stop();
    expect(view?.outcome).toBe(expected);
    expect(await writer.audit(expected === 'live' ? 'target' : 'source')).toEqual([]);
    expect(stage.deaths - before).toBeGreaterThanOrEqual(moments.length);
    expect(writer.counts().acknowledged).toBeGreaterThan(20);
  } finally {
    await writer.stop();
    await writer.close();
  }
}

const FORWARD = [
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
    for (const part of [FORWARD.slice(0, 6), FORWARD.slice(6, 12), FORWARD.slice(12)]) {
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
