import type { ResolvedRun } from '../../runbooks/resolved';
import type { LedgerEntry } from '../contract';
import type { MessageAnswer, RunState } from '../state';

interface From {
  /** Person id of the plan. */
  person: string;
  /** Dedupes: the same id is answered once. */
  id?: string | undefined;
}

export interface VoteMessage extends From {
  kind: 'vote';
  gate: string;
  decision: 'go' | 'no-go';
  reason?: string | undefined;
  /** Digest of the evidence the voter saw; default: what the gate shows now. */
  digest?: string | undefined;
}

export type StepMessage =
  | (From & { kind: 'go'; step: string })
  | (From & { kind: 'startTask'; step: string })
  | (From & { kind: 'blockTask'; step: string; reason: string })
  /** Without a role: every role of the step that the person holds. */
  | (From & { kind: 'reassign'; step: string; to: string; role?: string | undefined; reason?: string | undefined })
  | (From & { kind: 'completeTask'; step: string; note?: string | undefined })
  | (From & { kind: 'recordCheck'; step: string; item: string; ok: boolean; evidence?: string | undefined })
  | (From & { kind: 'retryStep'; step: string })
  | (From & { kind: 'skipStep'; step: string; reason: string });

export type SteeringMessage =
  | (From & { kind: 'pause'; reason: string })
  | (From & { kind: 'resume' })
  | (From & { kind: 'requestRollback'; reason: string })
  /** Instants in epoch ms. Two own people must ask for the same opening. */
  | (From & { kind: 'reschedule'; window: string; opensAt: number; closesAt: number });

/** Other documents, by hash: two own people must ask for the same. */
export type AmendMessage = From & { kind: 'amend'; runbook: string; plan: string; reason?: string | undefined };

export type IncidentMessage =
  | (From & { kind: 'raiseIncident'; incident: string; severity: 'low' | 'high'; title: string })
  | (From & { kind: 'resolveIncident'; incident: string });

export type RunMessage = VoteMessage | StepMessage | SteeringMessage | AmendMessage | IncidentMessage;

export interface MessageContext {
  state: RunState;
  run: ResolvedRun;
  now: number;
  /** For `amend`: the documents its hashes name, or what is wrong with them. */
  documents?: ReadDocuments | undefined;
}

export type ReadDocuments = { outcome: 'sound'; run: ResolvedRun } | { outcome: 'unsound'; problem: string };

export interface Answered {
  answer: MessageAnswer;
  ledger: LedgerEntry[];
}

export const accept = (note?: string): MessageAnswer =>
  note === undefined ? { accepted: true } : { accepted: true, note };
export const refuse = (reason: string): MessageAnswer & { accepted: false } => ({ accepted: false, reason });
