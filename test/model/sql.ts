import type { SideState } from './wave';

/** Rules of PROTOCOL.md that a mutant of the model drops. */
export const RULES = {
  'old snapshots pass the guard': 'rule 1',
  'the seal does not count': 'rule 8',
  'a lapsed lease is renewed': 'rule 11',
  'the seal does not look at the lease': 'rule 13',
  'resolved by looking alone': 'rule 14',
  'late attempts compare no epoch': 'DESIGN §7.5',
} as const;
export type Rule = keyof typeof RULES;

/** What a custody function of `systems/postgres/sql/custody.ts` answers, and the side after it. */
export interface Answer {
  outcome: string;
  side: SideState;
}

export interface Caller {
  epoch: number;
  broken: ReadonlySet<Rule>;
  /** A late attempt. */
  late: boolean;
}

const stale = ({ fence }: SideState, { epoch, broken, late }: Caller): boolean =>
  fence !== epoch && !(late && broken.has('late attempts compare no epoch'));

const thawed = { lapsed: false, frozenEpoch: 0, dirty: false } as const;

/**
 * The stated model of the SQL functions, each a single transaction; `conformance.test.ts` plays it against them. Locks are the
 * caller's: a function that would wait is not called.
 */
export const SQL = {
  raise(side: SideState, { epoch, broken, late }: Caller): Answer {
    if (side.fence > epoch && !(late && broken.has('late attempts compare no epoch')))
      return { outcome: 'stale', side };
    return { outcome: 'done', side: { ...side, fence: Math.max(side.fence, epoch) } };
  },

  freeze(side: SideState, caller: Caller): Answer {
    if (stale(side, caller)) return { outcome: 'stale', side };
    if (side.state === 'sealed') return { outcome: 'sealed', side };
    if (side.state === 'frozen' && !side.lapsed) return { outcome: 'frozen', side };
    if (side.state === 'frozen' && side.frozenEpoch >= caller.epoch) return { outcome: 'stale', side };
    const frozen = { state: 'frozen', lapsed: false, frozenEpoch: caller.epoch, dirty: false } as const;
    return { outcome: 'frozen', side: { ...side, ...frozen } };
  },

  renew(side: SideState, caller: Caller): Answer {
    if (stale(side, caller)) return { outcome: 'stale', side };
    if (side.state !== 'frozen') return { outcome: 'not-frozen', side };
    if (side.lapsed && !caller.broken.has('a lapsed lease is renewed')) return { outcome: 'lapsed', side };
    return { outcome: 'renewed', side: { ...side, lapsed: false } };
  },

  thaw(side: SideState, caller: Caller): Answer {
    if (stale(side, caller)) return { outcome: 'stale', side };
    if (side.state !== 'frozen') return { outcome: side.state === 'sealed' ? 'sealed' : 'not-frozen', side };
    return { outcome: 'thawed', side: { ...side, state: 'open', ...thawed } };
  },

  /** `applied`: how much of this side's log the other side has. */
  seal(side: SideState, caller: Caller, applied: number): Answer {
    if (stale(side, caller)) return { outcome: 'stale', side };
    if (side.state === 'sealed') return { outcome: 'sealed', side };
    if (side.state !== 'frozen') return { outcome: 'not-frozen', side };
    if (side.lapsed && !caller.broken.has('the seal does not look at the lease')) return { outcome: 'lapsed', side };
    if (side.log > applied && !caller.broken.has('the seal does not count')) return { outcome: 'unapplied', side };
    return { outcome: 'sealed', side: { ...side, state: 'sealed', ...thawed } };
  },

  open(side: SideState, caller: Caller): Answer {
    if (stale(side, caller)) return { outcome: 'stale', side };
    if (side.state === 'frozen') return { outcome: 'frozen', side };
    return { outcome: 'done', side: { ...side, state: 'open' } };
  },

  /** What a transaction of ours finds when it takes the fence. */
  fence: (side: SideState, caller: Caller): 'stale' | 'taken' => (stale(side, caller) ? 'stale' : 'taken'),
} as const;
