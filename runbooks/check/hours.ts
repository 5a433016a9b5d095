import { frozenMs, remainingDisruptiveMs, schedulePhase } from '../../domain/forecast';
import { STEP_KINDS } from '../../domain/step-kinds';
import { plannedPhases, rollbackDurationMs, stepId, stepNeeds } from '../plan-timeline/phases';
import { durationMs } from '../schema/common';
import type { StepKind } from '../schema/step';
import { phaseOrder, report, type CheckContext, type Rule, type StepAt } from './context';

/** Steps that change nothing for a customer: between a gate and what it let through they do not matter. */
const QUIET: readonly StepKind[] = ['window', 'notify', 'checklist', 'task'];

/** HOURS and GATE: disruptive work has a window, and a named person's go or a gate directly before it. */
export const disruptiveSteps: Rule = (context) => {
  for (const at of context.steps) {
    if (!STEP_KINDS[at.step.kind].disruptive) continue;
    if (!at.phase.window) {
      report(context, 'runbook', at.path, {
        code: 'no-window',
        message: `\`${at.id}\` can be noticed by customers and its phase has no window`,
        remedy: `add \`window:\` to the phase \`${at.phase.phase}\``,
      });
    }
    if (!at.step.go && !gateDirectlyBefore(context, at)) {
      report(context, 'runbook', at.path, {
        code: 'no-go',
        message: `\`${at.id}\` can be noticed by customers and nobody is asked before it`,
        remedy: 'add `go: ROLE`, or put it first in a phase that follows a gate',
      });
    }
  }
};

/** Customers frozen in one window are switched in it: what comes between counts in the time that is left to back out. */
export const windowWhileFrozen: Rule = (context) => {
  const phaseOf = (kind: StepKind): StepAt | undefined =>
    context.steps.find((at) => at.part === 'perWave' && at.step.kind === kind);
  const [freeze, change] = [phaseOf('freeze'), phaseOf('switch')];
  const night = freeze?.phase.window;
  const isKnown = (window: string): boolean => context.runbook.windows[window] !== undefined;
  if (!freeze || !change || night === undefined || !isKnown(night)) return;
  for (const [index, { phase, window }] of context.runbook.perWave.entries()) {
    if (index <= freeze.phaseIndex || index > change.phaseIndex || window === night) continue;
    if (window ? !isKnown(window) : index === change.phaseIndex) continue; // said already
    report(context, 'runbook', ['perWave', index, 'phase'], {
      code: 'other-window-while-frozen',
      message: `customers are frozen in the window \`${night}\`, and phase \`${phase}\` between freeze and switch is not in it`,
      remedy: `write \`window: ${night}\` in the phase \`${phase}\``,
    });
  }
};

function gateDirectlyBefore(context: CheckContext, at: StepAt): boolean {
  const previous = Math.max(...context.steps.map(phaseOrder).filter((order) => order < phaseOrder(at)));
  if (!context.gates.some((gate) => phaseOrder(gate) === previous)) return false;
  const seen = new Set<string>();
  const quiet = (index: number): boolean =>
    stepNeeds(at.phase, index).every((need) => {
      if (seen.has(need)) return true;
      seen.add(need);
      const before = at.phase.steps.findIndex((step) => stepId(step) === need);
      const step = at.phase.steps[before];
      return step !== undefined && QUIET.includes(step.kind) && quiet(before);
    });
  return quiet(at.index);
}

/** The shortest time a window stays open: its pattern, or the plan's own openings. */
function windowMs(context: CheckContext, id: string | undefined): number | null {
  const window = id === undefined ? undefined : context.runbook.windows[id];
  if (id === undefined || !window) return null;
  const exact = context.plan?.windows?.[id]?.map((opening) => durationMs(opening.lasts));
  return exact ? Math.min(...exact) : durationMs(window.lasts);
}

/** Limits and deadlines that cannot hold inside the window. */
export const limitsAndWindows: Rule = (context) => {
  const { limits } = context.runbook;
  const frozenAtMostMs = durationMs(limits.frozenAtMost);
  for (const at of context.steps) {
    const openMs = at.step.kind === 'freeze' ? windowMs(context, at.phase.window) : null;
    if (openMs === null || frozenAtMostMs <= openMs) continue;
    report(context, 'runbook', ['limits', 'frozenAtMost'], {
      code: 'frozen-longer-than-window',
      message: `a freeze may last ${limits.frozenAtMost}, longer than the window \`${at.phase.window}\` is open`,
      remedy: 'write a shorter duration',
    });
  }
  for (const { gate, phase, path } of context.gates) {
    const openMs = windowMs(context, phase.window);
    if (!gate.deadline || openMs === null || durationMs(gate.deadline) <= openMs) continue;
    report(context, 'runbook', [...path, 'deadline'], {
      code: 'deadline-longer-than-window',
      message: `the gate may stay open ${gate.deadline}, longer than the window \`${phase.window}\``,
      remedy: 'write a shorter duration',
    });
  }
  if (durationMs(limits.heldAtMost) < frozenAtMostMs) {
    report(context, 'runbook', ['limits', 'heldAtMost'], {
      code: 'held-shorter-than-frozen',
      message: 'requests are held at least as long as the source is frozen',
      remedy: `write ${limits.frozenAtMost} or more`,
    });
  }
  if (durationMs(limits.lease) > frozenAtMostMs) {
    report(context, 'runbook', ['limits', 'lease'], {
      code: 'lease-longer-than-freeze',
      message: 'a dead run would keep customers frozen longer than a freeze may last',
      remedy: 'write a lease of some seconds, such as PT30S',
    });
  }
};

/** What the planned durations already rule out. Cycles and unknown needs are reported elsewhere; then nothing is planned. */
export const plannedNight: Rule = (context) => {
  if (context.findings.some(({ code }) => code === 'cycle' || code === 'unknown-step' || code === 'duplicate-step'))
    return;
  const { runbook, plan } = context;
  const phases = plannedPhases(runbook.perWave, plan);
  let clock = 0;
  const scheduled = phases.flatMap((phase) => {
    const done = schedulePhase(phase, clock);
    clock = done.plannedEnd;
    return done.steps;
  });
  const of = (kind: StepKind) => context.steps.find((at) => at.part === 'perWave' && at.step.kind === kind);
  const step = (at: StepAt | undefined) => scheduled.find((each) => each.id === at?.id);
  const freeze = of('freeze');
  const planned = frozenMs(step(freeze), step(of('switch')));
  if (freeze && planned !== null && planned > durationMs(runbook.limits.frozenAtMost)) {
    report(context, 'runbook', freeze.path, {
      code: 'planned-frozen-too-long',
      message: `the plan freezes customers for ${minutes(planned)}, and \`frozenAtMost\` is ${runbook.limits.frozenAtMost}`,
      remedy: 'move steps before the freeze or after the switch, or agree on a longer `frozenAtMost`',
    });
  }
  for (const id of new Set(phases.flatMap((phase) => phase.window ?? []))) {
    const inWindow = phases.filter((phase) => phase.window === id);
    const neededMs = remainingDisruptiveMs(inWindow, { done: new Set() });
    const openMs = windowMs(context, id);
    if (openMs === null || neededMs === 0 || neededMs + rollbackDurationMs(runbook, plan) <= openMs) continue;
    const at = runbook.perWave.findIndex((phase) => phase.window === id);
    report(context, 'runbook', ['perWave', at, 'window'], {
      code: 'window-too-short',
      message: `the disruptive work takes ${minutes(neededMs)} and backing out ${minutes(rollbackDurationMs(runbook, plan))}: more than the window is open`,
      remedy: 'make the window longer, or the planned durations shorter',
    });
  }
};

function minutes(ms: number): string {
  return `${Math.ceil(ms / 60_000)} minutes`;
}
