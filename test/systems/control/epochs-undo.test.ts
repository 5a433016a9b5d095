import type { Pool } from 'pg';
import { currentEpoch, nextEpoch } from '../../../systems/control/epochs';
import {
  completeUndo,
  keepUndo,
  forgetKept,
  keptForNobody,
  listUndo,
  pendingUndo,
  recordUndo,
} from '../../../systems/control/undo';
import { controlDatabase } from './control-database';

let control: Pool;
beforeAll(async () => {
  control = await controlDatabase('undo');
});
afterAll(() => control.end());

const ref = (cutover: string, epoch: number, step = 'freeze', wave: number | null = 1) => ({
  cutover,
  wave,
  step,
  occurrence: 1,
  epoch,
});

test('epochs are unique, grow, and the highest stays the current one of its wave', async () => {
  expect(await currentEpoch(control, 'c1', 1)).toBe(0);
  const taken = await Promise.all(Array.from({ length: 20 }, () => nextEpoch(control, 'c1', 1)));
  expect(new Set(taken).size).toBe(20);
  expect(await currentEpoch(control, 'c1', 1)).toBe(Math.max(...taken));
  const whole = await nextEpoch(control, 'c1', null);
  expect(await currentEpoch(control, 'c1', null)).toBe(whole);
  expect(await currentEpoch(control, 'c1', 1)).toBe(Math.max(...taken));
});

test('undo rows come newest first, per wave, until they are done', async () => {
  const epoch = await nextEpoch(control, 'c2', 1);
  await recordUndo(control, ref('c2', epoch, 'intake'), 'intake');
  await recordUndo(control, ref('c2', epoch, 'freeze'), 'freeze');
  await recordUndo(control, ref('c2', epoch, 'freeze'), 'freeze');
  await recordUndo(control, ref('c2', 0, 'stop-jobs', null), 'action');
  const raised = await nextEpoch(control, 'c2', 1);
  const rows = await listUndo(control, 'c2', 1);
  expect(rows.map((row) => row.step)).toEqual(['freeze', 'intake']);
  expect((await listUndo(control, 'c2', null)).map((row) => [row.step, row.wave])).toEqual([['stop-jobs', null]]);
  expect(await completeUndo(control, rows[0]!.seq, raised)).toEqual({ outcome: 'done' });
  expect(await completeUndo(control, rows[0]!.seq, raised)).toEqual({ outcome: 'done' });
  expect((await listUndo(control, 'c2', 1)).map((row) => row.step)).toEqual(['intake']);
});

test('after the epoch was raised, an older attempt can neither record an undo nor complete one', async () => {
  const old = await nextEpoch(control, 'c3', 1);
  await recordUndo(control, ref('c3', old), 'freeze');
  await nextEpoch(control, 'c3', 1);
  expect(await recordUndo(control, ref('c3', old, 'switch'), 'switch')).toEqual({ outcome: 'stale' });
  const [row] = await listUndo(control, 'c3', 1);
  expect(await completeUndo(control, row!.seq, old)).toEqual({ outcome: 'stale' });
  expect(await listUndo(control, 'c3', 1)).toHaveLength(1);
  expect(await completeUndo(control, 987_654, old)).toEqual({ outcome: 'unknown' });
});

test('an undo row being written while the epoch is raised is either refused or seen by the list that follows', async () => {
  const epoch = await nextEpoch(control, 'c4', 1);
  for (let i = 0; i < 30; i++) {
    const at = { ...ref('c4', i === 0 ? epoch : await currentEpoch(control, 'c4', 1)), occurrence: i };
    const [recorded, listed] = await Promise.all([
      recordUndo(control, at, 'freeze'),
      nextEpoch(control, 'c4', 1).then(() => listUndo(control, 'c4', 1)),
    ]);
    expect(listed.some((row) => row.occurrence === i)).toBe(recorded.outcome === 'recorded');
  }
});

test('an effect that happens again after its undo was done is listed again, as the newest', async () => {
  const first = await nextEpoch(control, 'c5', 1);
  await recordUndo(control, ref('c5', first, 'intake'), 'intake');
  await recordUndo(control, ref('c5', first, 'freeze'), 'freeze');
  const back = await nextEpoch(control, 'c5', 1);
  for (const row of await listUndo(control, 'c5', 1)) await completeUndo(control, row.seq, back);
  expect(await listUndo(control, 'c5', 1)).toEqual([]);
  const again = await nextEpoch(control, 'c5', 1);
  await recordUndo(control, ref('c5', again, 'freeze'), 'freeze');
  await recordUndo(control, ref('c5', again, 'intake'), 'intake');
  expect((await listUndo(control, 'c5', 1)).map((row) => row.step)).toEqual(['intake', 'freeze']);
});

test('a kept effect is not pending, stays for the next run, and comes last again when that run does it anew', async () => {
  const epoch = await nextEpoch(control, 'c6', 1);
  for (const step of ['preload', 'freeze']) await recordUndo(control, ref('c6', epoch, step), step);
  const back = await nextEpoch(control, 'c6', 1);
  expect(await keepUndo(control, ref('c6', epoch, 'preload'), 'preload')).toEqual({ outcome: 'stale' });
  expect(await keepUndo(control, ref('c6', back, 'preload'), 'preload')).toEqual({ outcome: 'kept' });
  expect((await listUndo(control, 'c6', 1)).map(({ step, kept }) => [step, kept])).toEqual([
    ['freeze', false],
    ['preload', true],
  ]);
  expect(await pendingUndo(control, 'c6')).toBe(1);
  const next = await nextEpoch(control, 'c6', 1);
  await recordUndo(control, ref('c6', next, 'preload'), 'preload');
  expect((await listUndo(control, 'c6', 1)).map(({ step, kept }) => [step, kept])).toEqual([
    ['preload', false],
    ['freeze', false],
  ]);
});

test('what was kept for a cutover that has ended since is for nobody', async () => {
  const epoch = await nextEpoch(control, 'c7', 1);
  await recordUndo(control, ref('c7', epoch, 'preload'), 'preload');
  await keepUndo(control, ref('c7', epoch, 'preload'), 'preload');
  await control.query(
    `insert into control.cutover (cutover, runbook, runbook_hash, plan_hash, started_by, workflow_id)
       values ('c7', 'r', 'h', 'h', 'ada', 'cutover/r/c7');
     insert into control.wave (cutover, wave, name, custody, intake) values ('c7', 1, 'one', 'source', 'open')`,
  );
  expect(await keptForNobody(control)).toEqual([]);
  await control.query(`update control.cutover set outcome = 'rolled-back' where cutover = 'c7'`);
  expect(await keptForNobody(control)).toEqual([{ cutover: 'c7', workflowId: 'cutover/r/c7', wave: 1 }]);
});

test('what another cutover takes the place of is not undone any more, unless its own has gone on from it', async () => {
  const epoch = await nextEpoch(control, 'c8', 1);
  await recordUndo(control, ref('c8', epoch, 'preload'), 'preload');
  await forgetKept(control, 'c8', 1);
  expect(await pendingUndo(control, 'c8')).toBe(1);
  await keepUndo(control, ref('c8', epoch, 'preload'), 'preload');
  await forgetKept(control, 'c8', 1);
  expect(await listUndo(control, 'c8', 1)).toEqual([]);
});
