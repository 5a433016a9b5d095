/**
 * Narrow ports between activities and systems. Nothing here knows Temporal. Expected outcomes are values; a
 * fault throws a SystemFault with its cause and a message without personal data.
 */
import type { WaveState } from '../domain/custody';

export class SystemFault extends Error {
  /** When the system asked not to be tried again before, such as with `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    readonly retryable: boolean,
    options?: { cause?: unknown; retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.name = 'SystemFault';
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** A `pg_snapshot` as text: what a reader has seen (PROTOCOL 7). */
export type Position = string;

export type Stale = { outcome: 'stale' };

export interface WaveRow {
  wave: number;
  state: WaveState;
  leaseUntil: Date | null;
  epoch: number;
  /** False when a lease lapsed: the state says frozen but writers pass. */
  refusesWrites: boolean;
}

/** Custody of waves in one system: freeze, lease, seal, open. Each method is one autocommitted call (PROTOCOL 4). */
export interface CustodyPort {
  wave(wave: number): Promise<WaveRow>;
  /** Raises the fence; `stale` when a higher epoch is there already. Raising to the present epoch is `done`. */
  raise(wave: number, epoch: number): Promise<{ outcome: 'done' } | Stale>;
  freeze(
    wave: number,
    epoch: number,
    leaseMs: number,
  ): Promise<
    | { outcome: 'frozen'; frozenAt: Date; leaseUntil: Date }
    | { outcome: 'blocked'; blockers: string[] }
    | { outcome: 'sealed' }
    | Stale
  >;
  renew(
    wave: number,
    epoch: number,
    leaseMs: number,
    notAfter: Date,
  ): Promise<{ outcome: 'renewed'; leaseUntil: Date } | { outcome: 'lapsed' | 'limit' | 'not-frozen' } | Stale>;
  thaw(wave: number, epoch: number): Promise<{ outcome: 'thawed' | 'sealed' | 'not-frozen' } | Stale>;
  /** Frozen → sealed, under the exclusive lock. `applied` is the position the other side committed. */
  seal(
    wave: number,
    epoch: number,
    applied: Position,
  ): Promise<
    | { outcome: 'sealed' }
    | { outcome: 'lapsed' | 'not-frozen' }
    | { outcome: 'unapplied'; rows: number }
    | { outcome: 'tampered'; findings: string[] }
    | Stale
  >;
  /**
   * Sealed → open. `done` when it was open under this epoch already. With `members`, the digest of who the wave's members are in the
   * other system, a wave that has others here stays sealed: `members-differ`.
   */
  open(wave: number, epoch: number, members?: string): Promise<{ outcome: 'done' | 'members-differ' } | Stale>;
  /**
   * Moves customers between waves under both exclusive locks; logs every key of each (PROTOCOL 3). `fences` gives the
   * epoch of every wave involved (wave 0 needs none): a fault with SQLSTATE CU002 when one was raised meanwhile. Pass them
   * whenever a switch may run at the same time: the other system is changed by another call, and a seal between the
   * two would leave the customer with two owners or none. Change the system that does not own the waves first: the
   * rows logged by the owner's change then bring the copy in line.
   */
  moveMembers(customers: string[], to: number, fences?: Readonly<Record<number, number>>): Promise<{ moved: number }>;
}
