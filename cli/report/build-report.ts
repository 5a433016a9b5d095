import { forecastError } from './forecast-error';
import type { ReportGate, ReportInput, ReportRun, ReportStep } from './input';
import type { IsoTime, JsonGate, JsonIncident, JsonMeasure, JsonStep, ReportJson, Span } from './report-json';
import { problemsOf, sum } from './verdict';

/** One run with the wave it belongs to; the cutover's own has none. */
interface Scope {
  wave: number | null;
  id: string | null;
  run: ReportRun;
}

/** `report.json` from what was collected. Pure; steps stand in planned order, then those nobody planned. */
export function buildReport(input: ReportInput): ReportJson {
  const scopes: Scope[] = [{ wave: null, id: null, run: input.run }, ...input.waves];
  const gates = scopes.flatMap((scope) => Object.values(scope.run.gates).map((gate) => jsonGate(input, scope, gate)));
  const success = measures(input, scopes);
  const problems = problemsOf(input, success);
  const allSteps = steps(input, scopes);
  const waves = input.waves.map(({ wave, id, run }) => ({
    id,
    wave,
    downtimeSeconds: { machine: seconds(run.downtimeMs?.machine), people: seconds(run.downtimeMs?.people) },
    deltaRows: run.deltaRows,
  }));
  const rolledBack = scopes.find((scope) => scope.run.rollback !== null);
  return {
    cutover: input.cutover,
    outcome: input.outcome,
    verdict: { ok: problems.length === 0, problems },
    madeAt: iso(input.at),
    startedBy: input.run.startedBy,
    startedAt: iso(input.run.startedAt),
    endedAt: iso(input.endedAt),
    runbook: input.runbook,
    plan: input.plan,
    population: input.census,
    waves,
    verification: {
      rows: sum(input.verification, (each) => each.rows),
      mismatches: sum(input.verification, (each) => each.mismatches),
      waves: [...input.verification],
    },
    requests: input.requests,
    rules: [...input.rules],
    success,
    gates: gates.sort((a, b) => (a.openedAt ?? '9').localeCompare(b.openedAt ?? '9', 'en')),
    steps: allSteps,
    forecast: forecastError(allSteps, waves),
    incidents: scopes.flatMap(incidents),
    risks: [...input.risks],
    leftovers: [...input.leftovers],
    rollback: rolledBack?.run.rollback
      ? { ...rolledBack.run.rollback, at: iso(rolledBack.run.rollback.at), wave: rolledBack.id }
      : null,
    audit: { ...input.ledger },
    amendments: input.amendments.map((each) => ({ ...each, at: iso(each.at) })),
    votes: 'unsigned',
    people: [...input.people],
    findings: [...input.findings],
  };
}

function jsonGate(input: ReportInput, scope: Scope, gate: ReportGate): JsonGate {
  const plan = input.planned.find((each) => each.id === gate.id && each.wave === scope.wave);
  return {
    id: gate.id,
    wave: scope.id,
    phase: gate.phase,
    status: gate.status,
    roles: [...gate.roles],
    planned: span(plan?.plannedStart ?? null, plan?.plannedEnd ?? null),
    openedAt: iso(gate.openedAt),
    deadline: iso(gate.deadline),
    decidedAt: iso(gate.decidedAt),
    digest: gate.digest,
    evidence: gate.evidence.map(({ id, kind, verdict, title, shown }) => ({ id, kind, verdict, title, shown })),
    votes: gate.votes.map(({ person, decision, reason, at, digest, voided }) => ({
      person,
      decision,
      reason,
      at: iso(at),
      digest,
      voided,
    })),
  };
}

function steps(input: ReportInput, scopes: readonly Scope[]): JsonStep[] {
  const key = (wave: number | null, id: string): string => `${wave ?? ''}/${id}`;
  const ran = new Map(
    scopes.flatMap((scope) =>
      Object.values(scope.run.steps).map((step) => [key(scope.wave, step.id), { scope, step }]),
    ),
  );
  const planned = new Map(input.planned.map((step) => [key(step.wave, step.id), step]));
  const order = [...planned.keys(), ...[...ran.keys()].filter((each) => !planned.has(each))];
  return order.flatMap((each) => {
    const found = ran.get(each);
    const plan = planned.get(each);
    if (!found) return [];
    const { scope, step } = found;
    const expected = plan
      ? span(plan.plannedStart, plan.plannedEnd)
      : { start: null, end: null, seconds: seconds(step.plannedMs) };
    return [jsonStep(scope, step, expected)];
  });
}

function jsonStep(scope: Scope, step: ReportStep, planned: Span): JsonStep {
  return {
    id: step.id,
    wave: scope.id,
    phase: step.phase,
    kind: step.kind,
    title: step.title,
    owner: step.owner,
    status: step.status,
    occurrence: step.occurrence,
    planned,
    actual: span(step.startedAt, step.endedAt),
    go: step.go && { person: step.go.person, at: iso(step.go.at) },
    signed: Object.entries(step.signed).map(([role, mark]) => ({ role, person: mark.person, at: iso(mark.at) })),
    problem: step.problem,
  };
}

/** Per measure and wave the last reading: after the last gate, or at the gate that was opened last. */
function measures(input: ReportInput, scopes: readonly Scope[]): JsonMeasure[] {
  const waveId = (wave: number | null): string | null => input.waves.find((each) => each.wave === wave)?.id ?? null;
  return input.agreed.flatMap((agreed): JsonMeasure[] => {
    const final = input.measures.filter((reading) => reading.id === agreed.id);
    const read: JsonMeasure[] = final.map(({ wave, verdict, shown }) => ({
      ...agreed,
      wave: waveId(wave),
      gate: null,
      verdict,
      shown,
    }));
    for (const scope of scopes.filter((each) => !final.some((reading) => reading.wave === each.wave))) {
      const opened = Object.values(scope.run.gates).filter((gate) => gate.openedAt !== null);
      opened.sort((a, b) => (b.openedAt ?? 0) - (a.openedAt ?? 0));
      const gate = opened.find((each) =>
        each.evidence.some((item) => item.kind === 'measure' && item.id === agreed.id),
      );
      const item = gate?.evidence.find((each) => each.kind === 'measure' && each.id === agreed.id);
      if (gate && item)
        read.push({ ...agreed, wave: scope.id, gate: gate.id, verdict: item.verdict, shown: item.shown });
    }
    return read.length > 0 ? read : [{ ...agreed, wave: null, gate: null, verdict: 'unread', shown: 'never read' }];
  });
}

function incidents(scope: Scope): JsonIncident[] {
  return Object.values(scope.run.incidents).map(({ id, severity, title, raised, resolved }) => ({
    id,
    wave: scope.id,
    severity,
    title,
    raisedBy: raised.person,
    raisedAt: iso(raised.at),
    resolvedBy: resolved?.person ?? null,
    resolvedAt: iso(resolved?.at ?? null),
  }));
}

function iso(ms: number | null): IsoTime {
  return ms === null ? null : new Date(ms).toISOString();
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms / 100) / 10;
}

function span(start: number | null, end: number | null): Span {
  return { start: iso(start), end: iso(end), seconds: start === null || end === null ? null : seconds(end - start) };
}
