import { SIDES, type Side } from '../../domain/custody';
import { callNext, holdsFence, insideOf, withSide } from './calls';
import { SQL, type Rule } from './sql';
import { accepts, ACTIVITIES, activityOf, isForward, type Mover, type Next, type Wave } from './wave';

/** What there is only so much of. */
export type Scarce = 'writes' | 'crashes' | 'sleeps';
export type Budget = Readonly<Record<Scarce, number>>;

/** One step of somebody: what is done, by whom, and what it answers. */
export interface Step {
  who: 'mover' | 'zombie' | 'lease' | 'writer' | 'fate' | 'other';
  what: string;
  side?: Side;
  outcome: string;
}

export interface Move {
  step: Step;
  wave: Wave;
  spends?: Scarce;
  /** The promise it broke, with what happened. */
  broke: string | null;
}

export interface Around {
  broken: ReadonlySet<Rule>;
  /** Whether another wave's pass writes into this side. */
  passElsewhere: (side: Side) => boolean;
}

const HOLDING: readonly Next[] = ['pass', 'passing', 'look', 'start back', 'read position', 'seal', 'refused'];
const HOLDING_BACK: readonly Next[] = ['carry', 'carrying', 'seal target'];

const again = (mover: Mover, next: Next): Mover => ({ ...mover, next, seen: null, read: null, source: null });

/** Every step that may come next in a wave, what it spends being there. */
export function movesOf(wave: Wave, around: Around): Move[] {
  const moves = [
    ...callsOf(wave, around),
    ...fatesOf(wave, around),
    ...leaseMoves(wave, around),
    ...writerMoves(wave, around),
  ];
  return moves.map((move) => ({ ...move, broke: move.broke ?? brokenIn(wave, move) }));
}

type Bare = Omit<Move, 'broke'> & { broke?: string };

function callsOf(wave: Wave, { broken, passElsewhere }: Around): Move[] {
  const calls: Bare[] = [];
  for (const who of ['mover', 'zombie'] as const) {
    const mover = wave[who];
    if (!mover) continue;
    const caller = { epoch: mover.epoch, broken, late: who === 'zombie' };
    const called = callNext({ wave, mover, caller, passElsewhere });
    if (!called) continue;
    const step: Step = { who, what: mover.next, outcome: called.outcome };
    calls.push({ step, wave: after(called.wave, who, mover, called.mover) });
  }
  return calls.map((call) => ({ ...call, broke: null }));
}

/** A late attempt ends with its activity; a lapsed freeze is taken anew under a new epoch. */
function after(wave: Wave, who: 'mover' | 'zombie', before: Mover, now: Mover): Wave {
  if (who === 'zombie') return { ...wave, zombie: activityOf(now.next) === activityOf(before.next) ? now : null };
  if (before.next !== 'freeze' || now.next !== 'raise target anew') return { ...wave, mover: now };
  const epoch = wave.lastEpoch + 1;
  return { ...wave, lastEpoch: epoch, mover: { ...now, epoch } };
}

/** Attempts die or fall asleep and are tried again; people ask for the way back, or to try again. */
function fatesOf(wave: Wave, { broken }: Around): Move[] {
  const { mover } = wave;
  const fates: Bare[] = [];
  const fate = (what: string, changed: Wave, spends?: Scarce): void =>
    void fates.push({ step: { who: 'fate', what, outcome: '' }, wave: changed, ...(spends ? { spends } : {}) });
  const activity = activityOf(mover.next);
  if (activity !== null) {
    const retried = { ...wave, mover: again(mover, ACTIVITIES[activity][0]) };
    const inPass = mover.next === 'passing' || mover.next === 'carrying';
    fate(`dies before ${mover.next}`, retried, 'crashes');
    if (wave.zombie === null && !inPass)
      fate(`falls asleep before ${mover.next}`, { ...retried, zombie: mover }, 'sleeps');
  }
  const goBack = (): Wave => {
    const epoch = broken.has('resolved by looking alone') ? wave.lastEpoch : wave.lastEpoch + 1;
    return { ...wave, lastEpoch: epoch, mover: { ...again(mover, 'raise target for back'), epoch } };
  };
  if (isForward(mover.next)) fate('people ask for the way back', goBack());
  if (mover.next === 'waits') fate('people try the way back again', goBack());
  if (mover.next === 'pass') fate('somebody switches without converting', { ...wave, mover: again(mover, 'look') });
  if (mover.next === 'refused')
    for (const next of ['look', 'pass'] as const)
      fate(`people retry from ${next}`, { ...wave, mover: again(mover, next) });
  return fates.map((each) => ({ ...each, broke: null }));
}

function leaseMoves(wave: Wave, { broken }: Around): Move[] {
  const moves: Move[] = [];
  for (const side of SIDES) {
    const { state, lapsed } = wave[side];
    if (state === 'frozen' && !lapsed)
      moves.push({
        step: { who: 'lease', what: 'lapses', side, outcome: '' },
        // Time passes; no row is written.
        wave: { ...wave, [side]: { ...wave[side], lapsed: true } },
        broke: null,
      });
    const held = (side === 'source' ? HOLDING : HOLDING_BACK).includes(wave.mover.next);
    if (!held || insideOf(wave, side) || holdsFence(wave, side)) continue;
    const answer = SQL.renew(wave[side], { epoch: wave.mover.epoch, broken, late: false });
    const renewed = withSide(wave, side, answer.side);
    // A renewal writes the row even when nothing else of it changes.
    const { writer } = renewed;
    const stale = answer.outcome === 'renewed' && writer.at === 'snapshot' && writer.side === side;
    moves.push({
      step: { who: 'lease', what: 'renew', side, outcome: answer.outcome },
      wave: stale ? { ...renewed, writer: { ...writer, stale: true } } : renewed,
      broke: null,
    });
  }
  return moves;
}

function writerMoves(wave: Wave, { broken }: Around): Move[] {
  const { writer } = wave;
  const move = (what: string, side: Side, outcome: string, changed: Wave, spends?: Scarce): Move => ({
    step: { who: 'writer', what, side, outcome },
    wave: changed,
    broke: null,
    ...(spends ? { spends } : {}),
  });
  const idle: Wave = { ...wave, writer: { at: 'idle' } };
  if (writer.at === 'inside') {
    const { side } = writer;
    return [move('commits', side, '', committed(idle, side)), move('rolls back', side, '', idle)];
  }
  const statement = (side: Side, stale: boolean, spends?: Scarce): Move => {
    const inside: Wave = { ...wave, writer: { at: 'inside', side } };
    const passes = accepts(wave[side]) && (!stale || broken.has('old snapshots pass the guard'));
    const ignorant = stale && broken.has('old snapshots pass the guard');
    if (passes || ignorant) return move('statement', side, 'let in', inside, spends);
    return move('statement', side, stale ? 'stale' : 'refused', idle);
  };
  if (writer.at === 'snapshot') return [statement(writer.side, writer.stale)];
  return SIDES.flatMap((side) => [
    move('snapshot', side, '', { ...wave, writer: { at: 'snapshot', side, stale: false } }, 'writes'),
    statement(side, false, 'writes'),
  ]);
}

function committed(wave: Wave, side: Side): Wave {
  const acked = wave.acked + 1;
  const here = wave[side];
  const changed = { ...here, value: acked, log: here.log + 1, dirty: here.state === 'frozen' };
  return { ...wave, acked, [side]: changed };
}

/** OWNER, STILL, ONCE and that no acknowledged write is lost, in the state after a step and in the step itself. */
function brokenIn(before: Wave, { step, wave }: Move): string | null {
  if (accepts(wave.source) && accepts(wave.target)) return 'OWNER: both systems accept writes';
  for (const side of SIDES) {
    const [was, is] = [before[side], wave[side]];
    if (is.state === 'frozen' && !is.lapsed && is.dirty)
      return `STILL: written at the ${side} under a freeze that holds`;
    if (was.dirty && is.state === 'sealed' && was.state === 'frozen')
      return `STILL: written at the ${side} between freeze and seal`;
    if (accepts(is) && is.value !== wave.acked)
      return `CONTENT: the ${side} serves the wave without write ${wave.acked}`;
    const caller = step.who === 'mover' || step.who === 'zombie' ? before[step.who] : null;
    if (caller && caller.epoch < was.fence && was !== is)
      return `ONCE: an attempt of an older epoch changed the ${side}`;
  }
  return null;
}
