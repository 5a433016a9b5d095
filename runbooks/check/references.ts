import { suggest } from '../yaml/nearest';
import type { Path } from '../yaml/source';
import { report, type CheckContext, type Rule } from './context';

type Referred = 'role' | 'system' | 'window' | 'work' | 'total' | 'gate' | 'measure' | 'step';

function demand(
  context: CheckContext,
  path: Path,
  what: Referred,
  id: string | undefined,
  known: Iterable<string>,
): void {
  if (id === undefined) return;
  const candidates = [...known];
  if (candidates.includes(id)) return;
  report(context, 'runbook', path, {
    code: `unknown-${what}`,
    message: `there is no ${what} \`${id}\``,
    remedy: suggest(id, candidates),
  });
}

function demandAll(
  context: CheckContext,
  path: Path,
  what: Referred,
  ids: readonly string[] | undefined,
  known: Iterable<string>,
): void {
  const candidates = [...known];
  ids?.forEach((id, index) => demand(context, [...path, index], what, id, candidates));
}

export const unknownRoles: Rule = (context) => {
  const { runbook } = context;
  const roles = Object.keys(runbook.roles);
  for (const { path, step, phase, part, phaseIndex, index } of context.steps) {
    if (index === 0) demand(context, [part, phaseIndex, 'owner'], 'role', phase.owner, roles);
    demand(context, [...path, 'owner'], 'role', step.owner, roles);
    demand(context, [...path, 'go'], 'role', step.go, roles);
    if (step.kind === 'task') demandAll(context, [...path, 'signedBy'], 'role', step.signedBy, roles);
    if (step.kind === 'notify') demandAll(context, [...path, 'to'], 'role', step.to, roles);
  }
  for (const { gate, path } of context.gates) demandAll(context, [...path, 'votes'], 'role', gate.votes, roles);
  runbook.risks.forEach((risk, index) => demand(context, ['risks', index, 'owner'], 'role', risk.owner, roles));
  for (const [id, work] of Object.entries(runbook.work)) {
    if (work.leftover !== 'exclude')
      demand(context, ['work', id, 'leftover', 'handTo'], 'role', work.leftover.handTo, roles);
  }
};

export const unknownSystems: Rule = (context) => {
  const { runbook } = context;
  const systems = Object.keys(runbook.systems);
  demand(context, ['population', 'system'], 'system', runbook.population.system, systems);
  for (const [id, work] of Object.entries(runbook.work))
    demand(context, ['work', id, 'system'], 'system', work.system, systems);
  for (const { path, step } of context.steps) {
    if (step.kind === 'action') demand(context, [...path, 'system'], 'system', step.system, systems);
  }
};

export const unknownWindows: Rule = (context) => {
  const windows = Object.keys(context.runbook.windows);
  for (const { path, step, phase, part, phaseIndex, index } of context.steps) {
    if (index === 0) demand(context, [part, phaseIndex, 'window'], 'window', phase.window, windows);
    if (step.kind === 'window') demand(context, [...path, 'window'], 'window', step.window, windows);
    if (step.kind === 'hypercare') demand(context, [...path, 'rollbackIn'], 'window', step.rollbackIn, windows);
    if (step.kind === 'window' && !step.window && !phase.window) {
      report(context, 'runbook', path, {
        code: 'window-step-without-window',
        message: 'this step waits for a window, and neither it nor its phase names one',
        remedy: 'add `window:` to the phase or the step',
      });
    }
  }
};

export const unknownWork: Rule = (context) => {
  const { runbook } = context;
  for (const { path, step } of context.steps) {
    if (step.kind === 'drain') demandAll(context, [...path, 'work'], 'work', step.work, Object.keys(runbook.work));
    if (step.kind === 'verify')
      demandAll(context, [...path, 'totals'], 'total', step.totals, Object.keys(runbook.totals));
  }
  const drained = new Set(context.steps.flatMap(({ step }) => (step.kind === 'drain' ? step.work : [])));
  for (const id of Object.keys(runbook.work).filter((work) => !drained.has(work))) {
    report(context, 'runbook', ['work', id], {
      code: 'work-not-drained',
      message: `no step drains \`${id}\``,
      remedy: 'add it to `work` of a `drain` step, or remove it',
      atKey: true,
    });
  }
  const compared = new Set(context.steps.flatMap(({ step }) => (step.kind === 'verify' ? (step.totals ?? []) : [])));
  for (const id of Object.keys(runbook.totals).filter((total) => !compared.has(total))) {
    report(context, 'runbook', ['totals', id], {
      code: 'total-not-compared',
      message: `no step compares \`${id}\``,
      remedy: 'add it to `totals` of a `verify` step, or remove it',
      atKey: true,
    });
  }
};

/** The evidence that tables changed since the copy began: a column that was added may be nobody's loss. */
const ACCEPTABLE_SHAPES = 'shapes';

export const unknownGates: Rule = (context) => {
  const { runbook } = context;
  const gates = context.gates.map(({ gate }) => gate.id);
  const steps = context.steps.map(({ id }) => id);
  demand(context, ['pointOfNoReturn'], 'gate', runbook.pointOfNoReturn, gates);
  runbook.success.forEach((measure, index) => demandAll(context, ['success', index, 'at'], 'gate', measure.at, gates));
  runbook.risks.forEach((risk, index) =>
    demand(context, ['risks', index, 'closedBy'], 'step', risk.closedBy, [...steps, ...gates]),
  );
  for (const { gate, path } of context.gates) {
    const shown = runbook.success.filter((measure) => measure.at.includes(gate.id)).map((measure) => measure.id);
    demandAll(context, [...path, 'accept'], 'measure', gate.accept, [...shown, ACCEPTABLE_SHAPES]);
  }
};

export const unknownNeeds: Rule = (context) => {
  for (const { path, step, phase, id } of context.steps) {
    const inPhase = context.steps.filter((other) => other.phase === phase && other.id !== id).map((other) => other.id);
    step.needs?.forEach((need, index) => {
      const elsewhere = context.steps.some((other) => other.id === need && other.phase !== phase);
      if (!elsewhere && need !== id) return demand(context, [...path, 'needs', index], 'step', need, inPhase);
      report(context, 'runbook', [...path, 'needs', index], {
        code: need === id ? 'cycle' : 'need-outside-phase',
        message: need === id ? `\`${id}\` needs itself` : `\`${need}\` is a step of another phase`,
        remedy: need === id ? 'remove it' : 'phases run one after the other: remove it',
      });
    });
  }
};
