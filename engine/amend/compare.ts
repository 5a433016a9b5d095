import { stepId } from '../../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../../runbooks/resolved';
import type { Phase, Step } from '../../runbooks/schema/step';
import { STEP_KINDS } from '../../domain/step-kinds';
import type { GateState, RunState, StepState } from '../state';

/** A phase, and the part of the runbook it stands in. */
interface PhaseAt {
  key: string;
  phase: Phase;
}

const partOf = (part: 'before' | 'perWave' | 'after', phases: readonly Phase[]): PhaseAt[] =>
  phases.map((phase) => ({ key: `${part}/${phase.phase}`, phase }));

const phasesAt = ({ runbook }: ResolvedRun, wave: number | null): PhaseAt[] =>
  wave === null
    ? [...partOf('before', runbook.before), ...partOf('after', runbook.after)]
    : partOf('perWave', runbook.perWave);

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

/** True from a step's first moment on; what was skipped counts too. */
export const hasStarted = (step: StepState | undefined): boolean =>
  step !== undefined && (step.startedAt !== null || ['running', 'failed', 'done', 'skipped'].includes(step.status));

const hasOpened = (gate: GateState | undefined): boolean => gate !== undefined && gate.status !== 'pending';

/** What a step does: its own words, where it stands, and what it names elsewhere in the runbook. */
function meaningOf({ runbook }: ResolvedRun, phase: Phase, step: Step): unknown {
  const { title: _title, planned: _planned, needs: _needs, ...rest } = step;
  const named =
    step.kind === 'drain'
      ? step.work.map((id) => runbook.work[id])
      : step.kind === 'verify'
        ? (step.totals ?? []).map((id) => runbook.totals[id])
        : [];
  const window = STEP_KINDS[step.kind].disruptive || step.kind === 'window' ? phase.window : undefined;
  return { ...rest, owner: step.owner ?? phase.owner, window: window ?? null, named };
}

interface StepAt extends PhaseAt {
  step: Step;
}

const stepsAt = (phases: readonly PhaseAt[]): Map<string, StepAt> =>
  new Map(phases.flatMap((at) => at.phase.steps.map((step) => [stepId(step), { ...at, step }] as const)));

/**
 * Why a run cannot go on with other documents; empty when it can. What a run stands on stays, and so do the steps that have
 * started and the gates that have opened. Judged where the steps run: a wave looks at `perWave`, the cutover at the rest.
 */
export function amendmentProblems(before: ResolvedRun, after: ResolvedRun, state: RunState): string[] {
  const old = phasesAt(before, state.wave);
  const next = phasesAt(after, state.wave);
  return [
    ...groundProblems(before, after),
    ...(state.wave === null ? waveProblems(before, after, state) : []),
    ...orderProblems(old, next, state),
    ...stepProblems(before, after, old, next, state),
    ...gateProblems(old, next, state),
  ];
}

/** What everything so far was done by: the systems, the people's waves, the mapping. */
function groundProblems(before: ResolvedRun, after: ResolvedRun): string[] {
  const ground = ({ runbook, conversion, plan }: ResolvedRun): Record<string, unknown> => ({
    'the name of the runbook': runbook.runbook,
    'the time zone': runbook.timeZone,
    'the systems': runbook.systems,
    'the population': runbook.population,
    'the conversion': conversion,
    'the point of no return': runbook.pointOfNoReturn,
    'the waves of the plan': plan.waves,
    'mode and pace of the plan': [plan.mode, plan.pace],
  });
  const now = ground(after);
  return Object.entries(ground(before)).flatMap(([what, value]) =>
    same(value, now[what]) ? [] : [`${what} cannot be changed in a running cutover`],
  );
}

/** Before is over once a wave has begun; a wave that went live may still be undone by the actions it knows. */
function waveProblems(before: ResolvedRun, after: ResolvedRun, { waves }: RunState): string[] {
  if (waves.every((wave) => wave.status === 'pending')) return [];
  const names = ({ runbook }: ResolvedRun): string[] => runbook.before.map((phase) => phase.phase);
  const added = names(after).filter((name) => !names(before).includes(name));
  const over = added.map((name) => `phase ${name}: a wave has begun, so \`before\` is over; add it to a later part`);
  const live = waves.find((wave) => wave.status !== 'pending' && wave.status !== 'running');
  if (!live) return over;
  const now = stepsAt(partOf('perWave', after.runbook.perWave));
  const actions = [...stepsAt(partOf('perWave', before.runbook.perWave))].filter(([, at]) => at.step.kind === 'action');
  return [
    ...over,
    ...actions.flatMap(([id, at]) => {
      const then = now.get(id);
      const kept = then && same(meaningOf(before, at.phase, at.step), meaningOf(after, then.phase, then.step));
      return kept ? [] : [`action ${id} cannot be changed: going back from wave ${live.wave} still needs it`];
    }),
  ];
}

const hasBegun = (state: RunState, { phase }: PhaseAt): boolean =>
  phase.steps.some((step) => hasStarted(state.steps[stepId(step)])) ||
  (phase.gate !== undefined && hasOpened(state.gates[phase.gate.id]));

/** Phases that have begun stay where they are, and nothing comes before them. */
function orderProblems(old: readonly PhaseAt[], next: readonly PhaseAt[], state: RunState): string[] {
  return old.flatMap((at, index) =>
    hasBegun(state, at) && next[index]?.key !== at.key
      ? [`phase ${at.phase.phase} has begun: it keeps its name and its place`]
      : [],
  );
}

function stepProblems(
  before: ResolvedRun,
  after: ResolvedRun,
  old: readonly PhaseAt[],
  next: readonly PhaseAt[],
  state: RunState,
): string[] {
  const known = stepsAt(old);
  const wanted = stepsAt(next);
  const started = [...known].filter(([id]) => hasStarted(state.steps[id]));
  const changed = started.flatMap(([id, at]) => {
    const then = wanted.get(id);
    if (!then) return [`step ${id} has started and cannot be left out`];
    if (then.key !== at.key) return [`step ${id} has started and cannot move to phase ${then.phase.phase}`];
    const kept = same(meaningOf(before, at.phase, at.step), meaningOf(after, then.phase, then.step));
    return kept ? [] : [`step ${id} has started and cannot be changed; skip it and add another, or roll back`];
  });
  const closed = new Set(old.filter((at) => isClosed(state, at)).map(({ key }) => key));
  const late = [...wanted].filter(([id, { key }]) => closed.has(key) && !hasStarted(state.steps[id]));
  return [
    ...changed,
    ...late.map(([id, { phase }]) => `step ${id}: phase ${phase.phase} is over; add it to a later phase`),
  ];
}

/** Its gate has opened, or all of its steps have ended: what is added here would never run. */
function isClosed(state: RunState, { phase }: PhaseAt): boolean {
  if (phase.gate && hasOpened(state.gates[phase.gate.id])) return true;
  return phase.steps.every((step) => ['done', 'skipped'].includes(state.steps[stepId(step)]?.status ?? ''));
}

function gateProblems(old: readonly PhaseAt[], next: readonly PhaseAt[], state: RunState): string[] {
  return old.flatMap(({ key, phase: { gate } }) => {
    if (!gate || !hasOpened(state.gates[gate.id])) return [];
    const then = next.find((at) => at.phase.gate?.id === gate.id);
    return then?.key === key && same(then.phase.gate, gate) ? [] : [`gate ${gate.id} has opened and cannot be changed`];
  });
}
