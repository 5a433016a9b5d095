import { randomUUID } from 'node:crypto';
import { replayHeld, resolveForwards } from '../../../systems/control/replay';
import { counts } from '../../../systems/control/measures';
import { accept, findRequest } from '../../../systems/control/requests';
import { readWave } from '../../../systems/control/routing';
import { performRequest } from '../../../systems/postgres/requests';
import { REQUESTS, stage, type Stage } from '../../gateway/fixture';

let at: Stage;
beforeEach(async () => {
  at = await stage('replay');
});
afterEach(() => at.end());

const take = (key: string, customer = '1001', kind = 'order') =>
  accept(at.control, { cutover: at.cutover, key, customer, kind, body: `{"payload":{"n":"${key}"}}` });
const replay = (side: 'source' | 'target' = 'target') =>
  replayHeld(at.control, { cutover: at.cutover, wave: 1, epoch: at.epoch(), side, pool: at[side], requests: REQUESTS });
const effect = (key: string, kind = 'order') => ({
  key,
  customer: '1001',
  sql: REQUESTS[kind]!.source,
  payload: '{"n":1}',
});

test('a request takes effect once however often and however concurrently it is performed', async () => {
  const done = await Promise.all(Array.from({ length: 8 }, () => performRequest(at.source, effect('a'))));
  expect(done.map((each) => each.outcome).sort()).toEqual([...Array<string>(7).fill('already'), 'effected']);
  expect(await at.items('source', '1001')).toEqual([{ n: 1 }]);
});

test('a system that does not own the wave refuses, and neither effect nor key is left behind', async () => {
  expect(await performRequest(at.target, effect('a'))).toEqual({ outcome: 'refused' });
  expect(await at.items('target', '1001')).toEqual([]);
  await at.accepts(['target']);
  expect(await performRequest(at.target, effect('a'))).toEqual({ outcome: 'effected' });
});

test('bad data fails for good, a wrong statement does not, and an unreachable system is a fault', async () => {
  expect(await performRequest(at.source, effect('a', 'check'))).toEqual({
    outcome: 'failed',
    code: '23502',
    permanent: true,
  });
  expect(await performRequest(at.source, effect('a', 'broken'))).toEqual({
    outcome: 'failed',
    code: '42P01',
    permanent: false,
  });
  expect(await performRequest(at.source, effect('a'))).toEqual({ outcome: 'effected' });
  const holder = await at.source.connect();
  await holder.query(`begin; insert into cutover.effect (key, customer) values ('b', '1001')`);
  await expect(performRequest(at.source, effect('b'), { timeoutMs: 100 })).rejects.toMatchObject({
    name: 'SystemFault',
    retryable: true,
  });
  await holder.query('rollback');
  holder.release();
});

test('held requests are replayed in order to the new system of record, and the intake is open afterwards', async () => {
  await at.intake('held');
  for (let i = 0; i < 450; i += 1) await take(`k${i}`, i % 3 ? '1001' : '1002');
  await at.custody('target');
  await at.accepts(['target']);
  expect(await replay()).toEqual({ replayed: 450, refused: 0, pending: 0 });
  const keys = Array.from({ length: 450 }, (_, i) => i);
  expect(await at.items('target', '1001')).toEqual(keys.filter((i) => i % 3).map((i) => ({ n: `k${i}` })));
  expect(await at.items('target', '1002')).toEqual(keys.filter((i) => i % 3 === 0).map((i) => ({ n: `k${i}` })));
  expect((await readWave(at.control, at.cutover, 1)).intake).toBe('open');
  expect(await counts(at.control, at.cutover, [at.source, at.target])).toMatchObject({
    effected: 450,
    replayed: 450,
    lost: 0,
  });
});

test('requests that keep arriving during a replay are all effected, in order, and none is left held', async () => {
  await at.intake('held');
  await at.custody('target');
  await at.accepts(['target']);
  for (let i = 0; i < 40; i += 1) await take(`k${i}`);
  let arriving = true;
  let next = 40;
  const arrivals = (async () => {
    while (arriving) {
      const taken = await take(`k${next}`);
      next += 1;
      if (taken.outcome === 'forwarding') return;
    }
  })();
  const result = await replay();
  arriving = false;
  await arrivals;
  await resolveForwards(at.control, { cutover: at.cutover, wave: 1, graceMs: 0, pools: at, requests: REQUESTS });
  expect(result.pending).toBe(0);
  expect((await counts(at.control, at.cutover)).pending).toBe(0);
  expect(await at.items('target', '1001')).toEqual(Array.from({ length: next }, (_, i) => ({ n: `k${i}` })));
});

test('a forward whose gateway died is performed again, once, and before what was queued behind it', async () => {
  await take('a');
  await performRequest(at.source, { ...effect('a'), payload: '{"n":"a"}' });
  await take('b', '1002');
  await take('c');
  await at.intake('held');
  const pools = { source: at.source, target: at.target };
  const still = { cutover: at.cutover, wave: 1, pools, requests: REQUESTS };
  expect(await resolveForwards(at.control, { ...still, graceMs: 60_000 })).toBe(2);
  expect(await resolveForwards(at.control, { ...still, graceMs: 0 })).toBe(0);
  expect(await replay('source')).toEqual({ replayed: 1, refused: 0, pending: 0 });
  expect(await at.items('source', '1001')).toEqual([{ n: 'a' }, { n: 'c' }]);
  expect(await at.items('source', '1002')).toEqual([{ n: 'b' }]);
});

test('a request the system turns down is listed, one without a right statement stays pending with those behind it', async () => {
  await at.intake('held');
  await take('a', '1001', 'check');
  await take('b', '1001');
  await take('c', '1002', 'broken');
  await take('d', '1002');
  expect(await replay('source')).toEqual({ replayed: 1, refused: 1, pending: 2 });
  expect(await findRequest(at.control, at.cutover, 'a')).toMatchObject({ state: 'refused', reason: '23502' });
  expect(await findRequest(at.control, at.cutover, 'c')).toMatchObject({ state: 'held', reason: '42P01' });
  expect(await at.items('source', '1002')).toEqual([]);
});

test('a request with a value too large for an index is refused, one that takes too long waits, and neither stops the others', async () => {
  await at.target.query('create index on app.item ((body::text))');
  await at.intake('held');
  const large = Array.from({ length: 900 }, () => randomUUID()).join('');
  await accept(at.control, {
    cutover: at.cutover,
    key: 'large',
    customer: '1001',
    kind: 'order',
    body: `{"payload":{"n":"${large}"}}`,
  });
  await take('after-large');
  await take('slow', '1002');
  await at.custody('target');
  await at.accepts(['target']);
  const holder = await at.target.connect();
  await holder.query(`begin; insert into cutover.effect (key, customer) values ('slow', '1002')`);
  expect(await replay()).toMatchObject({ refused: 1, pending: 1 });
  await holder.query('rollback');
  holder.release();
  expect((await findRequest(at.control, at.cutover, 'large'))?.state).toBe('refused');
  expect((await findRequest(at.control, at.cutover, 'after-large'))?.state).toBe('effected');
});

test('a replay to a system that does not accept the wave is a fault and opens nothing', async () => {
  await at.intake('held');
  await take('a');
  await expect(replay('target')).rejects.toThrow('the target does not accept writes of wave 1 yet');
  expect((await readWave(at.control, at.cutover, 1)).intake).toBe('held');
  expect(await replay('source')).toMatchObject({ replayed: 1 });
  const stale = {
    cutover: at.cutover,
    wave: 1,
    epoch: 0,
    side: 'source' as const,
    pool: at.source,
    requests: REQUESTS,
  };
  await expect(replayHeld(at.control, stale)).rejects.toThrow('belongs to a later attempt');
});

test('a request that would write a row of another wave waits, and the intake opens for the others', async () => {
  await at.intake('held');
  await take('gift', '1001', 'gift');
  await take('behind');
  await take('other', '1002');
  await at.custody('target');
  await at.accepts(['target']);
  const gift = `insert into app.item (customer, body) values ('2001', $1::jsonb)`;
  const requests = { ...REQUESTS, gift: { source: gift, target: gift } };
  const wave = { cutover: at.cutover, wave: 1, epoch: at.epoch(), side: 'target' as const, pool: at.target };
  expect(await replayHeld(at.control, { ...wave, requests })).toEqual({ replayed: 1, refused: 0, pending: 2 });
  expect((await readWave(at.control, at.cutover, 1)).intake).toBe('open');
  expect(await findRequest(at.control, at.cutover, 'gift')).toMatchObject({ state: 'held', reason: 'system refuses' });
});
