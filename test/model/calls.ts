import { readCustody, type Side } from '../../domain/custody';
import { SQL, type Answer, type Caller } from './sql';
import { activityOf, type Call, type Mover, type Next, type SideState, type Wave } from './wave';

/** What came of a call: how it is told, and the wave after it; null: it would wait for a lock. */
export type Called = { outcome: string; wave: Wave; mover: Mover } | null;

export const insideOf = (wave: Wave, side: Side): boolean => wave.writer.at === 'inside' && wave.writer.side === side;

/** A pass holds the fence of the side it writes, until it commits. */
export const holdsFence = ({ mover, zombie }: Wave, side: Side): boolean => {
  const holding = side === 'target' ? 'passing' : 'carrying';
  return mover.next === holding || zombie?.next === holding;
};

/** A changed wave row makes snapshots from before it stale. */
export function withSide(wave: Wave, side: Side, after: SideState): Wave {
  const before = wave[side];
  if (before === after) return wave;
  const rowChanged =
    before.state !== after.state || before.lapsed !== after.lapsed || before.frozenEpoch !== after.frozenEpoch;
  const { writer } = wave;
  const stale = rowChanged && writer.at === 'snapshot' && writer.side === side;
  return { ...wave, [side]: after, writer: stale ? { ...writer, stale: true } : writer };
}

const forgetful = (mover: Mover, next: Next): Mover => ({ ...mover, next, seen: null, read: null, source: null });

interface Turn {
  wave: Wave;
  mover: Mover;
  caller: Caller;
  /** Whether another wave's pass writes into this side: passes take turns. */
  passElsewhere: (side: Side) => boolean;
}

/** One custody function, under the wave's exclusive lock but for `raise`. `then` says what comes next by its outcome. */
function custody(
  { wave, mover, caller }: Turn,
  side: Side,
  name: 'raise' | 'freeze' | 'thaw' | 'seal' | 'open',
  then: (outcome: string, mover: Mover) => Mover,
  applied = 0,
): Called {
  if (holdsFence(wave, side)) return null;
  if (name !== 'raise' && insideOf(wave, side)) return null;
  const answer: Answer = name === 'seal' ? SQL.seal(wave[side], caller, applied) : SQL[name](wave[side], caller);
  return { outcome: answer.outcome, wave: withSide(wave, side, answer.side), mover: then(answer.outcome, mover) };
}

/** Takes the fence and the pass lock into `side`, and looks at the other side in one snapshot. */
function beginPass({ wave, mover, caller, passElsewhere }: Turn, side: Side, holding: Next, failed: Next): Called {
  if (passElsewhere(side) || holdsFence(wave, side)) return null;
  if (SQL.fence(wave[side], caller) === 'stale') return { outcome: 'stale', wave, mover: forgetful(mover, failed) };
  if (wave[side].state !== 'sealed') return { outcome: 'not-sealed', wave, mover: forgetful(mover, failed) };
  const from = side === 'target' ? wave.source : wave.target;
  return { outcome: 'begun', wave, mover: { ...mover, next: holding, seen: from.log, read: from.value } };
}

function commitPass({ wave, mover }: Turn, side: Side, next: (mover: Mover) => Next): Called {
  const here = wave[side];
  const news = (mover.seen ?? 0) > (here.applied ?? 0);
  const after = { ...here, applied: mover.seen, value: news ? mover.read : here.value };
  return { outcome: 'committed', wave: withSide(wave, side, after), mover: forgetful(mover, next(mover)) };
}

/** Sets where the way back begins, unless it is set. */
function startBack({ wave, mover, caller }: Turn): Called {
  if (holdsFence(wave, 'source')) return null;
  if (SQL.fence(wave.source, caller) === 'stale') return { outcome: 'stale', wave, mover: forgetful(mover, 'lost') };
  const applied = wave.source.applied ?? wave.target.log;
  const source = applied === wave.source.applied ? wave.source : { ...wave.source, applied };
  return { outcome: 'set', wave: { ...wave, source }, mover: { ...mover, next: 'read position' } };
}

/** The copy is deleted: only while the target is closed and the source owns the wave. */
function purge({ wave, mover, caller }: Turn): Called {
  if (holdsFence(wave, 'target') || holdsFence(wave, 'source')) return null;
  if (SQL.fence(wave.target, caller) === 'stale') return { outcome: 'stale', wave, mover: forgetful(mover, 'waits') };
  if (wave.target.state !== 'sealed' || wave.source.state === 'sealed')
    return { outcome: 'refused', wave, mover: forgetful(mover, 'waits') };
  return {
    outcome: 'purged',
    wave: { ...wave, target: { ...wave.target, value: null, applied: null } },
    mover: forgetful(mover, 'back'),
  };
}

const look = ({ wave, mover }: Turn, side: Side, then: (state: SideState['state']) => Partial<Mover>): Called => ({
  outcome: wave[side].state,
  wave,
  mover: { ...mover, ...then(wave[side].state) },
});

const go =
  (good: Next, bad: Next) =>
  (outcome: string, mover: Mover): Mover =>
    outcome === 'done' || outcome === 'thawed' || outcome === 'not-frozen'
      ? { ...mover, next: good }
      : forgetful(mover, bad);

/** Whatever is not behind the log goes on to be sealed; the rest takes another pass. */
const lagBack = (wave: Wave, mover: Mover): boolean => wave.target.log > (mover.seen ?? 0);

const CALLS: Record<Call, (turn: Turn) => Called> = {
  freeze: (turn) =>
    custody(turn, 'source', 'freeze', (outcome, mover) => {
      if (outcome === 'frozen') return { ...mover, next: 'pass' };
      const lapsed = outcome === 'stale' && turn.wave.source.fence === mover.epoch;
      return { ...mover, next: lapsed ? 'raise target anew' : 'lost' };
    }),
  pass: (turn) => beginPass(turn, 'target', 'passing', 'lost'),
  passing: (turn) =>
    commitPass(turn, 'target', (mover) => (turn.wave.source.log > (mover.seen ?? 0) ? 'pass' : 'look')),
  look: (turn) => look(turn, 'source', (state) => ({ next: state === 'sealed' ? 'raise source' : 'start back' })),
  'start back': startBack,
  'read position': ({ wave, mover }) => ({
    outcome: 'read',
    wave,
    mover:
      wave.target.applied === null
        ? forgetful(mover, 'refused')
        : { ...mover, next: 'seal', seen: wave.target.applied },
  }),
  seal: (turn) =>
    custody(
      turn,
      'source',
      'seal',
      (outcome, mover) =>
        forgetful(mover, outcome === 'sealed' ? 'raise source' : outcome === 'stale' ? 'lost' : 'refused'),
      turn.mover.seen ?? 0,
    ),
  'raise source': (turn) => custody(turn, 'source', 'raise', go('look again', 'lost')),
  'look again': (turn) => look(turn, 'source', (state) => ({ next: state === 'sealed' ? 'raise target' : 'lost' })),
  'raise target': (turn) => custody(turn, 'target', 'raise', go('open', 'lost')),
  open: (turn) => custody(turn, 'target', 'open', go('live', 'lost')),
  'raise target anew': (turn) => custody(turn, 'target', 'raise', go('raise source anew', 'lost')),
  'raise source anew': (turn) => custody(turn, 'source', 'raise', go('freeze', 'lost')),
  'raise target for back': (turn) => custody(turn, 'target', 'raise', go('raise source for back', 'waits')),
  'raise source for back': (turn) => custody(turn, 'source', 'raise', go('look at source', 'waits')),
  'look at source': (turn) => look(turn, 'source', (state) => ({ next: 'look at target', source: state })),
  'look at target': (turn) =>
    look(turn, 'target', (target) => {
      const found = readCustody({ source: turn.mover.source ?? 'sealed', target }).kind;
      const next = {
        'owned-by-source': 'thaw',
        'owned-by-target': 'freeze target',
        'sealed-not-open': 'carry',
        'two-owners': 'waits',
      } as const;
      return { next: next[found], source: null };
    }),
  'freeze target': (turn) =>
    custody(turn, 'target', 'freeze', (outcome, mover) => {
      if (outcome === 'frozen' || outcome === 'sealed') return { ...mover, next: 'carry' };
      const lapsed = turn.wave.target.fence === mover.epoch;
      return { ...mover, next: lapsed ? 'thaw target' : 'waits' };
    }),
  'thaw target': (turn) => custody(turn, 'target', 'thaw', go('freeze target', 'waits')),
  carry: (turn) => beginPass(turn, 'source', 'carrying', 'waits'),
  carrying: (turn) =>
    commitPass(turn, 'source', (mover) => {
      if (lagBack(turn.wave, mover)) return 'carry';
      return turn.wave.target.state === 'sealed' ? 'raise target to unseal' : 'seal target';
    }),
  'seal target': (turn) =>
    custody(
      turn,
      'target',
      'seal',
      (outcome, mover) => {
        if (outcome === 'sealed') return { ...mover, next: 'carry' };
        return { ...mover, next: outcome === 'stale' ? 'waits' : 'freeze target' };
      },
      turn.wave.source.applied ?? 0,
    ),
  'raise target to unseal': (turn) => custody(turn, 'target', 'raise', go('look at target to unseal', 'waits')),
  'look at target to unseal': (turn) =>
    look(turn, 'target', (state) => ({ next: state === 'sealed' ? 'raise source to unseal' : 'waits' })),
  'raise source to unseal': (turn) => custody(turn, 'source', 'raise', go('open source', 'waits')),
  'open source': (turn) => custody(turn, 'source', 'open', go('thaw', 'waits')),
  thaw: (turn) => custody(turn, 'source', 'thaw', go('purge', 'waits')),
  purge,
};

/** The next call of `mover`; null when it waits for a lock, or there is none. */
export function callNext(turn: Turn): Called {
  const { next } = turn.mover;
  return activityOf(next) === null ? null : CALLS[next as Call](turn);
}
