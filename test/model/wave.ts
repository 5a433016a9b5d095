import type { Side, WaveState } from '../../domain/custody';

/** One system's row, fence, log and data of one wave, which has one customer with one row. Never changed in place. */
export interface SideState {
  state: WaveState;
  /** Frozen, and the lease is over: writers pass. */
  lapsed: boolean;
  /** Under which epoch it was frozen; 0 while it is not. */
  frozenEpoch: number;
  fence: number;
  /** The number of the write the row holds; null: no row here. */
  value: number | null;
  /** Writes committed here by customers. */
  log: number;
  /** How much of the other side's log is applied here; null before the first copy. */
  applied: number | null;
  /** A write was committed here since it was frozen. */
  dirty: boolean;
}

/** What somebody who moves the wave does next, and what the attempt remembers. */
export interface Mover {
  next: Next;
  epoch: number;
  /** The log position a pass or a seal goes by. */
  seen: number | null;
  /** The value a pass read. */
  read: number | null;
  /** What the source was when it was looked at. */
  source: WaveState | null;
}

/** The customer's transaction: none, a snapshot taken before its first statement, or let in by the guard and not committed. */
export type Writer = { at: 'idle' } | { at: 'snapshot'; side: Side; stale: boolean } | { at: 'inside'; side: Side };

export interface Wave {
  source: SideState;
  target: SideState;
  mover: Mover;
  /** An attempt that was given up, and wakes. */
  zombie: Mover | null;
  writer: Writer;
  /** The number of the last acknowledged write. */
  acked: number;
  lastEpoch: number;
}

/** The activities, as the engine calls them; an attempt that is tried again begins its activity anew. */
export const ACTIVITIES = {
  freeze: ['freeze'],
  convert: ['pass', 'passing'],
  switch: ['look', 'start back', 'read position', 'seal', 'raise source', 'look again', 'raise target', 'open'],
  'new epoch': ['raise target anew', 'raise source anew'],
  'raise for back': ['raise target for back', 'raise source for back'],
  'return custody': [
    'look at source',
    'look at target',
    'freeze target',
    'thaw target',
    'carry',
    'carrying',
    'seal target',
    'raise target to unseal',
    'look at target to unseal',
    'raise source to unseal',
    'open source',
  ],
  thaw: ['thaw'],
  purge: ['purge'],
} as const;

type Activity = keyof typeof ACTIVITIES;
export type Call = (typeof ACTIVITIES)[Activity][number];
/** Between activities: `refused` and `waits` need a person, `lost` a rollback; `live` and `back` are the ends. */
export type Next = Call | 'refused' | 'waits' | 'lost' | 'live' | 'back';

const ACTIVITY_OF = new Map<string, Activity>(
  Object.entries(ACTIVITIES).flatMap(([activity, calls]) => calls.map((call) => [call, activity as Activity] as const)),
);
export const activityOf = (next: Next): Activity | null => ACTIVITY_OF.get(next) ?? null;

const FORWARD: readonly (Activity | null)[] = ['freeze', 'convert', 'switch', 'new epoch'];
/** On the way to the target, or there. */
export const isForward = (next: Next): boolean =>
  next === 'refused' || next === 'lost' || next === 'live' || FORWARD.includes(activityOf(next));

/** What the guard says to a writer (PROTOCOL 1). */
export const accepts = ({ state, lapsed }: SideState): boolean => state === 'open' || (state === 'frozen' && lapsed);

/** Copied and followed: the night begins. */
export function firstWave(): Wave {
  const side: SideState = {
    state: 'open',
    lapsed: false,
    frozenEpoch: 0,
    fence: 1,
    value: 0,
    log: 0,
    applied: null,
    dirty: false,
  };
  return {
    source: side,
    target: { ...side, state: 'sealed', applied: 0 },
    mover: { next: 'freeze', epoch: 1, seen: null, read: null, source: null },
    zombie: null,
    writer: { at: 'idle' },
    acked: 0,
    lastEpoch: 1,
  };
}

/** Two waves of the same key are the same. */
export function keyOf({ source, target, mover, zombie, writer, acked, lastEpoch }: Wave): string {
  const side = (s: SideState): string =>
    `${s.state[0]}${Number(s.lapsed)}${s.frozenEpoch}${s.fence}${s.value}${s.log}${s.applied}${Number(s.dirty)}`;
  const by = (m: Mover | null): string => (m ? `${m.next}${m.epoch}${m.seen}${m.read}${m.source}` : '-');
  const writes = `${writer.at}${'side' in writer ? writer.side : ''}${'stale' in writer ? writer.stale : ''}`;
  return [side(source), side(target), by(mover), by(zombie), writes, acked, lastEpoch].join(';');
}
