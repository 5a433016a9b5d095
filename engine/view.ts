import { stepId } from '../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../runbooks/resolved';
import { backOutBy } from './hours';
import { phasesOf } from './initial-state';
import { answerable, holders } from './people';
import type { Context } from './context';
import type { Amendment, GateState, RunState, StepState } from './state';

/** What `status` answers for one run: its state in runbook order, and who is waited for. */
export interface RunView {
  cutover: string;
  wave: number | null;
  status: RunState['status'];
  outcome: RunState['outcome'];
  phase: string | null;
  startedBy: string;
  startedAt: number;
  steps: StepState[];
  gates: GateState[];
  /** What the run waits for, in words: what people are to do, evidence that is being read. */
  waitsFor: string[];
  incidents: RunState['incidents'];
  paused: RunState['paused'];
  rollback: RunState['rollback'];
  pointOfNoReturnPassed: boolean;
  frozen: RunState['frozen'];
  backOutBy: number | null;
  downtimeMs: RunState['downtimeMs'];
  verification: RunState['verification'];
  waves: RunState['waves'];
  notices: RunState['notices'];
  /** By window: what two own people agreed on. */
  rescheduled: RunState['rescheduled'];
  /** Which documents the run goes by. */
  documents: { runbookHash: string; planHash: string; version: number };
  amendment: Amendment | null;
}

/** What a run shows of itself: a cutover's or a wave's own (`run`), or that of the run which takes it back. */
export interface ShownView {
  cutover: string;
  wave: number | null;
  kind: 'run' | 'rollback';
  /** JSON; no personal data. */
  body: string;
}

export function viewOf(context: Context): RunView {
  const { state, run } = context;
  const phases = phasesOf(run, state.wave);
  const steps = phases
    .flatMap((phase) => phase.steps.map((step) => state.steps[stepId(step)]))
    .filter((step) => step !== undefined);
  const gates = phases
    .flatMap((phase) => (phase.gate ? [state.gates[phase.gate.id]] : []))
    .filter((gate) => gate !== undefined);
  const current = phases.find(
    (phase) =>
      phase.steps.some((step) => !['done', 'skipped'].includes(state.steps[stepId(step)]?.status ?? 'done')) ||
      (phase.gate && state.gates[phase.gate.id]?.status !== 'passed'),
  );
  return {
    cutover: state.cutover,
    wave: state.wave,
    status: statusOf(state, steps, gates),
    outcome: state.outcome,
    phase: current?.phase ?? null,
    startedBy: state.startedBy,
    startedAt: state.startedAt,
    steps,
    gates,
    waitsFor: waitsFor(run, state, steps, gates),
    incidents: state.incidents,
    paused: state.paused,
    rollback: state.rollback,
    pointOfNoReturnPassed: state.pointOfNoReturnPassed,
    frozen: state.frozen,
    backOutBy: backOutBy(context),
    downtimeMs: state.downtimeMs,
    verification: state.verification,
    waves: state.waves,
    notices: state.notices,
    rescheduled: state.rescheduled,
    documents: { runbookHash: run.runbookHash, planHash: run.planHash, version: run.runbook.version },
    amendment: state.amendment ?? null,
  };
}

function statusOf(state: RunState, steps: StepState[], gates: GateState[]): RunState['status'] {
  if (state.status !== 'running') return state.status;
  if (state.paused) return 'paused';
  const people = steps.some((step) => ['waiting-go', 'waiting-people', 'failed'].includes(step.status));
  const machine = steps.some((step) => step.status === 'running');
  return !machine && (people || gates.some((gate) => ['open', 'held'].includes(gate.status)))
    ? 'waiting-for-person'
    : 'running';
}

function waitsFor(run: ResolvedRun, state: RunState, steps: StepState[], gates: GateState[]): string[] {
  const open = steps.flatMap((step) => {
    const who = (role: string): string => `${role} (${answerable(run, step, role).join(', ')})`;
    if (step.status === 'waiting-go') return [`${step.id}: go by ${who(step.goRole ?? '')}`];
    if (step.status === 'failed') return [`${step.id} failed: ${step.problem ?? ''}`];
    if (step.status === 'waiting-window') return [`${step.id}: ${step.problem ?? 'window'}`];
    if (step.status !== 'waiting-people') return [];
    const signers = step.signedBy.filter((role) => !step.signed[role]);
    const items = step.items.filter((item) => !step.checks[item]);
    const by = signers.length > 0 ? signers.map(who).join(', ') : who(step.owner);
    return [`${step.id}: ${step.kind === 'checklist' ? `${items.length} items by ` : ''}${by}${standing(step)}`];
  });
  const who = (role: string): string => `${role} (${holders(run, role).join(', ')})`;
  const votes = gates
    .filter((gate) => gate.status === 'open' || gate.status === 'held')
    .map((gate) => {
      const what =
        gate.digest === null ? 'its evidence, which is being read' : `votes of ${gate.roles.map(who).join(', ')}`;
      return `gate ${gate.id}: ${what}`;
    });
  const proposed = state.amendment?.status === 'proposed' ? state.amendment : null;
  const amendment = proposed
    ? [`amendment by ${proposed.by}: ${2 - proposed.approvedBy.length} more own people to approve it`]
    : [];
  return [
    ...amendment,
    ...(state.paused ? [`paused by ${state.paused.person}: ${state.paused.reason}`] : []),
    ...open,
    ...votes,
  ];
}

/** How it stands with what people do: blocked, overdue, or taken up. */
function standing(step: StepState): string {
  const taken = step.taken ? `; ${step.taken.person} is on it` : '';
  const overdue = (step.due?.level ?? 0) > 0 ? `; overdue since ${new Date(step.due?.at ?? 0).toISOString()}` : '';
  const blocked = step.blocked ? `; blocked by ${step.blocked.person}: ${step.blocked.reason}` : '';
  return `${blocked}${overdue}${taken}`;
}
