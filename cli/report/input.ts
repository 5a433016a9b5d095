/**
 * What a report is made of: plain data, collected from `control` and the documents of the run. Times are epoch ms.
 * The runs are the engine's states as they are; only what a report reads is named here. People are ids of the plan.
 */
export interface ReportInput {
  cutover: string;
  /** Null while it still runs: the report then says so. */
  outcome: 'live' | 'rolled-back' | 'aborted' | null;
  /** When the report was made. */
  at: number;
  endedAt: number | null;
  runbook: { id: string; version: number; title: string; timeZone: string; hash: string; pointOfNoReturn: string };
  plan: { id: string; mode: 'real' | 'rehearsal'; pace: number; hash: string };
  people: readonly { id: string; name: string; roles: readonly string[] }[];
  /** The success measures agreed in advance, in the runbook's order. */
  agreed: readonly { id: string; title: string; threshold: string }[];
  /** `planTimeline` as of the start of the run. */
  planned: readonly ReportPlannedStep[];
  run: ReportRun;
  /** By wave number, ascending; `id` is the plan's. */
  waves: readonly { wave: number; id: string; run: ReportRun }[];
  census: ReportPopulation;
  verification: readonly ReportVerification[];
  requests: ReportRequests;
  /** Rules of the conversion that were applied. */
  rules: readonly ReportRule[];
  leftovers: readonly { wave: number | null; work: string; count: number; wentTo: string }[];
  risks: readonly { id: string; text: string; mitigation: string; owner: string; closed: boolean }[];
  ledger: { entries: number; head: string; brokenAt: number | null };
  /** What was changed under way, as the ledger has it; those refused too. */
  amendments: readonly ReportAmendment[];
  /** Readings made after the last gate; they replace those of the gates. */
  measures: readonly ReportReading[];
  /** What an audit, the prober or a check found; empty when nothing was. */
  findings: readonly string[];
}

export interface ReportAmendment {
  at: number;
  approvedBy: string;
  /** What it changed, or why it was refused. */
  what: string;
  adopted: boolean;
  runbookHash: string;
  planHash: string;
}

export interface ReportPlannedStep {
  id: string;
  wave: number | null;
  phase: string;
  kind: string;
  title: string;
  plannedStart: number;
  plannedEnd: number;
}

export interface ReportRun {
  startedBy: string;
  startedAt: number;
  steps: Readonly<Record<string, ReportStep>>;
  gates: Readonly<Record<string, ReportGate>>;
  incidents: Readonly<Record<string, ReportIncident>>;
  rollback: { by: string; reason: string; at: number } | null;
  downtimeMs: { machine: number; people: number } | null;
  deltaRows: number;
}

export interface ReportStep {
  id: string;
  phase: string;
  kind: string;
  title: string;
  owner: string;
  status: string;
  occurrence: number;
  plannedMs: number;
  startedAt: number | null;
  endedAt: number | null;
  go: { person: string; at: number } | null;
  signed: Readonly<Record<string, { person: string; at: number }>>;
  problem: string | null;
}

export interface ReportGate {
  id: string;
  phase: string;
  status: string;
  roles: readonly string[];
  onNoGo: string;
  openedAt: number | null;
  deadline: number | null;
  decidedAt: number | null;
  digest: string | null;
  evidence: readonly ReportEvidence[];
  votes: readonly ReportVote[];
}

export interface ReportEvidence {
  id: string;
  kind: string;
  verdict: 'pass' | 'fail' | 'open';
  title: string;
  shown: string;
}

export interface ReportVote {
  person: string;
  decision: 'go' | 'no-go';
  reason: string | null;
  digest: string;
  at: number;
  voided: string | null;
}

export interface ReportIncident {
  id: string;
  severity: 'low' | 'high';
  title: string;
  raised: { person: string; at: number };
  resolved: { person: string; at: number } | null;
}

export interface ReportPopulation {
  baseline: number;
  won: number;
  departed: number;
  moved: number;
  excluded: number;
  remaining: number;
  missing: number;
  duplicated: number;
}

/** One frozen comparison of a wave. */
export interface ReportVerification {
  wave: number;
  rows: number;
  mismatches: number;
  entities: readonly { entity: string; rows: number; mismatches: number }[];
  totals: readonly { id: string; equal: boolean }[];
}

export interface ReportRequests {
  accepted: number;
  effected: number;
  held: number;
  replayed: number;
  pending: number;
  lost: number;
}

export interface ReportRule {
  id: string;
  entity: string;
  rows: number;
  customers: number;
  why: string;
}

export interface ReportReading {
  id: string;
  wave: number | null;
  verdict: 'pass' | 'fail' | 'open';
  shown: string;
}
