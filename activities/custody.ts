import { CancelledFailure, log } from '@temporalio/activity';
import { readCustody } from '../domain/custody';
import type { Activities, EffectRef, FreezeResult, LeaseEnd, ReturnResult, SwitchResult } from '../engine/contract';
import { setCustody } from '../systems/control/routing';
import { waveWorkflowId } from '../workflows/names';
import { alignTargetSequences, finishReturn } from '../systems/postgres/data/sequences';
import { carryBackPass } from '../systems/postgres/data/carry-back';
import { membershipDigest } from '../systems/postgres/data/census';
import { startCarryBack, readPosition } from '../systems/postgres/data/position';
import { guardedTables } from '../systems/postgres/data/compile';
import { openSealed, type Opening } from '../systems/postgres/resolve';
import { guardFindings, guardTables } from '../systems/postgres/schema';
import { SystemFault } from '../systems/ports';
import { beating, staleEpoch, type Beat } from './attempt';
import { takeBackHalfMoved } from './exclude';
import { countRowsMoved } from './rows-moved';
import { waveOf } from './wave-of';
import type { CutoverWorld, World } from './world';
import { durationMs } from '../runbooks/schema/common';

type CustodyActivities = Pick<Activities, 'freeze' | 'holdFreeze' | 'thaw' | 'switchWave' | 'returnCustody'>;

/** Who is the system of record: freeze, lease, seal and open, and the way back (PROTOCOL 11-16). */
export function custodyActivities(world: World): CustodyActivities {
  return {
    freeze: ({ ref, leaseMs }) => freeze(world, ref, leaseMs),
    holdFreeze: (input) => beating((beat) => holdFreeze(world, input, beat)),
    thaw: ({ ref }) => thaw(world, ref),
    switchWave: ({ ref }) => switchWave(world, ref),
    returnCustody: ({ ref }) => beating((beat) => returnCustody(world, ref, beat)),
  };
}

async function project(world: World, ref: EffectRef, custody: 'source' | 'moving' | 'target'): Promise<void> {
  const done = await setCustody(world.control, { cutover: ref.cutover, wave: waveOf(ref), custody, epoch: ref.epoch });
  if (done.outcome === 'stale') throw staleEpoch(`routing of wave ${waveOf(ref)}`);
}

async function freeze(world: World, ref: EffectRef, leaseMs: number): Promise<FreezeResult> {
  const { custody } = await world.of(ref.cutover);
  const frozen = await custody.source.freeze(waveOf(ref), ref.epoch, leaseMs);
  if (frozen.outcome === 'stale') {
    const now = await custody.source.wave(waveOf(ref));
    if (now.epoch === ref.epoch && !now.refusesWrites) return { outcome: 'lapsed' };
    throw staleEpoch(`freeze of wave ${waveOf(ref)}`);
  }
  if (frozen.outcome === 'sealed') return { outcome: 'not-owner' };
  if (frozen.outcome === 'blocked') return frozen;
  await project(world, ref, 'moving');
  return { outcome: 'frozen', frozenAt: frozen.frozenAt.getTime(), leaseUntil: frozen.leaseUntil.getTime() };
}

const RENEWALS_PER_LEASE = 6;

/** Renews only while both runs are open; when that cannot be asked it does not renew, and asks again. */
async function holdFreeze(
  world: World,
  { ref, leaseMs, notAfter }: { ref: EffectRef; leaseMs: number; notAfter: number },
  beat: Beat,
): Promise<LeaseEnd> {
  const { custody, row } = await world.of(ref.cutover);
  const wave = waveOf(ref);
  for (;;) {
    beat.check();
    const open = await runsOpen(world, row.workflowId, waveWorkflowId(row.workflowId, wave));
    if (open === false) return { outcome: 'run-closed' };
    if (open === true) {
      const renewed = await custody.source.renew(wave, ref.epoch, leaseMs, new Date(notAfter));
      if (renewed.outcome === 'stale' || renewed.outcome === 'not-frozen') return { outcome: 'released' };
      if (renewed.outcome !== 'renewed') return { outcome: renewed.outcome };
      beat.progress({ leaseUntil: renewed.leaseUntil.toISOString() });
    }
    await beat.pause(leaseMs / RENEWALS_PER_LEASE);
  }
}

/** Null: Temporal did not answer. */
async function runsOpen(world: World, ...workflowIds: string[]): Promise<boolean | null> {
  try {
    const open = await Promise.all(workflowIds.map((id) => world.options.runs.isOpen(id)));
    return open.every(Boolean);
  } catch (error) {
    if (error instanceof CancelledFailure) throw error;
    log.warn('the lease is not renewed: Temporal does not say whether the runs are open', { error });
    return null;
  }
}

async function thaw(world: World, ref: EffectRef): Promise<void> {
  const { custody } = await world.of(ref.cutover);
  const thawed = await custody.source.thaw(waveOf(ref), ref.epoch);
  if (thawed.outcome === 'stale') throw staleEpoch(`thaw of wave ${waveOf(ref)}`);
  if (thawed.outcome === 'sealed')
    throw new SystemFault(
      `wave ${waveOf(ref)} is sealed at the source: its custody must come back before it is thawed`,
      false,
    );
  await project(world, ref, 'source');
}

/**
 * Forward (PROTOCOL 13): the seal's commit decides; what follows is repeated until it is done. The epoch is compared by
 * every call, so a rollback that raised it wins or finds the wave open, never both.
 */
async function switchWave(world: World, ref: EffectRef): Promise<SwitchResult> {
  const cutover = await world.of(ref.cutover);
  const { custody, pair } = cutover;
  const wave = waveOf(ref);
  if ((await custody.source.wave(wave)).state !== 'sealed') {
    await takeBackHalfMoved(world, cutover, ref);
    const [here, there] = await Promise.all([membershipDigest(pair.source, wave), membershipDigest(pair.target, wave)]);
    if (here !== there)
      return {
        outcome: 'refused',
        reason: `${MEMBERS_DIFFER(wave)}: roll back, and start again`,
      };
    const open = await guardFindings(pair.target);
    if (open.length > 0)
      return { outcome: 'refused', reason: `the target's guards are not as installed: ${open.join('; ')}; ${ANEW}` };
    await alignTargetSequences(pair, await cutover.compiled());
    const start = await startCarryBack(pair, wave, ref.epoch);
    if ('outcome' in start) throw staleEpoch(`switch of wave ${wave}`);
    const applied = await readPosition(pair.target, wave);
    if (applied === null) return { outcome: 'refused', reason: `wave ${wave} was never copied` };
    const sealed = await custody.source.seal(wave, ref.epoch, applied);
    if (sealed.outcome === 'stale') throw staleEpoch(`switch of wave ${wave}`);
    if (sealed.outcome !== 'sealed') return { outcome: 'refused', reason: sealProblem(sealed) };
  }
  const opening = await openTogether(world, cutover, ref);
  if (opening === 'stale') throw staleEpoch(`opening of wave ${wave}`);
  if (opening === 'members-differ') throw new SystemFault(`${MEMBERS_DIFFER(wave)}, and do not become the same`, true);
  if (opening === 'other-owns') return { outcome: 'refused', reason: `wave ${wave} is the source's again` };
  await project(world, ref, 'target');
  return { outcome: 'switched', at: Date.now() };
}

const MEMBERS_DIFFER = (wave: number): string => `the members of wave ${wave} differ between source and target`;

/**
 * Opens the target for the members the source has sealed. An attempt of an earlier step that wakes late, under the same epoch, may
 * just have moved a customer at the target: the source refuses that by now, and the target follows it before it opens.
 */
async function openTogether(world: World, cutover: CutoverWorld, ref: EffectRef): Promise<Opening> {
  const { custody, pair } = cutover;
  const open = async (): Promise<Opening> =>
    openSealed(
      custody.target,
      custody.source,
      waveOf(ref),
      ref.epoch,
      await membershipDigest(pair.source, waveOf(ref)),
    );
  const opening = await open();
  if (opening !== 'members-differ') return opening;
  await takeBackHalfMoved(world, cutover, ref);
  return open();
}

/** What is left to do about writes that are in no log. */
const ANEW = 'what was written without them is in no log: roll back and start the wave anew, which puts them back';

type SealRefusal = Exclude<
  Awaited<ReturnType<CutoverWorld['custody']['source']['seal']>>,
  { outcome: 'sealed' | 'stale' }
>;

function sealProblem(sealed: SealRefusal): string {
  switch (sealed.outcome) {
    case 'lapsed':
      return 'the freeze had lapsed: customers may have written since; roll back, or freeze anew';
    case 'not-frozen':
      return 'the wave is not frozen';
    case 'unapplied':
      return `${sealed.rows} changes were logged after the last delta and are not applied: roll back, and start again`;
    case 'tampered':
      return `the guards are not as installed: ${sealed.findings.join('; ')}; ${ANEW}`;
  }
}

const RETURN_LEASE_MS = 60_000;
const SMALL_DELTA_ROWS = 500;
const MOST_LIVE_PASSES = 20;

/** Back (PROTOCOL 14, 15): from any state two wave rows can be in, under an epoch that was raised on both sides. */
async function returnCustody(world: World, ref: EffectRef, beat: Beat): Promise<ReturnResult> {
  const cutover = await world.of(ref.cutover);
  const { custody, pair } = cutover;
  const wave = waveOf(ref);
  const [source, target] = await Promise.all([custody.source.wave(wave), custody.target.wave(wave)]);
  const found = readCustody({ source: source.state, target: target.state });
  if (found.kind === 'owned-by-source') {
    await project(world, ref, 'source');
    return { path: 'never-sealed', carriedRows: 0 };
  }
  if (found.kind === 'two-owners')
    throw new SystemFault(
      `wave ${wave} accepts writes on both sides: stop both systems and call the data expert`,
      false,
    );
  let carriedRows = 0;
  const compiled = await cutover.compiled();
  const carry = async (): Promise<number> => {
    beat.check();
    const pass = await carryBackPass(pair, compiled, wave, ref.epoch);
    if (pass.outcome === 'stale') throw staleEpoch(`carry-back of wave ${wave}`);
    countRowsMoved('back', pass.rows);
    carriedRows += pass.rows;
    beat.progress({ carriedRows, lagRows: pass.lagRows });
    return pass.lagRows;
  };
  if (found.kind === 'owned-by-target') {
    for (let passes = 0; passes < MOST_LIVE_PASSES && (await carry()) > SMALL_DELTA_ROWS; passes++);
    await project(world, ref, 'moving');
    await freezeTarget(cutover, ref, beat, carry);
  }
  while ((await carry()) > 0);
  await finishReturn(pair, compiled);
  const opening = await openSealed(custody.source, custody.target, wave, ref.epoch);
  if (opening === 'stale') throw staleEpoch(`return of wave ${wave}`);
  if (opening === 'other-owns') throw new SystemFault(`wave ${wave} was opened at the target meanwhile`, true);
  await project(world, ref, 'source');
  return { path: found.kind === 'owned-by-target' || carriedRows > 0 ? 'carried-back' : 'unsealed', carriedRows };
}

/** Freezes the target, brings the last rows, and seals it. A lease that lapses on the way is taken anew. */
async function freezeTarget(
  cutover: CutoverWorld,
  ref: EffectRef,
  beat: Beat,
  carry: () => Promise<number>,
): Promise<void> {
  const { custody, pair, documents } = cutover;
  const wave = waveOf(ref);
  const leaseMs = Math.max(RETURN_LEASE_MS, durationMs(documents.runbook.limits.lease));
  let putBack = false;
  for (;;) {
    const frozen = await custody.target.freeze(wave, ref.epoch, leaseMs);
    if (frozen.outcome === 'stale') {
      const now = await custody.target.wave(wave);
      if (now.epoch !== ref.epoch || now.state !== 'frozen' || now.refusesWrites)
        throw staleEpoch(`return of wave ${wave}`);
      // Lapsed under our own epoch: an attempt died, or a pass took long. Nobody renews this lease, and the seal counts
      // what was written since, so the same epoch may freeze anew.
      await custody.target.thaw(wave, ref.epoch);
      continue;
    }
    if (frozen.outcome === 'sealed') return;
    if (frozen.outcome === 'blocked')
      throw new SystemFault(`the target cannot be frozen: ${frozen.blockers.join(', ')}; end these transactions`, true);
    while ((await carry()) > 0) {
      await custody.target.renew(wave, ref.epoch, leaseMs, new Date(Date.now() + leaseMs));
    }
    const applied = await readPosition(pair.source, wave);
    if (applied === null)
      throw new SystemFault(
        `wave ${wave} has no carry-back position: it was opened by hand; call the data expert`,
        false,
      );
    const sealed = await custody.target.seal(wave, ref.epoch, applied);
    if (sealed.outcome === 'sealed') return;
    if (sealed.outcome === 'stale') throw staleEpoch(`return of wave ${wave}`);
    if (sealed.outcome === 'tampered') {
      if (putBack)
        throw new SystemFault(`the target's guards are not as installed: ${sealed.findings.join('; ')}`, false);
      // Whatever was written without a guard is carried back too: putting it back logs every row.
      putBack = true;
      await guardTables(pair.target, guardedTables(await cutover.compiled(), 'target'));
    }
    beat.check();
  }
}
