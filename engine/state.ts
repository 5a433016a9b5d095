import type { EvidenceItem } from '../domain/evidence';
import type { Vote } from '../domain/gate';
import type { StepKind } from '../runbooks/schema/step';
import type { LedgerEntry, VerifyResult } from './contract';

export type StepStatus =
  'pending' | 'waiting-go' | 'waiting-window' | 'waiting-people' | 'running' | 'failed' | 'done' | 'skipped';

/** A named person did something at an instant (epoch ms). */
export interface Mark {
  person: string;
  at: number;
}

/** Level 0: in time; 1: its owners were told, 2: their deputies, 3: the lead. */
export interface Due {
  at: number;
  afterMs: number;
  level: 0 | 1 | 2 | 3;
}

export interface StepState {
  id: string;
  phase: string;
  kind: StepKind;
  title: string;
  /** Role. */
  owner: string;
  status: StepStatus;
  /** Counts from 1; a retried step keeps it, a repeated one gets the next. */
  occurrence: number;
  plannedMs: number;
  startedAt: number | null;
  /** When the attempt began that ended it or goes on: neither waits nor failures before it count as its work. */
  attemptedAt?: number;
  endedAt: number | null;
  /** Role asked for a go, and who gave it. */
  goRole: string | null;
  go: Mark | null;
  /** Task: who signed, by role. Roles still missing are in `signedBy`. */
  signedBy: string[];
  signed: Record<string, Mark>;
  /** Checklist: the items, and what was recorded. */
  items: string[];
  checks: Record<string, Mark & { ok: boolean; evidence: string | null }>;
  /** Task, checklist: who has taken it up, and what keeps it from being done. */
  taken?: Mark;
  blocked?: Mark & { reason: string };
  /** Role → the one person who answers for it now, when it was reassigned. */
  assigned?: Record<string, string>;
  /** When a task or checklist is overdue (epoch ms), how long it had, and how far it has been escalated. */
  due?: Due;
  /** Why it is blocked or failed, with the remedy. */
  problem: string | null;
  progress: string | null;
  /** Small facts for reports: counts, digests, instants. */
  result: Record<string, unknown> | null;
}

/** When the attempt began that ended a step or goes on; null when it has not started. Epoch ms. */
export const workBegan = ({ startedAt, attemptedAt }: Pick<StepState, 'startedAt' | 'attemptedAt'>): number | null =>
  attemptedAt ?? startedAt;

export type GateStatus = 'pending' | 'open' | 'held' | 'passed' | 'refused';

export interface GateState {
  id: string;
  phase: string;
  status: GateStatus;
  roles: string[];
  onNoGo: 'hold' | 'rollBack' | 'abort';
  openedAt: number | null;
  deadline: number | null;
  decidedAt: number | null;
  evidence: EvidenceItem[];
  digest: string | null;
  /** Evidence by digest, as far as votes refer to it. */
  seen: Record<string, EvidenceItem[]>;
  votes: Vote[];
}

export interface Incident {
  id: string;
  severity: 'low' | 'high';
  title: string;
  raised: Mark;
  resolved: Mark | null;
}

export interface RollbackRequest {
  by: string;
  reason: string;
  at: number;
  outcome: 'rolled-back' | 'aborted';
  /** Own people who said so; two let it start outside its window. */
  confirmedBy: string[];
}

export type Outcome = 'live' | 'rolled-back' | 'aborted';
export type RunStatus = 'running' | 'paused' | 'waiting-for-person' | 'rolling-back' | 'stopped' | Outcome;

/** What the cutover knows of a wave; a wave reports it by signal. */
export interface WaveSummary {
  wave: number;
  name: string;
  /** `stopped`: its steps have ended to make way for a rollback. */
  status: 'pending' | 'running' | 'live' | 'stopped' | 'rolled-back';
  phase: string | null;
  frozenAt: number | null;
  switchedAt: number | null;
  /** The wave's verification and delta, for gates and report of the whole. */
  verification: VerifyResult | null;
  deltaRows: number;
  downtimeMs: { machine: number; people: number } | null;
  /** Why it stopped, when it did. */
  rollback: RollbackRequest | null;
  /** It has passed the gate after which nothing goes back; only where there is one wave. */
  pointOfNoReturnPassed?: boolean;
  /** Its answer to an amendment, until it is told to go on. */
  amendment?: { attempt: number; problem: string | null };
}

/** Other documents for a running cutover: proposed, approved by two own people, and adopted or refused. */
export interface Amendment {
  runbookHash: string;
  planHash: string;
  by: string;
  reason: string | null;
  at: number;
  /** What it changes, in words. */
  changes: string[];
  approvedBy: string[];
  /** When the second own person approved: names this attempt. */
  approvedAt: number | null;
  status: 'proposed' | 'adopting' | 'adopted' | 'refused';
  /** Why it was refused. */
  problem: string | null;
}

/** What the cutover says to a wave about an amendment, and how far the wave is with it. */
export interface WaveAmendment {
  stage: 'ask' | 'answered' | 'adopt' | 'drop';
  runbookHash: string;
  planHash: string;
  attempt: number;
  /** Why the wave cannot adopt it; null: it can. */
  problem?: string | null;
}

/** Everything a run carries; serializable, so that continue-as-new may happen anywhere. */
export interface RunState {
  cutover: string;
  /** Null: the cutover itself. */
  wave: number | null;
  startedBy: string;
  startedAt: number;
  epoch: number;
  status: RunStatus;
  outcome: Outcome | null;
  steps: Record<string, StepState>;
  gates: Record<string, GateState>;
  incidents: Record<string, Incident>;
  /** Message id → answer: an id answers again what it answered before (bounded). */
  answered: Record<string, MessageAnswer>;
  paused: (Mark & { reason: string }) | null;
  rollback: RollbackRequest | null;
  pointOfNoReturnPassed: boolean;
  /** The wave's freeze at the source, while it lasts. */
  frozen: { at: number; epoch: number; notAfter: number } | null;
  following: boolean;
  switchedAt: number | null;
  downtimeMs: { machine: number; people: number } | null;
  verification: VerifyResult | null;
  deltaRows: number;
  /** Cutover only. */
  waves: WaveSummary[];
  /** Openings that replaced a window's, agreed by two own people; asked for by one so far. */
  rescheduled: Record<string, { opensAt: number; closesAt: number }[]>;
  reschedulesAsked: { window: string; opensAt: number; closesAt: number; by: string }[];
  /** Cutover only: the newest amendment. */
  amendment?: Amendment;
  /** Wave only: an amendment it was asked about; it starts no step until it is told. */
  adopting?: WaveAmendment;
  /** Evidence lines for people: refused signals and the like, newest last, bounded. */
  notices: { at: number; text: string }[];
  /** Ledger entries not yet written to `control`. */
  ledgerPending: LedgerEntry[];
}

/** A business refusal is an answer, not an error (DESIGN §6). */
export type MessageAnswer = { accepted: true; note?: string } | { accepted: false; reason: string };
