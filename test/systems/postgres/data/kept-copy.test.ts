import { keepBaseline } from '../../../../systems/postgres/data/baseline';
import { keepCopy, startCopy, whyPurge, type CopyOwner } from '../../../../systems/postgres/data/kept-copy';
import { runPass } from '../../../../systems/postgres/data/pass';
import { planChunks } from '../../../../systems/postgres/data/chunks';
import { preloadChunk } from '../../../../systems/postgres/data/preload';
import { countWave, purgeWave } from '../../../../systems/postgres/data/purge';
import { guardTables, unguardTables } from '../../../../systems/postgres/schema';
import { guardedTables } from '../../../../systems/postgres/data/compile';
import { example, lines, raise, type Example } from './example';
import { expectEqual, OWNER, preload } from './steps';

let it_: Example;
beforeEach(async () => {
  it_ = await example();
});
afterEach(() => it_.end());

/** A run copied the wave and died; its rollback, under epoch 2, keeps the copy; the next run has epoch 3. */
async function copyAndKeep(): Promise<void> {
  const { pair } = it_;
  await pair.source.query(`delete from old.customer where btrim(total) = '' and tenure <> '0'`);
  await keepBaseline(pair, it_.compiled);
  await preload(it_, 1);
  for (const side of ['source', 'target'] as const) await raise(pair[side], [1], 2);
  expect(await keepCopy(pair, 1, 2, OWNER, true)).toEqual({ outcome: 'kept' });
  for (const side of ['source', 'target'] as const) await raise(pair[side], [1], 3);
}

const why = async (owner = OWNER, chunksKnown = true): Promise<string | null> =>
  (await whyPurge(it_.pair, 1, owner, chunksKnown))?.reason ?? null;

test('a kept copy is gone on from: no chunk is copied again, and what changed meanwhile is caught up', async () => {
  await copyAndKeep();
  const { pair, compiled } = it_;
  const before = await lines(pair.target, 'select xmin, ctid, * from fresh.invoice where cutover.wave_of(no) = 1');
  await pair.source.query(
    `update old.customer set name = 'Renamed' where id = 'c003'; delete from old.bill_line where cust = 'c004';
     insert into old.customer (id, name, total, tenure, senior, kind) values ('c991', 'New', '1', '1', '0', 'home');`,
  );
  expect(await why()).toBeNull();
  expect(await startCopy(pair, 1, 3, OWNER, it_.compiled)).toHaveProperty('position');
  for (const chunk of await planChunks(compiled, pair.source, 1, 7))
    expect(await preloadChunk(pair, compiled, { ...chunk, wave: 1, epoch: 3 })).toMatchObject({ outcome: 'done' });
  expect(await lines(pair.target, 'select xmin, ctid, * from fresh.invoice where cutover.wave_of(no) = 1')).toEqual(
    before,
  );
  expect(await runPass(pair, compiled, 1, 3)).toMatchObject({ outcome: 'applied', lagRows: 0 });
  await expectEqual(it_, 1);
});

interface Spoilt {
  what: string;
  reason: string | RegExp;
  spoil?: () => Promise<unknown>;
  owner?: CopyOwner;
  chunksKnown?: boolean;
}

const SPOILT: Spoilt[] = [
  { what: 'of another cutover', reason: 'cutover night-1 made it', owner: { ...OWNER, cutover: 'night-2' } },
  { what: 'made otherwise', reason: 'made with another conversion', owner: { ...OWNER, conversion: 'new' } },
  { what: 'whose chunks control forgot', reason: 'does not know its chunks any more', chunksKnown: false },
  {
    what: 'whose position is lost',
    reason: 'its position is lost',
    spoil: () => it_.pair.target.query(`update cutover.fence set position = null where key = 'wave/1'`),
  },
  {
    what: 'whose source was set back',
    reason: 'the source failed over, or was set back',
    spoil: () =>
      it_.pair.target.query(`update cutover.fence set position = '900000000:900000000:' where key = 'wave/1'`),
  },
  {
    what: 'whose source failed over',
    reason: 'the source failed over, or was set back',
    spoil: () => it_.pair.target.query(`update cutover.fence set server = '1/00000002' where key = 'wave/1'`),
  },
  {
    what: 'whose capture is off',
    reason: /guards of the source are not as installed: old.bill/,
    spoil: () => it_.pair.source.query('alter table old.bill disable trigger cutover_guard'),
  },
  {
    what: 'whose capture was taken away and is there again',
    reason: 'the capture at the source was interrupted',
    spoil: async () => {
      await unguardTables(it_.pair.source);
      await guardTables(it_.pair.source, guardedTables(it_.compiled, 'source'));
    },
  },
  {
    what: 'that others wrote into',
    reason: 'the target was written by others',
    spoil: () =>
      it_.pair.target.query(
        `insert into cutover.change (wave, tab, op, new_key, new_owner) values (1, 'fresh.person', 'I', '{c001}', 'c001')`,
      ),
  },
  {
    what: 'of a table that has another shape now',
    reason: /tables changed their shape: old.bill/,
    spoil: () => it_.pair.source.query('alter table old.bill add column paid boolean'),
  },
];

test.each(SPOILT)(
  'a kept copy $what is not trusted, says why, and is purged',
  async ({ reason, spoil, owner, chunksKnown = true }) => {
    await copyAndKeep();
    await spoil?.();
    expect(await why(owner, chunksKnown)).toMatch(reason);
    const { pair, compiled } = it_;
    expect(await purgeWave(pair, 1, 3, { onlyKept: true })).toEqual({ rows: expect.any(Number) });
    expect(await countWave(pair, compiled, 1)).toBe(0);
    expect(await why(owner, chunksKnown)).toBeNull();
  },
);

test('what a late attempt would purge is the kept copy only, never what is copied since', async () => {
  await copyAndKeep();
  const { pair, compiled } = it_;
  await startCopy(pair, 1, 3, OWNER, it_.compiled);
  const rows = await countWave(pair, compiled, 1);
  expect(rows).toBeGreaterThan(0);
  expect(await purgeWave(pair, 1, 3, { onlyKept: true })).toEqual({ rows: 0 });
  expect(await countWave(pair, compiled, 1)).toBe(rows);
});

test('a copy that its run has not given up stops another cutover, and an older epoch keeps nothing', async () => {
  const { pair } = it_;
  await startCopy(pair, 1, 1, OWNER, it_.compiled);
  await expect(why({ ...OWNER, cutover: 'night-2' })).rejects.toMatchObject({
    retryable: false,
    message: expect.stringContaining('cutover night-1 copied it with this conversion and has not given it up'),
  });
  expect(await why()).toBeNull();
  await raise(pair.target, [1], 2);
  expect(await keepCopy(pair, 1, 1, OWNER, true)).toEqual({ outcome: 'stale' });
});
