import { openIntake, holdIntake, nextHeld, retryable, unknownForwards } from '../../../systems/control/intake';
import { counts, feltMeasures, recordRefusals } from '../../../systems/control/measures';
import { accept, beginForward, findRequest, finishForward } from '../../../systems/control/requests';
import { projectMembers } from '../../../systems/control/routing';
import { stage, type Stage } from '../../gateway/fixture';

let at: Stage;
beforeEach(async () => {
  at = await stage('requests');
});
afterEach(() => at.end());

const request = (key: string, customer = '1001', payload = '{"n":1.50}') => ({
  cutover: at.cutover,
  key,
  customer,
  kind: 'order',
  body: `{"payload":${payload}}`,
});
const take = (key: string, customer?: string) => accept(at.control, request(key, customer));
const id = async (key: string): Promise<number> => (await findRequest(at.control, at.cutover, key))!.id;

test('a request is forwarded to the system of record while the intake is open', async () => {
  expect(await take('a')).toMatchObject({
    outcome: 'forwarding',
    side: 'source',
    request: { wave: 1, payload: '{"n": 1.50}' },
  });
  await at.custody('target');
  expect(await take('b', '1002')).toMatchObject({ outcome: 'forwarding', side: 'target' });
});

test('it is held while the intake is held and while the wave moves, and other waves are not', async () => {
  await at.intake('held');
  expect((await take('a')).outcome).toBe('held');
  expect(await take('b', 'of wave 2')).toMatchObject({ outcome: 'forwarding', side: 'source' });
  await at.intake('open');
  await at.custody('moving');
  expect((await take('c', '1002')).outcome).toBe('held');
});

test('a customer with a pending request queues behind it, with an open intake too', async () => {
  await take('a');
  expect(await take('b')).toMatchObject({ outcome: 'held', request: { reason: 'queued' } });
  expect(await beginForward(at.control, at.cutover, await id('b'))).toEqual({ outcome: 'held' });
  await finishForward(at.control, await id('a'), { state: 'effected', side: 'source' });
  expect(await beginForward(at.control, at.cutover, await id('b'))).toMatchObject({
    outcome: 'forwarding',
    side: 'source',
  });
});

test('the same key gives the same request back; with another customer, kind or payload it is a conflict', async () => {
  await take('a');
  expect(await take('a')).toMatchObject({ outcome: 'repeated', request: { state: 'forwarding' } });
  for (const other of [{ customer: '1002' }, { kind: 'check' }, { body: '{"payload":{"n":2}}' }]) {
    expect(await accept(at.control, { ...request('a'), ...other })).toEqual({ outcome: 'conflict' });
  }
  const twice = await Promise.all(Array.from({ length: 10 }, () => take('b', '1002')));
  expect(twice.map((each) => each.outcome).sort()).toEqual(['forwarding', ...Array<string>(9).fill('repeated')]);
});

test('after the intake is held nothing is forwarded any more, however many arrive at the same time', async () => {
  const arriving = Promise.all(Array.from({ length: 60 }, (_, i) => take(`k${i}`, i % 2 ? '1001' : '1002')));
  expect(await holdIntake(at.control, { cutover: at.cutover, wave: 1, epoch: at.epoch() })).toEqual({
    outcome: 'done',
  });
  const unknown = (await unknownForwards(at.control, { cutover: at.cutover, wave: 1 })).map((row) => row.key);
  await arriving;
  const later = (await unknownForwards(at.control, { cutover: at.cutover, wave: 1 })).map((row) => row.key);
  expect(later).toEqual(unknown);
});

test('an unknown forward is tried again where the customer lives by now, and not held', async () => {
  await take('a');
  await at.intake('held');
  await at.custody('moving');
  expect(await beginForward(at.control, at.cutover, await id('a'))).toMatchObject({
    outcome: 'forwarding',
    side: 'source',
  });
  await at.custody('target');
  expect(await beginForward(at.control, at.cutover, await id('a'))).toMatchObject({
    outcome: 'forwarding',
    side: 'target',
  });
});

test('held requests come in the order in which they were accepted, and follow a customer who changes waves', async () => {
  await at.intake('held');
  for (const [i, customer] of ['1001', '1002', '1001'].entries()) await take(`k${i}`, customer);
  const held = async (wave: number): Promise<string[]> =>
    (await nextHeld(at.control, { cutover: at.cutover, wave })).map((row) => row.key);
  expect(await held(1)).toEqual(['k0', 'k1', 'k2']);
  await projectMembers(at.control, at.cutover, ['1002'], 0);
  expect([await held(1), await held(0)]).toEqual([['k0', 'k2'], ['k1']]);
  expect(await retryable(at.control, at.cutover, 0, 10)).toEqual([await id('k1')]);
});

test('what was tried last is tried again after the others, so that one system that hangs does not keep the other waiting', async () => {
  await take('a', '1001');
  await take('b', '1002');
  for (const key of ['a', 'b', 'a']) await beginForward(at.control, at.cutover, await id(key));
  expect(await retryable(at.control, at.cutover, 0, 1)).toEqual([await id('b')]);
});

test('the intake opens with the last pending ones worked off first, and not for a lower epoch', async () => {
  await at.intake('held');
  await take('a');
  const ref = { cutover: at.cutover, wave: 1 };
  expect(await openIntake(at.control, { ...ref, epoch: 0 })).toEqual({ outcome: 'stale' });
  const settle = async () => finishForward(at.control, await id('a'), { state: 'effected', side: 'source' });
  let late: Promise<{ outcome: string }> | undefined;
  const lastly = async (): Promise<void> => {
    late = take('b');
    await settle();
  };
  expect(await openIntake(at.control, { ...ref, epoch: 9 }, lastly)).toEqual({ outcome: 'opened', pending: 0 });
  expect((await late)?.outcome).toBe('forwarding');
  await at.control.query(`update control.wave set intake = 'held' where wave = 1`);
  await take('c');
  expect(await openIntake(at.control, { ...ref, epoch: 9 })).toEqual({ outcome: 'opened', pending: 2 });
});

test('counts say what became of every request, and an effect missing in both systems is lost', async () => {
  await take('a');
  await finishForward(at.control, await id('a'), { state: 'effected', side: 'source' });
  await at.source.query(`insert into cutover.effect (key, customer) values ('a', '1001')`);
  await at.intake('held');
  for (const key of ['b', 'c', 'd']) await take(key, '1002');
  await finishForward(at.control, await id('b'), { state: 'effected', side: 'target' });
  await finishForward(at.control, await id('c'), { state: 'refused', side: 'target', reason: '23502' });
  await finishForward(at.control, await id('a'), { state: 'held', reason: 'too late' });
  await finishForward(at.control, await id('b'), { state: 'refused', side: 'target', reason: 'too late' });
  await at.control.query(`update control.request set held_at = held_at - interval '5 s' where idempotency_key = 'd'`);
  const seen = await counts(at.control, at.cutover, [at.source, at.target]);
  expect(seen).toMatchObject({ accepted: 4, effected: 2, refused: 1, held: 3, replayed: 1, pending: 1, lost: 1 });
  expect(seen.longestHoldMs).toBeGreaterThanOrEqual(5_000);
  expect(await counts(at.control, at.cutover)).toMatchObject({ lost: null });
  expect(await counts(at.control, 'another')).toMatchObject({ accepted: 0, longestHoldMs: 0 });
});

test('a refusal that is written late gives way to the effect, whichever comes first', async () => {
  const [effected, refused] = [
    { state: 'effected', side: 'target' },
    { state: 'refused', side: 'source', reason: '23502' },
  ] as const;
  for (const [key, ...outcomes] of [['a', refused, effected] as const, ['b', effected, refused] as const]) {
    await take(key);
    for (const outcome of outcomes) await finishForward(at.control, await id(key), outcome);
    expect(await findRequest(at.control, at.cutover, key)).toMatchObject({ ...effected, reason: null });
  }
});

test('what customers felt is read per wave: refused writes, the longest hold, customers disturbed', async () => {
  await at.intake('held');
  for (const [key, customer] of [
    ['a', '1001'],
    ['b', '1001'],
    ['c', '1002'],
  ])
    await take(key!, customer);
  await at.control.query(`update control.request set held_at = held_at - interval '9 s' where customer = '1001'`);
  await recordRefusals(at.control, at.cutover, 3);
  await recordRefusals(at.control, at.cutover, 2, 2);
  const felt = (wave: number | null) => feltMeasures(at.control, { cutover: at.cutover, wave, heldAtMostMs: 8_000 });
  expect(await felt(1)).toMatchObject({ refusedWrites: 3, customersDisturbed: 1 });
  expect((await felt(1)).longestHoldMs).toBeGreaterThanOrEqual(9_000);
  expect(await felt(2)).toMatchObject({ refusedWrites: 5, customersDisturbed: 0, longestHoldMs: 0 });
  expect(await felt(null)).toMatchObject({ refusedWrites: 5 });
});
