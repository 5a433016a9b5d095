import type { EffectRef, FreezeResult, LeaseEnd, ReturnResult, SwitchResult } from '../../../engine/contract';
import { ActivityFault, heartbeat, type Attempt } from './attempt';
import { compareControl, compareFence, waveNumber } from './fences';
import { fenceOf, rowsOfWave, toSource, unapplied, waveRow, type World } from './world';

const RETURN_LEASE_MS = 120_000;

/** Takes the wave's lease at the source; a lapsed lease is frozen anew (PROTOCOL 11). */
export async function freeze(world: World, attempt: Attempt, ref: EffectRef, leaseMs: number): Promise<FreezeResult> {
  const wave = waveNumber(ref);
  await attempt.tick(200);
  compareControl(world, ref);
  world.control.custody.set(wave, 'moving');
  await attempt.tick(world.prng.int(5, 700));
  if (world.prng.chance(0.05)) return { outcome: 'blocked', blockers: ['pid 1'] };
  compareFence(world, 'source', ref);
  const row = waveRow(world, 'source', wave);
  const { now } = world.clock;
  if (row.state === 'sealed') return { outcome: 'not-owner' };
  if (row.state === 'open' || row.leaseUntil <= now) {
    row.frozenAt = now;
    row.leaseUntil = now + leaseMs;
    row.state = 'frozen';
  }
  return { outcome: 'frozen', frozenAt: row.frozenAt, leaseUntil: row.leaseUntil };
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
    if (!world.runsOpen(wave)) return { outcome: 'run-closed' };
    const row = waveRow(world, 'source', wave);
    const { now } = world.clock;
    if (row.state !== 'frozen' || fenceOf(world, 'source', wave).epoch !== ref.epoch) return { outcome: 'released' };
    if (row.leaseUntil <= now) return { outcome: 'lapsed' };
    if (now >= notAfter) return { outcome: 'limit' };
    row.leaseUntil = Math.max(row.leaseUntil, Math.min(now + leaseMs, notAfter));
    await attempt.tick(leaseMs / 3);
  }
}

export async function thaw(world: World, attempt: Attempt, ref: EffectRef): Promise<void> {
  const wave = waveNumber(ref);
  await attempt.tick(100);
  compareFence(world, 'source', ref);
  const row = waveRow(world, 'source', wave);
  if (row.state === 'frozen') row.state = 'open';
  await attempt.tick(100);
  compareControl(world, ref);
  if (row.state === 'open') world.control.custody.set(wave, 'source');
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
  if (source.state !== 'sealed') {
    const reason = sealRefusal(world, wave);
    if (reason !== null) return { outcome: 'refused', reason };
    world.onSeal(wave);
    source.state = 'sealed';
  }
  await attempt.tick(world.prng.int(5, 700));
  compareFence(world, 'target', ref);
  if (target.state === 'sealed') target.state = 'open';
  await attempt.tick(100);
  compareControl(world, ref);
  world.control.custody.set(wave, 'target');
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
  if (source.state !== 'sealed') return { path: 'never-sealed', carriedRows: 0 };
  world.control.custody.set(wave, 'moving');
  const opened = target.state !== 'sealed';
  let carriedRows = 0;
  if (opened) carriedRows = await carryBack(world, attempt, ref, wave);
  await attempt.tick(world.prng.int(5, 700));
  compareFence(world, 'source', ref);
  if (backlog(world, wave).length > 0)
    throw new ActivityFault('SystemRefused', 'the target took writes after its seal');
  if (source.state === 'sealed') source.state = 'open';
  await attempt.tick(100);
  compareControl(world, ref);
  world.control.custody.set(wave, 'source');
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
    if (target.state === 'sealed') return carried;
    const lapsed = target.state === 'frozen' && target.leaseUntil <= world.clock.now;
    if (target.state === 'open' || lapsed) {
      target.state = 'frozen';
      target.leaseUntil = world.clock.now + RETURN_LEASE_MS;
    }
    carried += (await passBack(world, attempt, ref, wave)) ?? 0;
    await attempt.tick(world.prng.int(5, 700));
    compareFence(world, 'target', ref);
    const held = target.state === 'frozen' && target.leaseUntil > world.clock.now;
    if (held && backlog(world, wave).length === 0) target.state = 'sealed';
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
  if ((fence.position ?? 0) !== from) return null;
  for (const { key, row } of staged) {
    const old = world.source.rows.get(key);
    if (!row) world.source.rows.delete(key);
    else if (old?.value !== toSource(row.value))
      world.source.rows.set(key, { customer: row.customer, value: toSource(row.value), rev: (old?.rev ?? 0) + 1 });
  }
  fence.position = to;
  return staged.length;
}

/** Undo of preload: only while the target is closed and the source owns the wave. */
export async function purgeCopy(world: World, attempt: Attempt, ref: EffectRef): Promise<{ rows: number }> {
  const wave = waveNumber(ref);
  await attempt.tick(100);
  const check = (): void => {
    compareFence(world, 'target', ref);
    if (waveRow(world, 'target', wave).state !== 'sealed' || waveRow(world, 'source', wave).state === 'sealed')
      throw new ActivityFault('SystemRefused', 'the target owns this wave: its rows are not a copy');
  };
  check();
  const keys = rowsOfWave(world, 'target', wave).map(([key]) => key);
  for (const part of [keys.filter((_, index) => index % 2 === 0), keys]) {
    check();
    for (const key of part) world.target.rows.delete(key);
    await attempt.tick(200);
  }
  check();
  for (const key of [...world.target.chunksDone]) if (key.startsWith(`${wave}/`)) world.target.chunksDone.delete(key);
  return { rows: keys.length };
}

export async function verifyReturned(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
): Promise<{ ok: boolean; findings: string[] }> {
  const wave = waveNumber(ref);
  await attempt.tick(500);
  const source = waveRow(world, 'source', wave).state;
  const target = waveRow(world, 'target', wave).state;
  const left = rowsOfWave(world, 'target', wave).length;
  const findings = [
    ...(source === 'open' ? [] : [`the source is ${source}`]),
    ...(target === 'sealed' ? [] : [`the target is ${target}`]),
    ...(left === 0 ? [] : [`${left} rows at the target`]),
  ];
  return { ok: findings.length === 0, findings };
}
