import type { PlannedPhase, PlannedStep } from '../../domain/forecast';
import { STEP_KINDS } from '../../domain/step-kinds';
import { durationMs } from '../schema/common';
import type { Plan } from '../schema/plan';
import type { Runbook } from '../schema/runbook';
import type { Phase, Step, StepKind } from '../schema/step';

/** Step or gate id → milliseconds, read from a rehearsal or from this run. */
export type Measured = Readonly<Record<string, number>>;

/** What a gate takes when the plan does not say: people read the evidence and vote. */
const GATE_PLANNED_MS = 5 * 60_000;
/** The machine work of the way in that backing out does once more. */
const DONE_AGAIN: readonly StepKind[] = ['freeze', 'convert', 'switch'];

export function stepId(step: Step): string {
  return step.id ?? step.kind;
}

/** Ids of the steps that must have ended before: those named, or the step before. */
export function stepNeeds(phase: Phase, index: number): string[] {
  const step = phase.steps[index];
  if (step?.needs) return step.needs;
  const before = index > 0 ? phase.steps[index - 1] : undefined;
  return before ? [stepId(before)] : [];
}

/**
 * Measured, else the plan's, else the runbook's, else the kind's usual duration; milliseconds. What is planned for people is
 * divided by a rehearsal's pace, as the run divides it.
 */
export function stepDurationMs(step: Step, plan: Plan | null, measured: Measured = {}): number {
  const id = stepId(step);
  const said = plan?.durations?.[id] ?? step.planned ?? (step.kind === 'hypercare' ? step.atLeast : undefined);
  const { byPeople, plannedMs } = STEP_KINDS[step.kind];
  const planned = said === undefined ? plannedMs : durationMs(said);
  return measured[id] ?? (byPeople ? planned / paceOf(plan) : planned);
}

const paceOf = (plan: Plan | null): number => plan?.pace ?? 1;

/** How long a task or checklist may be open before it is overdue, milliseconds; null when nobody said how long it takes. */
export function dueAfterMs(step: Step, plan: Plan | null): number | null {
  if (step.kind !== 'task' && step.kind !== 'checklist') return null;
  const said = step.due ?? plan?.durations?.[stepId(step)] ?? step.planned;
  return said === undefined ? null : durationMs(said);
}

/**
 * Back-out duration of a wave, milliseconds: `rollback` among the measured or the plan's durations, else that of the
 * freeze, the conversion and the switch together.
 */
export function rollbackDurationMs(runbook: Runbook, plan: Plan | null, measured: Measured = {}): number {
  const planned = plan?.durations?.['rollback'];
  if (measured['rollback'] !== undefined) return measured['rollback'];
  if (planned !== undefined) return durationMs(planned);
  return runbook.perWave
    .flatMap((phase) => phase.steps)
    .filter((step) => DONE_AGAIN.includes(step.kind))
    .reduce((sum, step) => sum + stepDurationMs(step, plan, measured), 0);
}

/** The phases of one part (`before`, `perWave`, `after`) as the forecast reads them. */
export function plannedPhases(phases: readonly Phase[], plan: Plan | null, measured: Measured = {}): PlannedPhase[] {
  return phases.map((phase) => ({
    id: phase.phase,
    window: phase.window ?? null,
    steps: phase.steps.map((step, index) => plannedStep(phase, step, index, plan, measured)),
    gate: phase.gate ? { id: phase.gate.id, durationMs: gateDurationMs(phase.gate, plan, measured) } : null,
  }));
}

function plannedStep(phase: Phase, step: Step, index: number, plan: Plan | null, measured: Measured): PlannedStep {
  return {
    id: stepId(step),
    needs: stepNeeds(phase, index),
    durationMs: stepDurationMs(step, plan, measured),
    disruptive: STEP_KINDS[step.kind].disruptive,
    waitsForWindow: step.kind === 'window',
  };
}

function gateDurationMs(gate: NonNullable<Phase['gate']>, plan: Plan | null, measured: Measured): number {
  const said = plan?.durations?.[gate.id];
  const deadline = gate.deadline === undefined ? Infinity : durationMs(gate.deadline);
  const planned = said === undefined ? Math.min(GATE_PLANNED_MS, deadline) : durationMs(said);
  return measured[gate.id] ?? planned / paceOf(plan);
}
