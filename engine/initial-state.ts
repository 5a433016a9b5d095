import { stepDurationMs, stepId } from '../runbooks/plan-timeline/phases';
import type { Phase, Step } from '../runbooks/schema/step';
import type { ResolvedRun } from '../runbooks/resolved';
import type { GateState, RunState, StepState } from './state';

/** The phases a run executes itself: a wave runs `perWave`, the cutover `before` and `after`. */
export function phasesOf(run: ResolvedRun, wave: number | null): Phase[] {
  return wave === null ? [...run.runbook.before, ...run.runbook.after] : run.runbook.perWave;
}

export function initialStep(run: ResolvedRun, phase: Phase, step: Step): StepState {
  const owner = step.owner ?? phase.owner;
  return {
    id: stepId(step),
    phase: phase.phase,
    kind: step.kind,
    title: step.title ?? stepId(step),
    owner,
    status: 'pending',
    occurrence: 1,
    plannedMs: stepDurationMs(step, run.plan),
    startedAt: null,
    endedAt: null,
    goRole: step.go ?? null,
    go: null,
    signedBy: step.kind === 'task' ? (step.signedBy ?? [owner]) : [],
    signed: {},
    items: step.kind === 'checklist' ? step.items : [],
    checks: {},
    problem: null,
    progress: null,
    result: null,
  };
}

export function initialGate(phase: Phase): GateState | null {
  if (!phase.gate) return null;
  return {
    id: phase.gate.id,
    phase: phase.phase,
    status: 'pending',
    roles: phase.gate.votes,
    onNoGo: phase.gate.onNoGo,
    openedAt: null,
    deadline: null,
    decidedAt: null,
    evidence: [],
    digest: null,
    seen: {},
    votes: [],
  };
}

export interface NewRun {
  cutover: string;
  wave: number | null;
  startedBy: string;
  startedAt: number;
  epoch: number;
  /** What the cutover's run knows of and nobody has resolved. */
  incidents?: RunState['incidents'];
}

/** Incidents that nobody has resolved, by id. */
export const openIncidents = ({ incidents }: RunState): RunState['incidents'] =>
  Object.fromEntries(Object.entries(incidents).filter(([, { resolved }]) => resolved === null));

/** State of a run before its first step. */
export function initialState(run: ResolvedRun, start: NewRun): RunState {
  const phases = phasesOf(run, start.wave);
  const steps = phases.flatMap((phase) => phase.steps.map((step) => initialStep(run, phase, step)));
  const gates = phases.map(initialGate).filter((gate) => gate !== null);
  return {
    ...start,
    status: 'running',
    outcome: null,
    steps: Object.fromEntries(steps.map((step) => [step.id, step])),
    gates: Object.fromEntries(gates.map((gate) => [gate.id, gate])),
    incidents: { ...start.incidents },
    answered: {},
    paused: null,
    rollback: null,
    pointOfNoReturnPassed: false,
    frozen: null,
    following: false,
    switchedAt: null,
    downtimeMs: null,
    verification: null,
    deltaRows: 0,
    waves:
      start.wave === null
        ? run.plan.waves.map((wave, index) => ({
            wave: index + 1,
            name: wave.id,
            status: 'pending' as const,
            phase: null,
            frozenAt: null,
            switchedAt: null,
            verification: null,
            deltaRows: 0,
            downtimeMs: null,
            rollback: null,
          }))
        : [],
    rescheduled: {},
    reschedulesAsked: [],
    notices: [],
    ledgerPending: [],
  };
}
