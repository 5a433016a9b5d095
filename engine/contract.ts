/**
 * What the engine may ask of the world. Implemented in `activities/` over the real systems and in
 * `test/simulate/` in memory. Rules for every implementation: an effect is idempotent by its `ref`, compares its
 * epoch where it writes, returns expected outcomes as values and throws faults. No personal data in or out:
 * ids of people in the plan, counts, digests.
 */
import type { EvidenceItem } from '../domain/evidence';
import type { ResolvedRun } from '../runbooks/resolved';

/** Names one effect. The idempotency key is cutover/wave/step/occurrence; a raised epoch makes older attempts void. */
export interface EffectRef {
  cutover: string;
  /** Wave number from 1; null for steps of `before` and `after`. */
  wave: number | null;
  step: string;
  occurrence: number;
  epoch: number;
}

export interface RunRef {
  cutover: string;
  wave: number | null;
}

export type UndoKind = 'action' | 'intake' | 'preload' | 'freeze' | 'switch';

export interface UndoRow {
  seq: number;
  wave: number | null;
  step: string;
  occurrence: number;
  kind: UndoKind;
}

export interface LedgerEntry {
  /** Epoch ms, the engine's clock. */
  at: number;
  /** Person id from the plan, or `system`. */
  actor: string;
  action: string;
  subject: string;
  detail?: Record<string, string | number | boolean | null>;
}

export interface BulkProgress {
  chunksDone: number;
  chunksTotal: number;
  rows: number;
}

export interface PreloadStart {
  chunks: number;
  /** Of those, copied before: they are not copied again. */
  chunksThere: number;
  excluded: number;
  /** Why the copy of an earlier run was purged; null when none was. */
  purged: string | null;
}

export type KeepResult =
  { outcome: 'kept'; chunksDone: number; chunksTotal: number } | { outcome: 'untrusted'; reason: string };

export interface CatchUpResult {
  lagRows: number;
  passes: number;
  rows: number;
}

export type FreezeResult =
  | { outcome: 'frozen'; frozenAt: number; leaseUntil: number }
  | { outcome: 'blocked'; blockers: string[] }
  /** An earlier freeze under this epoch lapsed: it is frozen anew under a new epoch only (PROTOCOL 11). */
  | { outcome: 'lapsed' }
  | { outcome: 'not-owner' };

export type LeaseEnd = { outcome: 'released' | 'lapsed' | 'limit' | 'run-closed' };

export interface ConvertResult {
  deltaRows: number;
  passes: number;
}

export interface VerifyEntity {
  entity: string;
  rows: number;
  mismatches: number;
}

export interface VerifyResult {
  rows: number;
  mismatches: number;
  entities: VerifyEntity[];
  /** Totals by id, equal or not. Amounts are business sums, not personal. */
  totals: { id: string; equal: boolean }[];
  /** SHA-256 over both sides' digests: the fingerprint shown at gates. */
  digest: string;
}

export interface DrainResult {
  drained: boolean;
  open: { work: string; open: number; deadLetters: number }[];
  /** What was left at the deadline and where it went. */
  leftovers: { work: string; count: number; wentTo: 'excluded' | string }[];
}

export type SwitchResult = { outcome: 'switched'; at: number } | { outcome: 'refused'; reason: string };

export interface ReturnResult {
  /** What had to be done: nothing was sealed, an unopened seal was taken back, or the target's writes were carried back. */
  path: 'never-sealed' | 'unsealed' | 'carried-back';
  carriedRows: number;
}

export interface ReleaseResult {
  replayed: number;
  refused: number;
  pending: number;
}

/** Every method is one activity of the same name. Times are epoch ms. */
export interface Activities {
  /**
   * Reads the documents and resolves the windows. Each is named by its hash in `control`, or by its path in the worker's folder of
   * documents, from where it is checked and kept under its hash first. Throws InvalidRunbook when they do not pass `check`.
   */
  loadRun(input: { runbook: string; plan: string }): Promise<ResolvedRun>;
  /** As `loadRun` for other documents of a cutover that runs, checked as at its start (`cutover check`). */
  checkAmendment(input: {
    runbookHash: string;
    planHash: string;
    startedAt: number;
  }): Promise<{ outcome: 'sound'; run: ResolvedRun } | { outcome: 'unsound'; problem: string }>;
  /**
   * From here every activity of the cutover reads these documents. `number` orders the amendments of a cutover: an attempt that
   * wakes after a later one changes nothing.
   */
  adoptDocuments(input: { cutover: string; number: number; runbookHash: string; planHash: string }): Promise<void>;
  /**
   * Registers the cutover in `control`, installs schema `cutover` in both systems, assigns the population to waves. Idempotent. A
   * `fresh` run is refused when the cutover has ended or what an earlier run did still stands; a reset one goes on with what is its own.
   */
  openCutover(input: {
    cutover: string;
    runbookHash: string;
    planHash: string;
    startedBy: string;
    fresh: boolean;
  }): Promise<{ epoch: number; population: number }>;
  /** Registers the end of the run: outcome, for `list` and the report. */
  closeCutover(input: { cutover: string; outcome: string }): Promise<void>;
  /** Keeps a run's last view in `control`: one its worker could not keep would have no next task to be shown again. */
  saveView(input: RunRef & { view: unknown }): Promise<void>;
  /**
   * Takes a new epoch from `control` and raises it in the wave's fences on both sides; older attempts are void from here.
   * The same `key` gets the same epoch again and lowers nothing: an attempt that wakes late must not lock out the run
   * that went on.
   */
  raiseEpoch(input: RunRef & { key: string }): Promise<{ epoch: number }>;
  /** Writes the undo row of an effect, before the effect. Idempotent by ref and kind. */
  recordUndo(input: { ref: EffectRef; kind: UndoKind }): Promise<void>;
  /** Undo rows not yet done, newest first. Call after raiseEpoch. */
  listUndo(input: RunRef): Promise<UndoRow[]>;
  completeUndo(input: { seq: number; epoch: number }): Promise<void>;
  /** Appends to the hash chain; the same (cutover, at, action, subject, actor) twice is one entry. */
  appendLedger(input: { cutover: string; entries: LedgerEntry[] }): Promise<void>;
  /** Success measures and other readings a gate shows; the engine adds checklists, incidents, risks and verification. */
  readMeasures(input: RunRef & { gate: string; downtimeMs: number | null }): Promise<EvidenceItem[]>;
  notify(input: { ref: EffectRef; to: string[]; text: string }): Promise<void>;
  runAction(input: { ref: EffectRef; direction: 'do' | 'undo' }): Promise<{ checked: boolean }>;

  /**
   * Plans chunks (control rows), sets the wave's starting position, quarantines and excludes customers that cannot be mapped. Goes on
   * from a copy that an earlier run of the cutover left, when it can be trusted; otherwise purges it first.
   */
  startPreload(input: { ref: EffectRef }): Promise<PreloadStart>;
  /** One heartbeating stream: claims chunks until none is left. */
  preloadStream(input: { ref: EffectRef; stream: number }): Promise<BulkProgress>;
  /** Passes until at most `lagRows` unapplied rows are left. Heartbeats. */
  catchUp(input: { ref: EffectRef; lagRows: number }): Promise<CatchUpResult>;
  /** Runs passes until cancelled: keeps the delta small while people decide. Heartbeats. */
  follow(input: { ref: EffectRef }): Promise<void>;
  /** Sets the wave's intake to held and waits until no forwarded request is unknown. */
  holdIntake(input: { ref: EffectRef }): Promise<{ waitedFor: number }>;
  /** Replays held requests in order to the system of record, then opens the intake. */
  releaseIntake(input: { ref: EffectRef }): Promise<ReleaseResult>;
  drain(input: { ref: EffectRef; work: string[]; untilMs: number }): Promise<DrainResult>;
  /** Takes the wave's lease at the source. */
  freeze(input: { ref: EffectRef; leaseMs: number }): Promise<FreezeResult>;
  /** Renews the lease until cancelled, `notAfter`, a lapse, or the end of the wave's or the cutover's run. Heartbeats. */
  holdFreeze(input: { ref: EffectRef; leaseMs: number; notAfter: number }): Promise<LeaseEnd>;
  thaw(input: { ref: EffectRef }): Promise<void>;
  /** The last passes, while frozen, until no visible row is unapplied. */
  convert(input: { ref: EffectRef }): Promise<ConvertResult>;
  verify(input: { ref: EffectRef; scope: 'live' | 'frozen'; totals: string[] }): Promise<VerifyResult>;
  /** Seal at the source, open the target, project for routing (PROTOCOL 13, 14). Resolves a half-done switch. */
  switchWave(input: { ref: EffectRef }): Promise<SwitchResult>;
  /** Brings custody back to the source from wherever the wave is (PROTOCOL 14, 15). Heartbeats. */
  returnCustody(input: { ref: EffectRef }): Promise<ReturnResult>;
  /**
   * Leaves the wave's copy at the target for the next run of this cutover, in place of its purge: that run goes on from what is there.
   * `untrusted`, with the reason, when catching up would not make it right.
   */
  keepCopy(input: { ref: EffectRef }): Promise<KeepResult>;
  /** Removes the wave's copy from the target: undo of preload. */
  purgeCopy(input: { ref: EffectRef }): Promise<{ rows: number }>;
  /** Proves the source serves the wave as before: state open, nothing of the wave at the target (but a kept copy), census even. */
  verifyReturned(input: { ref: EffectRef; copyKept?: boolean }): Promise<{ ok: boolean; findings: string[] }>;
}
