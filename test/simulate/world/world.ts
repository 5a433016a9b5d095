import type { Custody, Side, WaveState } from '../../../domain/custody';
import type { LedgerEntry, UndoRow } from '../../../engine/contract';
import type { Clock } from '../clock';
import type { Prng } from '../prng';
import type { Happened } from '../tally';

export interface Row {
  customer: string;
  value: string;
  /** Counts every write this row has seen in this system: tells an untouched row from one written back equal. */
  rev: number;
}

/** One line of a side's change log. A position is an index into the log: transactions here are single events. */
export interface Change {
  wave: number;
  key: string;
}

export interface Fence {
  epoch: number;
  /** What has been applied here, as an index into the other side's log; null before the first copy. */
  position: number | null;
}

export interface WaveRow {
  state: WaveState;
  leaseUntil: number;
  frozenAt: number;
  /** Under which epoch it was frozen last: a lapsed lease is taken anew under a later one only. */
  frozenEpoch: number;
}

export interface SystemState {
  side: Side;
  rows: Map<string, Row>;
  waves: Map<number, WaveRow>;
  fences: Map<number, Fence>;
  chunksDone: Set<string>;
  /** At the target, by wave: what `cutover.copy` says of the copy. `targetLog`: where the target's log was when it began. */
  copies: Map<number, { targetLog: number; kept: boolean }>;
  log: Change[];
}

export interface RequestState {
  id: number;
  customer: string;
  state: 'held' | 'forwarding' | 'effected';
  executions: number;
  submittedAt: number;
  /** First time it took effect, epoch ms. */
  effectedAt: number | null;
}

export interface Chunk {
  index: number;
  plannedUnder: number;
  claimedAt: number | null;
  done: boolean;
}

/** A writer's transaction that the guard let in and that is not committed yet: it holds the wave's lock until then. */
export interface OpenTransaction {
  side: Side;
  wave: number;
  customer: string;
  key: string;
  /** Null deletes. */
  value: string | null;
  commitsAt: number;
}

/** The job scheduler was stopped or started by a step (`do`) or by its undo. */
export interface JobsCall {
  wave: number | null;
  step: string;
  direction: 'do' | 'undo';
}

/** The control database. Wave 0 stands for the cutover itself where a wave is asked for. */
export interface Control {
  epochs: number;
  epoch: Map<number, number>;
  /** Epoch by wave and key: the same key takes none twice. */
  epochsTaken: Map<string, number>;
  undo: (UndoRow & { done: boolean; kept: boolean })[];
  ledger: LedgerEntry[];
  ledgerKeys: Set<string>;
  custody: Map<number, Custody>;
  intake: Map<number, 'open' | 'held'>;
  /** The highest epoch under which the wave settled on a side, or its intake was opened. */
  ended: { custody: Map<number, number>; intake: Map<number, number> };
  chunks: Map<number, Chunk[]>;
  requests: RequestState[];
  closed: string | null;
  /** The newest amendment, and the runbook activities read since. */
  amended: { number: number; runbookHash: string };
}

/** Rules of the world that a mutant breaks (PROTOCOL.md). */
export type WorldRule =
  | 'fence'
  | 'wave-lock'
  | 'epoch-key'
  | 'late-projection'
  | 'open-fence'
  | 'lease-in-seal'
  | 'lease-revival'
  | 'lease-runs'
  | 'unapplied-in-seal'
  | 'chunk-fence'
  | 'kept-position'
  | 'born-carried-back'
  | 'request-key'
  | 'held-order'
  | 'held-replay';

export interface World {
  clock: Clock;
  prng: Prng;
  /** A stream of its own for how long transactions last. */
  pace: Prng;
  openTransactions: OpenTransaction[];
  source: SystemState;
  target: SystemState;
  control: Control;
  /** Customer → wave; a customer without a row belongs to the last wave. */
  members: Map<string, number>;
  baseline: ReadonlySet<string>;
  lastWave: number;
  /** Open items of the work stock, by wave. */
  openWork: Map<number, number>;
  /** `calls` is what the scheduler was told, in order. */
  jobs: { running: boolean; done: Set<string>; calls: JobsCall[] };
  /** Readings of success measures, by id. */
  measures: Map<string, boolean>;
  broken: ReadonlySet<WorldRule>;
  /** Whether the wave's run and the cutover's run are open (PROTOCOL 12). */
  runsOpen: (wave: number) => boolean;
  /** Told of what the promises look at, in the event in which it happens. */
  onSeal: (side: Side, wave: number) => void;
  onWrite: (side: Side, wave: number) => void;
  happened: Happened;
}

export const waveOf = (world: World, customer: string): number => world.members.get(customer) ?? world.lastWave;

export const system = (world: World, side: Side): SystemState => (side === 'source' ? world.source : world.target);

export function waveRow(world: World, side: Side, wave: number): WaveRow {
  const row = system(world, side).waves.get(wave);
  if (!row) throw new Error(`no wave ${wave}`);
  return row;
}

export function fenceOf(world: World, side: Side, wave: number): Fence {
  const fence = system(world, side).fences.get(wave);
  if (!fence) throw new Error(`no fence ${wave}`);
  return fence;
}

/** What the side's guard says to a writer now (PROTOCOL 1, 11). */
export function accepts(world: World, side: Side, wave: number): boolean {
  const row = waveRow(world, side, wave);
  return row.state === 'open' || (row.state === 'frozen' && row.leaseUntil <= world.clock.now);
}

/** Who holds the wave's lock, which freeze, seal and membership changes need for themselves (PROTOCOL 3, 4). */
export const holdsLock = (world: World, side: Side, wave: number): boolean =>
  !world.broken.has('wave-lock') && world.openTransactions.some((open) => open.side === side && open.wave === wave);

/** Values are mapped on the way in and mapped back on the way home. */
export const toTarget = (value: string): string => `T:${value}`;
export const toSource = (value: string): string => value.slice(2);

/** Indices of the wave's log lines from `position` on. */
export function unapplied(world: World, from: Side, position: number, wave: number): string[] {
  const { log } = system(world, from);
  const keys = new Set<string>();
  for (let index = position; index < log.length; index++) {
    const change = log[index];
    if (change?.wave === wave) keys.add(change.key);
  }
  return [...keys];
}

export const rowsOfWave = (world: World, side: Side, wave: number): [string, Row][] =>
  [...system(world, side).rows].filter(([, row]) => waveOf(world, row.customer) === wave);
