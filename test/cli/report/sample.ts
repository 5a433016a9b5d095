import type { ReportGate, ReportInput, ReportRun, ReportStep } from '../../../cli/report/input';
import { parseDocuments } from '../../../runbooks/load';
import { planTimeline, type TimelineStep } from '../../../runbooks/plan-timeline/plan-timeline';
import { resolveRun } from '../../../runbooks/windows';
import { TINY_CONVERSION, TINY_PLAN, TINY_RUNBOOK } from '../../runbooks/fixtures/tiny';

const START_MS = Date.parse('2026-11-24T09:00:00Z');
const DIGEST = '4be1c3f5d02a7788a0c4be1c3f5d02a7788a0c4be1c3f5d02a7788a0c4be1c3f';

/** The tiny runbook as it might have gone: two waves, each step a little longer or shorter than planned. */
export function sampleInput(): ReportInput {
  const planText = TINY_PLAN.replace('- { id: w1 }', '- { id: pilot, where: customer_id < 700 }\n  - { id: rest }');
  const files = { runbook: 'r', conversion: 'c', plan: 'p' };
  const docs = parseDocuments({ runbook: TINY_RUNBOOK, conversion: TINY_CONVERSION, plan: planText, files });
  if (!docs.runbook || !docs.conversion || !docs.plan) throw new Error('the fixture does not parse');
  const parts = { runbook: docs.runbook, conversion: docs.conversion, plan: docs.plan };
  const timeline = planTimeline(resolveRun(parts, { runbookHash: 'r', planHash: 'p' }, START_MS), START_MS);
  const of = (wave: number | null): TimelineStep[] => timeline.steps.filter((step) => step.wave === wave);
  return {
    cutover: 'tiny-1',
    outcome: 'live',
    at: timeline.plannedEnd + 3_600_000,
    endedAt: timeline.plannedEnd + 60_000,
    runbook: {
      id: 'tiny',
      version: 1,
      title: 'Two tables',
      timeZone: 'Europe/Amsterdam',
      hash: `${DIGEST.slice(2)}aa`,
      pointOfNoReturn: 'accept',
    },
    plan: { id: 'tiny-real', mode: 'real', pace: 1, hash: `${DIGEST.slice(2)}bb` },
    people: docs.plan.people,
    agreed: [
      { id: 'disturbed', title: 'Customers disturbed', threshold: 'at most 0.1 %' },
      { id: 'kept', title: 'kept', threshold: 'difference at most 0' },
    ],
    planned: timeline.steps,
    run: run(of(null)),
    waves: [
      {
        wave: 1,
        id: 'pilot',
        run: { ...run(of(1)), downtimeMs: { machine: 41_300, people: 190_000 }, deltaRows: 412 },
      },
      {
        wave: 2,
        id: 'rest',
        run: { ...run(of(2)), downtimeMs: { machine: 63_900, people: 240_500 }, deltaRows: 5_310 },
      },
    ],
    census: {
      baseline: 7_043,
      won: 31,
      departed: 22,
      moved: 7_041,
      excluded: 11,
      remaining: 0,
      missing: 0,
      duplicated: 0,
    },
    verification: [1, 2].map((wave) => ({
      wave,
      rows: wave * 31_000,
      mismatches: 0,
      entities: [
        { entity: 'customer', rows: wave * 11_000, mismatches: 0 },
        { entity: 'purchase', rows: wave * 20_000, mismatches: 0 },
      ],
      totals: [{ id: 'spent', equal: true }],
    })),
    requests: { accepted: 4_210, effected: 4_210, held: 233, replayed: 233, pending: 0, lost: 0 },
    rules: [{ id: 'no-flag', entity: 'customer', rows: 11, customers: 11, why: 'Never asked' }],
    leftovers: [{ wave: 1, work: 'orders', count: 2, wentTo: 'ops' }],
    risks: [{ id: 'twice', text: 'Charged twice', mitigation: 'The debit file is held', owner: 'ops', closed: true }],
    ledger: { entries: 311, head: DIGEST, brokenAt: null },
    amendments: [],
    measures: [{ id: 'disturbed', wave: null, verdict: 'pass', shown: '3 of 7,063 (0.04 %)' }],
    findings: [],
  };
}

function run(steps: readonly TimelineStep[]): ReportRun {
  return {
    startedBy: 'ann',
    startedAt: START_MS,
    steps: Object.fromEntries(
      steps.filter((step) => step.kind !== 'gate').map((step, index) => [step.id, ran(step, index)]),
    ),
    gates: Object.fromEntries(steps.filter((step) => step.kind === 'gate').map((step) => [step.id, gate(step)])),
    incidents: {},
    rollback: null,
    downtimeMs: null,
    deltaRows: 0,
  };
}

function ran(step: TimelineStep, index: number): ReportStep {
  const plannedMs = step.plannedEnd - step.plannedStart;
  const startedAt = step.plannedStart + index * 20_000;
  const factor = [0.6, 1.3, 0.9, 1.7][index % 4] ?? 1;
  return {
    id: step.id,
    phase: step.phase,
    kind: step.kind,
    title: step.title,
    owner: step.owner,
    status: 'done',
    occurrence: 1,
    plannedMs,
    startedAt,
    endedAt: startedAt + plannedMs * factor,
    go: step.kind === 'freeze' ? { person: 'ann', at: startedAt } : null,
    signed: step.kind === 'task' ? { ops: { person: 'bo', at: startedAt } } : {},
    problem: null,
  };
}

function gate(step: TimelineStep): ReportGate {
  const vote = (person: string, afterMs: number) => ({
    person,
    decision: 'go' as const,
    reason: null,
    digest: DIGEST,
    at: step.plannedStart + afterMs,
    voided: null,
  });
  return {
    id: step.id,
    phase: step.phase,
    status: 'passed',
    roles: ['ops', 'vendor'],
    onNoGo: 'hold',
    openedAt: step.plannedStart,
    deadline: null,
    decidedAt: step.plannedStart + 120_000,
    digest: DIGEST,
    evidence: [
      { id: 'disturbed', kind: 'measure', verdict: 'pass', title: 'Customers disturbed', shown: '2 of 7,063' },
      ...(step.id === 'final'
        ? [{ id: 'kept', kind: 'measure', verdict: 'pass' as const, title: 'kept', shown: 'difference 0' }]
        : []),
    ],
    votes: [vote('bo', 60_000), { ...vote('cy', 80_000), voided: 'Customers disturbed: changed' }, vote('cy', 110_000)],
  };
}
