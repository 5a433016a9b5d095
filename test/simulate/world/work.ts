import type { EvidenceItem } from '../../../domain/evidence';
import type {
  DrainResult,
  EffectRef,
  LedgerEntry,
  ReleaseResult,
  RunRef,
  UndoKind,
  UndoRow,
} from '../../../engine/contract';
import { ActivityFault, heartbeat, type Attempt } from './attempt';
import { compareControl, setIntake, waveNumber } from './fences';
import { accepts, waveOf, type RequestState, type World } from './world';
import { effectRequest, type Truth } from './writers';

export async function recordUndo(world: World, attempt: Attempt, ref: EffectRef, kind: UndoKind): Promise<void> {
  await attempt.tick(20);
  compareControl(world, ref);
  const { undo } = world.control;
  const known = undo.findIndex(
    (row) => row.wave === ref.wave && row.step === ref.step && row.occurrence === ref.occurrence && row.kind === kind,
  );
  if (known >= 0 && !undo[known]?.done && !undo[known]?.kept) return;
  if (known >= 0) undo.splice(known, 1);
  const seq = Math.max(0, ...undo.map((row) => row.seq)) + 1;
  undo.push({ seq, wave: ref.wave, step: ref.step, occurrence: ref.occurrence, kind, done: false, kept: false });
}

export async function listUndo(world: World, attempt: Attempt, ref: RunRef): Promise<UndoRow[]> {
  await attempt.tick(20);
  return world.control.undo
    .filter((row) => row.wave === ref.wave && !row.done)
    .map(({ done: _done, kept: _kept, ...row }) => row)
    .sort((a, b) => b.seq - a.seq);
}

export async function completeUndo(world: World, attempt: Attempt, seq: number, epoch: number): Promise<void> {
  await attempt.tick(20);
  const row = world.control.undo.find((candidate) => candidate.seq === seq);
  if (!row) return;
  if (epoch < (world.control.epoch.get(row.wave ?? 0) ?? 0))
    throw new ActivityFault('StaleEpoch', 'another rollback is at work');
  row.done = true;
}

/** The same instant, actor, action and subject twice is one entry, as in `control`. */
export async function appendLedger(world: World, attempt: Attempt, entries: readonly LedgerEntry[]): Promise<void> {
  await attempt.tick(20);
  for (const entry of entries) {
    const key = `${entry.at}|${entry.actor}|${entry.action}|${entry.subject}`;
    if (world.control.ledgerKeys.has(key)) continue;
    world.control.ledgerKeys.add(key);
    world.control.ledger.push(entry);
  }
}

export async function readMeasures(world: World, attempt: Attempt, gate: string): Promise<EvidenceItem[]> {
  await attempt.tick(world.prng.int(50, 2_000));
  return [...world.measures].map(([id, good]) => ({
    id,
    kind: 'measure',
    verdict: good ? 'pass' : 'fail',
    fingerprint: good ? 'in order' : 'red',
    title: `${id} at ${gate}`,
    shown: good ? 'in order' : 'red',
  }));
}

/**
 * `POST /stop` and `POST /start` of the job scheduler. Directly before the call the epoch is compared, and whether this very
 * action was done already: one that wakes late must not undo a later one of the same epoch.
 */
export async function runAction(
  world: World,
  attempt: Attempt,
  ref: EffectRef,
  direction: 'do' | 'undo',
): Promise<{ checked: boolean }> {
  await attempt.tick(300);
  compareControl(world, ref);
  const key = `${ref.wave}/${ref.step}/${ref.occurrence}/${ref.epoch}/${direction}`;
  if (world.jobs.done.has(key)) return { checked: true };
  world.jobs.done.add(key);
  world.jobs.running = (ref.step === 'start-jobs') === (direction === 'do');
  world.jobs.calls.push({ wave: ref.wave, step: ref.step, direction });
  await attempt.tick(300);
  return { checked: true };
}

const forwarding = (world: World, wave: number): number =>
  world.control.requests.filter((request) => request.state === 'forwarding' && waveOf(world, request.customer) === wave)
    .length;

/** Holds new work and waits until no forwarded request is unknown. */
export async function holdIntake(world: World, attempt: Attempt, ref: EffectRef): Promise<{ waitedFor: number }> {
  const wave = waveNumber(ref);
  await attempt.tick(50);
  setIntake(world, ref, 'held');
  const waitedFor = forwarding(world, wave);
  while (forwarding(world, wave) > 0) {
    await attempt.tick(5_000);
    heartbeat(attempt);
  }
  return { waitedFor };
}

/** Replays held requests in their order where the wave's owner is, then opens the intake. */
export async function releaseIntake(
  world: World,
  truth: Truth,
  attempt: Attempt,
  ref: EffectRef,
): Promise<ReleaseResult> {
  const wave = waveNumber(ref);
  let replayed = 0;
  await attempt.tick(50);
  for (const request of pendingOf(world, wave)) {
    compareControl(world, ref);
    if (request.state === 'effected') continue;
    const side = accepts(world, 'source', wave) ? 'source' : 'target';
    if (!world.broken.has('held-replay') && effectRequest(world, truth, side, request) === 'refused')
      throw new ActivityFault('SystemUnavailable', `the ${side} does not accept writes of wave ${wave} yet`);
    world.happened('work/held request replayed');
    await attempt.tick(50);
    request.state = 'effected';
    replayed++;
  }
  await attempt.tick(50);
  setIntake(world, ref, 'open');
  return { replayed, refused: 0, pending: pendingOf(world, wave).length };
}

/** In the order of their arrival; forwards of unknown outcome are performed again. */
const pendingOf = (world: World, wave: number): RequestState[] =>
  world.control.requests.filter((request) => request.state !== 'effected' && waveOf(world, request.customer) === wave);

export async function drain(world: World, attempt: Attempt, ref: EffectRef, deadline: number): Promise<DrainResult> {
  const wave = waveNumber(ref);
  for (;;) {
    await attempt.tick(20_000);
    heartbeat(attempt);
    const open = world.openWork.get(wave) ?? 0;
    if (open > 0 && world.prng.chance(0.4)) world.openWork.set(wave, open - 1);
    if (open > 0 && world.clock.now < deadline) continue;
    const leftovers = open > 0 ? [{ work: 'orders', count: open, wentTo: 'ops' }] : [];
    return { drained: open === 0, open: [{ work: 'orders', open, deadLetters: 0 }], leftovers };
  }
}
