import type { Pool } from 'pg';
import { getDocument, putDocument } from '../../../systems/control/documents';
import { closeCutover, getCutover, listCutovers, registerCutover } from '../../../systems/control/cutovers';
import { readResults, saveResult } from '../../../systems/control/results';
import { keepLastView, keepView, readViews } from '../../../systems/control/views';
import { installControl } from '../../../systems/control/schema';
import { controlDatabase } from './control-database';

let control: Pool;
beforeAll(async () => {
  control = await controlDatabase('registry');
});
afterAll(() => control.end());

const run = {
  cutover: 'night-1',
  runbook: 'billing',
  runbookHash: 'a'.repeat(64),
  planHash: 'b'.repeat(64),
  startedBy: 'lea',
  workflowId: 'cutover/billing/night-1',
};

test('installing again, several at once, changes nothing', async () => {
  await putDocument(control, 'plan', 'kept');
  await Promise.all([installControl(control), installControl(control), installControl(control)]);
  const { rows } = await control.query<{ n: number }>('select count(*)::int as n from control.document');
  expect(rows[0]?.n).toBe(1);
});

test('a document is found by the hash of its text, and one changed in the table is not handed out', async () => {
  const hash = await putDocument(control, 'runbook', 'runbook: x\n');
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await putDocument(control, 'runbook', 'runbook: x\n')).toBe(hash);
  expect(await getDocument(control, hash)).toEqual({ hash, kind: 'runbook', body: 'runbook: x\n' });
  expect(await getDocument(control, '0'.repeat(64))).toBeNull();
  await control.query(`update control.document set body = 'runbook: y' where hash = $1`, [hash]);
  await expect(getDocument(control, hash)).rejects.toThrow(`document ${hash} was changed after it was stored`);
});

test('a run is registered once; another runbook or plan under its id is refused', async () => {
  expect(await registerCutover(control, run)).toEqual({ outcome: 'registered' });
  expect(await registerCutover(control, run)).toEqual({ outcome: 'registered' });
  const other = await registerCutover(control, { ...run, planHash: 'c'.repeat(64) });
  expect(other.outcome).toBe('refused');
  expect((await getCutover(control, 'night-1'))?.planHash).toBe(run.planHash);
});

test('a closed run keeps its first outcome and is listed, newest first', async () => {
  await registerCutover(control, { ...run, cutover: 'night-2' });
  await closeCutover(control, 'night-1', 'live');
  await closeCutover(control, 'night-1', 'aborted');
  const listed = await listCutovers(control);
  expect(listed.map((each) => [each.cutover, each.outcome])).toEqual([
    ['night-2', null],
    ['night-1', 'live'],
  ]);
  expect(listed[1]?.closedAt).toBeInstanceOf(Date);
});

test('a view replaces those before it, and none that comes late; the last one of a run replaces all', async () => {
  const shown = (phase: string, wave: number | null = null) =>
    ({ cutover: 'night-1', wave, kind: 'run', body: JSON.stringify({ phase }) }) as const;
  const at = (run: string, hour: number, events: number) =>
    ({ chain: 'first', run, started: new Date(Date.UTC(2026, 0, 1, hour)), events }) as const;
  const kept = async () => (await readViews(control, 'night-1')).map(({ wave, kind, body }) => [wave, kind, body]);
  await keepView(control, shown('night'), at('first', 20, 20));
  await keepView(control, shown('before'), at('first', 20, 10));
  expect(await kept()).toEqual([[null, 'run', { phase: 'night' }]]);
  await keepView(control, shown('after'), at('continued', 22, 3));
  await keepView(control, shown('reset'), at('reset', 22, 2));
  await keepView(control, { ...shown('back'), kind: 'rollback' }, at('rollback', 23, 3));
  await keepView(control, shown('late'), at('first', 20, 30));
  await keepView(
    control,
    { ...shown('x'), wave: 3, body: JSON.stringify({ phase: 'a\0b\ud800' }) },
    at('third', 23, 3),
  );
  await keepLastView(control, shown('ended', 2));
  expect(await kept()).toEqual([
    [null, 'rollback', { phase: 'back' }],
    [null, 'run', { phase: 'reset' }],
    [2, 'run', { phase: 'ended' }],
    [3, 'run', { phase: 'a\0b\ud800' }],
  ]);
  await keepLastView(control, shown('ended'));
  expect((await readViews(control, 'night-1'))[1]).toMatchObject({ chain: 'first', body: { phase: 'ended' } });
});

test('results are kept per wave; a retried one replaces', async () => {
  const result = { cutover: 'night-1', wave: null, step: 'verify', occurrence: 1, kind: 'verify' };
  await saveResult(control, { ...result, result: { rows: 1 } });
  await saveResult(control, { ...result, result: { rows: 2 } });
  await saveResult(control, { ...result, wave: 1, result: { rows: 3 } });
  expect((await readResults(control, 'night-1')).map((each) => [each.wave, each.result])).toEqual([
    [null, { rows: 2 }],
    [1, { rows: 3 }],
  ]);
});
