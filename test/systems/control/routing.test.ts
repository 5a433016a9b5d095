import type { Pool } from 'pg';
import { locate, projectMembers, readWave, seedRouting, setCustody, setIntake } from '../../../systems/control/routing';
import { controlDatabase } from './control-database';

let control: Pool;
beforeAll(async () => {
  control = await controlDatabase('routing');
  await seedRouting(control, 'c', [
    { wave: 1, name: 'pilot' },
    { wave: 2, name: 'rest' },
  ]);
  await projectMembers(control, 'c', ['1001', '1002', '1001'], 1);
});
afterAll(() => control.end());

test('a customer is served where the wave is; one without a member row belongs to the last wave', async () => {
  expect(await locate(control, 'c', '1001')).toEqual({ wave: 1, name: 'pilot', custody: 'source', intake: 'open' });
  expect((await locate(control, 'c', 'nobody knows')).name).toBe('rest');
  await expect(locate(control, 'other', '1001')).rejects.toThrow('control knows no waves of cutover other');
});

test('one row moves a whole wave; a lower epoch changes nothing any more', async () => {
  expect(await setCustody(control, { cutover: 'c', wave: 1, custody: 'moving', epoch: 5 })).toEqual({
    outcome: 'done',
  });
  expect(await setCustody(control, { cutover: 'c', wave: 1, custody: 'source', epoch: 4 })).toEqual({
    outcome: 'stale',
  });
  expect(await setIntake(control, { cutover: 'c', wave: 1, intake: 'held', epoch: 4 })).toEqual({ outcome: 'stale' });
  expect(await setIntake(control, { cutover: 'c', wave: 1, intake: 'held', epoch: 5 })).toEqual({ outcome: 'done' });
  expect(await locate(control, 'c', '1002')).toMatchObject({ custody: 'moving', intake: 'held' });
  expect(await readWave(control, 'c', 2)).toMatchObject({ custody: 'source', intake: 'open', epoch: 0 });
  await expect(setCustody(control, { cutover: 'c', wave: 9, custody: 'target', epoch: 9 })).rejects.toThrow(
    'no wave 9',
  );
});

test('an attempt that wakes after its wave has settled neither sends it on the way again nor holds its intake', async () => {
  const ref = { cutover: 'late', wave: 1, epoch: 3 };
  await seedRouting(control, 'late', [{ wave: 1, name: 'pilot' }]);
  for (const custody of ['moving', 'moving', 'target'] as const)
    expect(await setCustody(control, { ...ref, custody })).toEqual({ outcome: 'done' });
  for (const intake of ['held', 'open'] as const)
    expect(await setIntake(control, { ...ref, intake })).toEqual({ outcome: 'done' });
  expect(await setCustody(control, { ...ref, custody: 'moving' })).toEqual({ outcome: 'stale' });
  expect(await setIntake(control, { ...ref, intake: 'held' })).toEqual({ outcome: 'stale' });
  expect(await readWave(control, 'late', 1)).toMatchObject({ custody: 'target', intake: 'open' });
  expect(await setCustody(control, { ...ref, epoch: 4, custody: 'moving' })).toEqual({ outcome: 'done' });
  expect(await setIntake(control, { ...ref, epoch: 4, intake: 'held' })).toEqual({ outcome: 'done' });
});

test('seeding again keeps custody, and an excluded customer is served by the source for ever', async () => {
  await seedRouting(control, 'c', [{ wave: 1, name: 'pilot' }]);
  expect((await readWave(control, 'c', 1)).custody).toBe('moving');
  await projectMembers(control, 'c', ['1002'], 0);
  expect(await locate(control, 'c', '1002')).toMatchObject({ wave: 0, custody: 'source', intake: 'open' });
});
