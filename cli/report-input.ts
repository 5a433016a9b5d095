import type { Pool } from 'pg';
import { stepId } from '../runbooks/plan-timeline/phases';
import { planTimeline } from '../runbooks/plan-timeline/plan-timeline';
import type { ResolvedRun } from '../runbooks/resolved';
import { resolveRun } from '../runbooks/windows';
import { readChain, type StoredLine } from '../systems/control/ledger';
import { verifyChain } from '../systems/control/ledger-read';
import { counts } from '../systems/control/measures';
import { readResults, type StepResult } from '../systems/control/results';
import { census } from '../systems/postgres/data/census';
import type { Pair } from '../systems/postgres/data/pair';
import type { ReportInput, ReportRule, ReportRun, ReportVerification } from './report/input';
import type { StoredRun } from './stored-run';
import type { RunShown, StatusShown } from './run-status';
import { agreedMeasures } from './agreed-measures';

export interface ReportSources {
  status: StatusShown;
  stored: StoredRun;
  control: Pool;
  pair: Pair;
  nowMs: number;
  /** What others found: an audit, a prober. */
  findings: readonly string[];
}

/**
 * Collects what a report is made of: the runs' views, the documents, and what `control` and both systems say now. Throws
 * when the cutover's own run is not known, and what reading a database throws.
 */
export async function collectReport(sources: ReportSources): Promise<ReportInput> {
  const { status, stored, control, pair } = sources;
  const main = status.runs.find((run) => run.wave === null);
  if (!main) throw new Error(`neither the run of ${status.cutover} nor its saved state is there`);
  const { resolved, row } = stored;
  const [results, requests, chain, ledger] = await Promise.all([
    readResults(control, row.cutover),
    counts(control, row.cutover, [pair.source, pair.target]),
    verifyChain(control, row.cutover),
    readChain(control, row.cutover),
  ]);
  const { runbook, plan } = resolved;
  return {
    cutover: row.cutover,
    outcome: outcomeOf(status.outcome),
    at: sources.nowMs,
    endedAt: row.closedAt?.getTime() ?? null,
    runbook: {
      id: runbook.runbook,
      version: runbook.version,
      title: runbook.title,
      timeZone: runbook.timeZone,
      hash: resolved.runbookHash,
      pointOfNoReturn: runbook.pointOfNoReturn,
    },
    plan: { id: plan.plan, mode: plan.mode, pace: plan.pace, hash: resolved.planHash },
    people: plan.people.map(({ id, name, roles }) => ({ id, name, roles })),
    agreed: agreedMeasures(runbook),
    planned: plannedSteps(resolved, main.startedAt),
    run: reportRun(main, 0),
    waves: waveRuns(status),
    census: await census(pair, runbook.population),
    verification: verifications(status),
    requests: { ...requests, lost: requests.lost ?? 0 },
    rules: appliedRules(results),
    leftovers: leftovers(status),
    risks: risks(resolved, status),
    ledger: { entries: chain.entries, head: chain.head, brokenAt: chain.brokenAt ?? null },
    amendments: ledger.flatMap(amendmentOf),
    measures: [],
    findings: sources.findings,
  };
}

/** What the cutover itself wrote when an amendment was decided. */
function amendmentOf({ at, action, subject, detail }: StoredLine): ReportInput['amendments'] {
  const adopted = action === 'amended';
  if (subject !== 'run' || !(adopted || action === 'amendment refused')) return [];
  const text = (field: string): string => String(detail[field] ?? '');
  const what = text(adopted ? 'changes' : 'problem');
  return [{ at, approvedBy: text('approvedBy'), what, adopted, runbookHash: text('runbook'), planHash: text('plan') }];
}

function outcomeOf(outcome: string | null): ReportInput['outcome'] {
  return outcome === 'live' || outcome === 'rolled-back' || outcome === 'aborted' ? outcome : null;
}

/** Steps and gates as planned on the day it started: windows and durations of then. */
function plannedSteps(resolved: ResolvedRun, startedAt: number): ReportInput['planned'] {
  const { runbook, conversion, plan, runbookHash, planHash } = resolved;
  const then = resolveRun({ runbook, conversion, plan }, { runbookHash, planHash }, startedAt);
  return planTimeline(then, startedAt).steps;
}

function reportRun(run: RunShown, deltaRows: number): ReportRun {
  return {
    startedBy: run.startedBy,
    startedAt: run.startedAt,
    steps: Object.fromEntries(run.steps.map((step) => [step.id, step])),
    gates: Object.fromEntries(run.gates.map((gate) => [gate.id, gate])),
    incidents: run.incidents,
    rollback: run.rollback,
    downtimeMs: run.downtimeMs,
    deltaRows,
  };
}

function waveRuns(status: StatusShown): ReportInput['waves'] {
  return status.runs.flatMap((run) => {
    const summary = status.waves.find((wave) => wave.wave === run.wave);
    if (run.wave === null || !summary) return [];
    return [{ wave: run.wave, id: summary.name, run: reportRun(run, summary.deltaRows) }];
  });
}

function verifications(status: StatusShown): ReportVerification[] {
  return status.runs.flatMap(({ wave, verification }) => {
    if (wave === null || !verification) return [];
    const { rows, mismatches, entities, totals } = verification;
    return [{ wave, rows, mismatches, entities, totals }];
  });
}

/** Every wave's preload counts the whole source; the newest count stands. */
function appliedRules(results: readonly StepResult[]): ReportRule[] {
  const newest = results.findLast((result) => result.kind === 'rules');
  return (newest?.result as ReportRule[] | undefined) ?? [];
}

function leftovers(status: StatusShown): ReportInput['leftovers'] {
  return status.runs.flatMap((run) =>
    run.steps.flatMap((step) => {
      const left = step.kind === 'drain' ? step.result?.['leftovers'] : undefined;
      const known = (left as { work: string; count: number; wentTo: string }[] | undefined) ?? [];
      return known.map(({ work, count, wentTo }) => ({ wave: run.wave, work, count, wentTo }));
    }),
  );
}

/** A risk is closed once the step that closes it is done: in every wave, when it is a step of each wave. */
function risks({ runbook, plan }: ResolvedRun, status: StatusShown): ReportInput['risks'] {
  const perWave = new Set(runbook.perWave.flatMap((phase) => phase.steps.map(stepId)));
  return runbook.risks.map(({ id, text, mitigation, owner, closedBy }) => {
    const closing = status.runs.flatMap((run) => run.steps.filter((step) => step.id === closedBy));
    const needed = closedBy !== undefined && perWave.has(closedBy) ? plan.waves.length : 1;
    const closed = closing.length >= needed && closing.every((step) => step.status === 'done');
    return { id, text, mitigation, owner, closed };
  });
}
