import type {
  ReportAmendment,
  ReportEvidence,
  ReportInput,
  ReportPopulation,
  ReportRequests,
  ReportRule,
  ReportVerification,
} from './input';

/** An instant as ISO 8601 in UTC; null when it never came. */
export type IsoTime = string | null;

export interface Span {
  start: IsoTime;
  end: IsoTime;
  seconds: number | null;
}

/** `report.json`. Keys are an interface: they are added, never renamed. */
export interface ReportJson {
  cutover: string;
  outcome: ReportInput['outcome'];
  verdict: { ok: boolean; problems: string[] };
  madeAt: IsoTime;
  startedBy: string;
  startedAt: IsoTime;
  endedAt: IsoTime;
  runbook: ReportInput['runbook'];
  plan: ReportInput['plan'];
  population: ReportPopulation;
  waves: JsonWave[];
  verification: { rows: number; mismatches: number; waves: ReportVerification[] };
  requests: ReportRequests;
  rules: ReportRule[];
  success: JsonMeasure[];
  gates: JsonGate[];
  steps: JsonStep[];
  forecast: JsonForecast;
  incidents: JsonIncident[];
  risks: ReportInput['risks'][number][];
  leftovers: ReportInput['leftovers'][number][];
  rollback: { by: string; reason: string; at: IsoTime; wave: string | null } | null;
  audit: { entries: number; head: string; brokenAt: number | null };
  amendments: JsonAmendment[];
  /** Voters are self-declared until votes are signed. */
  votes: 'unsigned';
  people: ReportInput['people'][number][];
  findings: string[];
}

export type JsonAmendment = Omit<ReportAmendment, 'at'> & { at: IsoTime };

export interface JsonWave {
  id: string;
  wave: number;
  downtimeSeconds: { machine: number | null; people: number | null };
  deltaRows: number;
}

/** What machines were planned to take and took, seconds. */
export interface JsonForecast {
  plannedSeconds: number;
  actualSeconds: number;
  /** The differences of all steps, whichever way, as a share of what they took; null when they took nothing. */
  error: number | null;
  /** Machine work while customers were frozen, by wave. */
  frozen: { wave: string; plannedSeconds: number; actualSeconds: number }[];
}

export interface JsonMeasure {
  id: string;
  title: string;
  threshold: string;
  /** Wave id; null for the whole cutover. */
  wave: string | null;
  /** Gate at which it was read last; null for a reading after the last gate. */
  gate: string | null;
  verdict: 'pass' | 'fail' | 'open' | 'unread';
  shown: string;
}

export interface JsonGate {
  id: string;
  wave: string | null;
  phase: string;
  status: string;
  roles: string[];
  planned: Span;
  openedAt: IsoTime;
  deadline: IsoTime;
  decidedAt: IsoTime;
  digest: string | null;
  evidence: ReportEvidence[];
  votes: {
    person: string;
    decision: 'go' | 'no-go';
    reason: string | null;
    at: IsoTime;
    digest: string;
    voided: string | null;
  }[];
}

export interface JsonStep {
  id: string;
  wave: string | null;
  phase: string;
  kind: string;
  title: string;
  owner: string;
  status: string;
  occurrence: number;
  planned: Span;
  actual: Span;
  go: { person: string; at: IsoTime } | null;
  signed: { role: string; person: string; at: IsoTime }[];
  problem: string | null;
}

export interface JsonIncident {
  id: string;
  wave: string | null;
  severity: 'low' | 'high';
  title: string;
  raisedBy: string;
  raisedAt: IsoTime;
  resolvedBy: string | null;
  resolvedAt: IsoTime;
}
