/** What movers do: bring a wave to the other system, and resolve one that is nobody's. */
import type { PoolClient } from 'pg';
import type { Side } from '../../domain/custody';
import type { Position } from '../../systems/ports';
import { withTransaction } from '../../systems/postgres/connect';
import { planChunks } from '../../systems/postgres/data/chunks';
import { runPass } from '../../systems/postgres/data/pass';
import { startPosition } from '../../systems/postgres/data/position';
import { preloadChunk } from '../../systems/postgres/data/preload';
import { takeFence, takePassLock } from '../../systems/postgres/data/transaction';
import { openSealed } from '../../systems/postgres/resolve';
import { maybeStall, ownerOf, type Mover } from './actor';
import { membersAgree } from './members';
import { LEASE_MS, otherSide, type SideWorld } from './world';

const FAR = 600_000;
const MOST_PASSES = 12;

/** Brings an unowned wave to a side, by raising epochs (PROTOCOL 14). */
export async function resolve(mover: Mover, wave: number, to: Side): Promise<void> {
  const epoch = await mover.world.nextEpoch();
  await maybeStall(mover, 0.3, 600);
  const at = mover.world[to];
  mover.note(`resolve-${await openSealed(at.custody, otherSide(mover.world, to).custody, wave, epoch)}`);
}

/** One attempt to bring the wave to the other side; its outcome is noted and returned. */
export async function moveWave(mover: Mover, wave: number): Promise<string> {
  const outcome = await attemptMove(mover, wave);
  mover.note(outcome);
  return outcome;
}

async function attemptMove(mover: Mover, wave: number): Promise<string> {
  const { world, random } = mover;
  const owner = await ownerOf(world, wave);
  if (owner === null) {
    await resolve(mover, wave, random.pick(['source', 'target'] as const));
    return 'found-unowned';
  }
  const from = world[owner];
  const to = otherSide(world, owner);
  const epoch = await world.nextEpoch();
  for (const side of [from, to]) if ((await side.custody.raise(wave, epoch)).outcome === 'stale') return 'overtaken';
  if ((await ownerOf(world, wave)) !== owner) return 'overtaken';
  if (!(await membersAgree(mover, wave))) return 'repaired-members';
  if (owner === 'source' && !(await preload(mover, wave, epoch))) return 'overtaken';
  if ((await pass(mover, from, wave, epoch)) === null) return 'overtaken';
  await maybeStall(mover, 0.5, 400);
  return freezeAndSwitch(mover, from, to, wave, epoch);
}

async function freezeAndSwitch(
  mover: Mover,
  from: SideWorld,
  to: SideWorld,
  wave: number,
  epoch: number,
): Promise<string> {
  const { random, reckless } = mover;
  const leaseMs = reckless ? LEASE_MS / 5 + random.below(LEASE_MS) : 20 * LEASE_MS;
  const frozen = await from.custody.freeze(wave, epoch, leaseMs);
  if (frozen.outcome !== 'frozen') return `freeze-${frozen.outcome}`;
  const sealed = await convert(mover, from, wave, epoch, frozen.frozenAt, leaseMs);
  if (sealed !== 'sealed') {
    if (sealed !== 'lapsed' && random.chance(0.5)) await from.custody.thaw(wave, epoch);
    return `seal-${sealed}`;
  }
  await maybeStall(mover, 0.6, 2_000);
  const opened = await to.custody.open(wave, epoch);
  return opened.outcome === 'stale' ? 'open-stale' : 'moved';
}

/** The final conversion: passes, renewals and attempts to seal, not always in the best order. */
async function convert(
  mover: Mover,
  from: SideWorld,
  wave: number,
  epoch: number,
  frozenAt: Date,
  leaseMs: number,
): Promise<string> {
  const { random, reckless, world } = mover;
  const to = otherSide(world, from.side);
  let applied: Position | null = reckless && random.chance(0.5) ? await positionOf(to, wave) : null;
  for (let tries = 0; tries < MOST_PASSES; tries++) {
    applied ??= await pass(mover, from, wave, epoch);
    if (applied === null) return 'stale';
    await maybeStall(mover, 0.3, leaseMs * 2);
    if (random.chance(0.6)) {
      const renewed = await from.custody.renew(wave, epoch, leaseMs, new Date(Date.now() + FAR));
      if (renewed.outcome !== 'renewed') return renewed.outcome;
      await expectStill(mover, from, wave, epoch, frozenAt);
    }
    const sealed = await from.custody.seal(wave, epoch, applied);
    if (sealed.outcome === 'tampered') mover.broken(`seal found tampering: ${sealed.findings.join(', ')}`);
    if (sealed.outcome !== 'unapplied') return sealed.outcome;
    mover.note('seal-unapplied');
    applied = null;
  }
  return 'gave-up';
}

/** STILL: while this freeze holds nobody has written since. A freeze under another epoch is another freeze. */
async function expectStill(mover: Mover, from: SideWorld, wave: number, epoch: number, frozenAt: Date): Promise<void> {
  const found = await from.own.query<{ writes: string; mine: boolean }>(
    `select (select count(*) from cutover.change where wave = $1 and op <> 'M' and at > $3) as writes,
       exists (select from cutover.wave where wave = $1 and state = 'frozen' and frozen_epoch = $2) as mine`,
    [wave, epoch, new Date(frozenAt.getTime() + 1)],
  );
  const row = found.rows[0];
  if (row?.mine && Number(row.writes) > 0)
    mover.broken(`STILL: ${row.writes} writes to wave ${wave} at the ${from.side} under a freeze that was renewed`);
}

async function positionOf(at: SideWorld, wave: number): Promise<Position | null> {
  const found = await at.own.query<{ position: string | null }>('select position from cutover.fence where key = $1', [
    `wave/${wave}`,
  ]);
  return found.rows[0]?.position ?? null;
}

/** One pass of the product from `from` to the other side. Null when another epoch is there. */
async function pass({ world, note }: Mover, from: SideWorld, wave: number, epoch: number): Promise<Position | null> {
  const pair = { source: from.data, target: otherSide(world, from.side).data };
  const done = await runPass(pair, world.compiled[from.side], wave, epoch);
  note('pass');
  return done.outcome === 'applied' ? done.position : null;
}

/** The bulk copy under load, when there is none yet, and now and then anew. False when another epoch is there. */
async function preload(mover: Mover, wave: number, epoch: number): Promise<boolean> {
  const { world, random, note, reckless } = mover;
  const loaded = await world.target.own.query('select from app.loaded where wave = $1', [wave]);
  if (loaded.rowCount && !(reckless && random.chance(0.15))) return true;
  await underFence(world.target, wave, epoch, async (client) => {
    const mine = (table: string): string => `delete from app.${table} where cutover.wave_of(customer) = ${wave}`;
    await client.query(`${mine('part')}; ${mine('item')}; delete from app.loaded where wave = ${wave}`);
    await client.query(`delete from cutover.fence where key like 'chunk/${wave}/%'`);
    await client.query('update cutover.fence set position = null where key = $1', [`wave/${wave}`]);
  });
  const pair = { source: world.source.data, target: world.target.data };
  if (!('position' in (await startPosition(pair, wave, epoch)))) return false;
  const chunks = await planChunks(world.compiled.source, world.source.data, wave, 40);
  for (const { entity, no, lo, hi } of chunks) {
    await maybeStall(mover, 0.05, 400);
    const done = await preloadChunk(pair, world.compiled.source, { wave, epoch, entity, no, lo, hi });
    if (done.outcome === 'stale') return false;
  }
  await underFence(world.target, wave, epoch, (client) => client.query('insert into app.loaded values ($1)', [wave]));
  note('preload');
  return true;
}

function underFence<T>(
  at: SideWorld,
  wave: number,
  epoch: number,
  body: (client: PoolClient) => Promise<T>,
): Promise<T> {
  return withTransaction(at.data, {}, async (client) => {
    await takePassLock(client);
    await takeFence(client, `wave/${wave}`, epoch);
    return body(client);
  });
}
