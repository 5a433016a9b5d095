import type { Pool } from 'pg';
import {
  claimChunk,
  dropChunks,
  finishChunk,
  planChunks,
  progress,
  releaseClaim,
} from '../../../systems/control/chunks';
import { nextEpoch } from '../../../systems/control/epochs';
import { controlDatabase } from './control-database';

let control: Pool;
beforeAll(async () => {
  control = await controlDatabase('chunks');
});
afterAll(() => control.end());

const chunk = (entity: string, no: number, after: string[] = []) => ({
  entity,
  no,
  lo: `${no}0`,
  hi: null,
  rows: 10,
  after,
});
const PLAN = [chunk('customer', 1), chunk('customer', 2), chunk('invoice', 1, ['customer']), chunk('ticket', 1)];

async function planned(cutover: string) {
  const epoch = await nextEpoch(control, cutover, 1);
  const ref = { cutover, wave: 1, epoch };
  await planChunks(control, ref, PLAN);
  const claim = (claimedBy: string, leaseMs = 60_000) => claimChunk(control, { ...ref, epoch, claimedBy }, leaseMs);
  return { ref, epoch, claim };
}

const named = (claim: Awaited<ReturnType<typeof claimChunk>>): string =>
  claim.outcome === 'claimed' ? `${claim.chunk.entity}/${claim.chunk.no}` : claim.outcome;

test('a second plan changes nothing, even with other borders, until a later epoch drops the first', async () => {
  const ref = { cutover: 'plan', wave: 1, epoch: 5 };
  expect(await planChunks(control, ref, PLAN)).toBe(4);
  expect(await planChunks(control, ref, [...PLAN, chunk('ticket', 2)])).toBe(4);
  await dropChunks(control, ref);
  expect(await progress(control, ref)).toMatchObject({ chunksTotal: 4 });
  await dropChunks(control, { ...ref, epoch: 6 });
  expect(await progress(control, ref)).toEqual({ chunksDone: 0, chunksTotal: 0, rows: 0 });
});

test('chunks are claimed in entity order, each once, and wait for the entities they come after', async () => {
  const { ref, claim } = await planned('order');
  const first = await claim('a');
  const second = await claim('b');
  expect([first, second, await claim('c'), await claim('d')].map(named)).toEqual([
    'customer/1',
    'customer/2',
    'ticket/1',
    'wait',
  ]);
  for (const each of [first, second]) {
    if (each.outcome !== 'claimed') throw new Error('not claimed');
    expect(await finishChunk(control, { ...ref, ...each.chunk }, 7)).toEqual({ outcome: 'done' });
    expect(await finishChunk(control, { ...ref, ...each.chunk }, 7)).toEqual({ outcome: 'done' });
  }
  expect(await progress(control, ref)).toEqual({ chunksDone: 2, chunksTotal: 4, rows: 14 });
  expect(named(await claim('d'))).toBe('invoice/1');
});

test('claims made at once never give one chunk to two, and end with none', async () => {
  const epoch = await nextEpoch(control, 'race', 1);
  const ref = { cutover: 'race', wave: 1, epoch };
  await planChunks(
    control,
    ref,
    Array.from({ length: 40 }, (_, i) => chunk('customer', i)),
  );
  const seen: string[] = [];
  const stream = async (claimedBy: string): Promise<void> => {
    for (;;) {
      const claim = await claimChunk(control, { ...ref, epoch, claimedBy }, 60_000);
      if (claim.outcome === 'none') return;
      if (claim.outcome !== 'claimed') continue;
      seen.push(named(claim));
      await finishChunk(control, { ...ref, ...claim.chunk }, 1);
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(stream));
  expect(seen).toHaveLength(40);
  expect(new Set(seen).size).toBe(40);
});

test('a lapsed claim goes to the next one, and its first holder can no longer finish or prolong it', async () => {
  const { ref, claim } = await planned('lapse');
  const zombie = await claim('zombie', 0);
  const heir = await claim('heir');
  expect(named(heir)).toBe('customer/1');
  if (zombie.outcome !== 'claimed' || heir.outcome !== 'claimed') throw new Error('not claimed');
  expect(heir.chunk.epoch).toBeGreaterThan(zombie.chunk.epoch);
  expect(await finishChunk(control, { ...ref, ...zombie.chunk }, 1)).toEqual({ outcome: 'stale' });
  await releaseClaim(control, { ...ref, ...zombie.chunk });
  expect(named(await claim('another'))).not.toBe('customer/1');
  expect(await finishChunk(control, { ...ref, ...heir.chunk }, 1)).toEqual({ outcome: 'done' });
});

test('a claim that is given up is open at once', async () => {
  const { ref, claim } = await planned('given-up');
  const first = await claim('first');
  if (first.outcome !== 'claimed') throw new Error('not claimed');
  await releaseClaim(control, { ...ref, ...first.chunk });
  expect(named(await claim('second'))).toBe(named(first));
});

test('a raised epoch takes running claims over at once and refuses the older streams', async () => {
  const { ref, epoch, claim } = await planned('raised');
  expect(named(await claim('old'))).toBe('customer/1');
  const raised = await nextEpoch(control, 'raised', 1);
  expect(named(await claim('old'))).toBe('stale');
  const taken = await claimChunk(control, { ...ref, epoch: raised, claimedBy: 'new' }, 60_000);
  expect(named(taken)).toBe('customer/1');
  expect(taken.outcome === 'claimed' && taken.chunk.epoch > epoch).toBe(true);
});
