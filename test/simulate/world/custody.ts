import type { Side } from '../../../domain/custody';
import type { EffectRef, FreezeResult, LeaseEnd, ReturnResult, SwitchResult } from '../../../engine/contract';
import { ActivityFault, heartbeat, type Attempt } from './attempt';
import { compareControl, compareFence, project, waveNumber } from './fences';
import { fenceOf, holdsLock, rowsOfWave, toSource, unapplied, waveRow, type WaveRow, type World } from './world';

const RETURN_LEASE_MS = 120_000;

/** Takes the wave's lease at the source; a lapsed lease is frozen anew (PROTOCOL 11). */
export async function freeze(world: World, attempt: Attempt, ref: EffectRef, leaseMs: number): Promise<FreezeResult> {
  const wave = waveNumber(ref);
  await attempt.tick(200);
  compareFence(world, 'source', ref);
  if (holdsLock(world, 'source', wave)) {
    world.happened('custody/freeze blocked');
    return { outcome: 'blocked', blockers: ['pid 1'] };
  }
  const row = waveRow(world, 'source', wave);
  const { now } = world.clock;
  if (row.state === 'sealed') return { outcome: 'not-owner' };
  if (row.state === 'frozen' && row.leaseUntil <= now && row.frozenEpoch >= ref.epoch) {
    world.happened('custody/freeze lapsed');
    return { outcome: 'lapsed' };
  }
  if (row.state === 'open' || row.leaseUntil <= now) takeLease(world, row, ref.epoch, leaseMs);
  const { frozenAt, leaseUntil } = row;
  await attempt.tick(world.prng.int(5, 700));
  project(world, ref, 'moving');
  return { outcome: 'frozen', frozenAt, leaseUntil };
}

function takeLease(world: World, row: WaveRow, epoch: number, leaseMs: number): void {
  world.happened('custody/frozen');
  const { now } = world.clock;
  Object.assign(row, { state: 'frozen', frozenAt: now, leaseUntil: now + leaseMs, frozenEpoch: epoch });
}

/** Renews the lease by the source's clock, while both runs are open (PROTOCOL 11, 12). */
export async function holdFreeze(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
  leaseMs: number,
  notAfter: number,
): Promise<LeaseEnd> {
  const wave = waveNumber(ref);
  for (;;) {
    heartbeat(attempt);
    if (!world.runsOpen(wave) && !world.broken.has('lease-runs')) return { outcome: 'run-closed' };
    const row = waveRow(world, 'source', wave);
    const { now } = world.clock;
    if (row.state !== 'frozen' || fenceOf(world, 'source', wave).epoch !== ref.epoch) return { outcome: 'released' };
    if (row.leaseUntil <= now && !world.broken.has('lease-revival')) {
      world.happened('custody/lease lapsed');
      return { outcome: 'lapsed' };
    }
    if (now >= notAfter) {
      world.happened('custody/lease at its limit');
      return { outcome: 'limit' };
    }
    row.leaseUntil = Math.max(row.leaseUntil, Math.min(now + leaseMs, notAfter));
    await attempt.tick(leaseMs / 3);
  }
}

export async function thaw(world: World, attempt: Attempt, ref: EffectRef): Promise<void> {
  const wave = waveNumber(ref);
  await attempt.tick(100);
  compareFence(world, 'source', ref);
  const row = waveRow(world, 'source', wave);
  if (row.state === 'sealed') throw new ActivityFault('SystemRefused', `wave ${wave} is sealed at the source`);
  row.state = 'open';
  await attempt.tick(100);
  project(world, ref, 'source');
}

/** A call that does not get the wave's lock in time fails and is tried again (PROTOCOL 5). */
function awaitLock(world: World, side: Side, wave: number): void {
  if (!holdsLock(world, side, wave)) return;
  world.happened('custody/waited for a writer');
  throw new ActivityFault('SystemUnavailable', `open transactions of wave ${wave} at the ${side}`);
}

/** Why the source may not be sealed now; null when it may (PROTOCOL 13). */
function sealRefusal(world: World, wave: number): string | null {
  const row = waveRow(world, 'source', wave);
  if (row.state !== 'frozen') return `the source is ${row.state}`;
  if (row.leaseUntil <= world.clock.now && !world.broken.has('lease-in-seal')) return 'the lease has lapsed';
  const left = unapplied(world, 'source', fenceOf(world, 'target', wave).position ?? 0, wave).length;
  if (left > 0 && !world.broken.has('unapplied-in-seal')) return `${left} rows are not applied`;
  return null;
}

/** Seal, open, project; a wave that this epoch sealed before is brought forward (PROTOCOL 13, 14). */
export async function switchWave(world: World, attempt: Attempt, ref: EffectRef): Promise<SwitchResult> {
  const wave = waveNumber(ref);
  const source = waveRow(world, 'source', wave);
  const target = waveRow(world, 'target', wave);
  await attempt.tick(world.prng.int(5, 700));
  compareFence(world, 'source', ref);
  awaitLock(world, 'source', wave);
  if (source.state !== 'sealed') {
    const reason = sealRefusal(world, wave);
    if (reason !== null) {
      world.happened('custody/seal refused');
      return { outcome: 'refused', reason };
    }
    world.happened('custody/sealed');
    world.onSeal('source', wave);
    source.state = 'sealed';
  }
  await attempt.tick(world.prng.int(5, 700));
  if (!world.broken.has('open-fence')) compareFence(world, 'target', ref);
  if (target.state === 'sealed') target.state = 'open';
  await attempt.tick(100);
  project(world, ref, 'target');
  return { outcome: 'switched', at: world.clock.now };
}

/** Custody comes back from wherever the wave is (PROTOCOL 14, 15). Both epochs are raised already. */
export async function returnCustody(world: World, attempt: Attempt, ref: EffectRef): Promise<ReturnResult> {
  const wave = waveNumber(ref);
  const source = waveRow(world, 'source', wave);
  const target = waveRow(world, 'target', wave);
  await attempt.tick(100);
  compareControl(world, ref);
  compareFence(world, 'source', ref);
  compareFence(world, 'target', ref);
  if (source.state !== 'sealed') {
    project(world, ref, 'source');
    return { path: 'never-sealed', carriedRows: 0 };
  }
  const opened = target.state !== 'sealed';
  let carriedRows = 0;
  if (opened) {
    project(world, ref, 'moving');
    carriedRows = await carryBack(world, attempt, ref, wave);
  }
  await attempt.tick(world.prng.int(5, 700));
  compareFence(world, 'source', ref);
  if (backlog(world, wave).length > 0)
    throw new ActivityFault('SystemRefused', 'the target took writes after its seal');
  if (source.state === 'sealed') source.state = 'open';
  world.happened(opened ? 'custody/carried back' : 'custody/unsealed');
  await attempt.tick(100);
  project(world, ref, 'source');
  return { path: opened ? 'carried-back' : 'unsealed', carriedRows };
}

const backlog = (world: World, wave: number): string[] =>
  unapplied(world, 'target', fenceOf(world, 'source', wave).position ?? 0, wave);

/** Freeze at the target, passes until nothing is left, seal the target: the mirror of the way in. */
async function carryBack(world: World, attempt: Attempt, ref: EffectRef, wave: number): Promise<number> {
  const target = waveRow(world, 'target', wave);
  let carried = 0;
  for (;;) {
    compareFence(world, 'target', ref);
    awaitLock(world, 'target', wave);
    if (target.state === 'sealed') return carried;
    const lapsed = target.state === 'frozen' && target.leaseUntil <= world.clock.now;
    if (target.state === 'open' || lapsed) {
      takeLease(world, target, ref.epoch, RETURN_LEASE_MS);
    }
    carried += (await passBack(world, attempt, ref, wave)) ?? 0;
    await attempt.tick(world.prng.int(5, 700));
    compareFence(world, 'target', ref);
    awaitLock(world, 'target', wave);
    const held = target.state === 'frozen' && target.leaseUntil > world.clock.now;
    if (held && backlog(world, wave).length === 0) {
      world.onSeal('target', wave);
      target.state = 'sealed';
    }
  }
}

/** One pass the other way; rows whose mapped value did not change are left as they are. */
async function passBack(world: World, attempt: Attempt, ref: EffectRef, wave: number): Promise<number | null> {
  const fence = fenceOf(world, 'source', wave);
  const from = fence.position ?? 0;
  const to = world.target.log.length;
  const staged = unapplied(world, 'target', from, wave).map((key) => ({ key, row: world.target.rows.get(key) }));
  await attempt.tick(world.prng.int(200, 3_000));
  compareFence(world, 'source', ref);
  if (waveRow(world, 'source', wave).state !== 'sealed')
    throw new ActivityFault('SystemRefused', `wave ${wave} is the source's: nothing is written there from the target`);
  if ((fence.position ?? 0) !== from) return null;
  for (const { key, row } of staged) {
    const old = world.source.rows.get(key);
    if (!row) world.source.rows.delete(key);
    else if (!old && world.broken.has('born-carried-back')) continue;
    else if (old?.value !== toSource(row.value))
      world.source.rows.set(key, { customer: row.customer, value: toSource(row.value), rev: (old?.rev ?? 0) + 1 });
  }
  fence.position = to;
  return staged.length;
}

export async function verifyReturned(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
  copyKept: boolean,
): Promise<{ ok: boolean; findings: string[] }> {
  const wave = waveNumber(ref);
  await attempt.tick(500);
  const source = waveRow(world, 'source', wave).state;
  const target = waveRow(world, 'target', wave).state;
  const left = copyKept ? 0 : rowsOfWave(world, 'target', wave).length;
  const findings = [
    ...(source === 'open' ? [] : [`the source is ${source}`]),
    ...(target === 'sealed' ? [] : [`the target is ${target}`]),
    ...(left === 0 ? [] : [`${left} rows at the target`]),
  ];
  return { ok: findings.length === 0, findings };
}
