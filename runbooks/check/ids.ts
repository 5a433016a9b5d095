import type { FindingCode } from '../finding-codes';
import type { Path } from '../yaml/source';
import { PARTS, report, type CheckContext, type Doc, type Rule } from './context';

interface Named {
  id: string;
  path: Path;
}

function refuseTwice(context: CheckContext, doc: Doc, what: string, code: FindingCode, named: readonly Named[]): void {
  const seen = new Set<string>();
  for (const { id, path } of named) {
    if (seen.has(id)) {
      report(context, doc, path, {
        code,
        message: `a second ${what} called \`${id}\``,
        remedy: 'write another id: each names one thing',
      });
    }
    seen.add(id);
  }
}

/** Ids that name two things. Steps and gates share one name space: commands and durations name either. */
export const duplicateIds: Rule = (context) => {
  const { runbook, plan } = context;
  const steps = context.steps.map(({ id, path, step }) => ({
    id,
    path: step.id ? [...path, 'id'] : [...path, 'kind'],
  }));
  const gates = context.gates.map(({ gate, path }) => ({ id: gate.id, path: [...path, 'id'] }));
  refuseTwice(context, 'runbook', 'step or gate', 'duplicate-step', [...steps, ...gates]);
  const phases = PARTS.flatMap((part) =>
    runbook[part].map((phase, index) => ({ id: phase.phase, path: [part, index, 'phase'] })),
  );
  refuseTwice(context, 'runbook', 'phase', 'duplicate-phase', phases);
  const within = (list: readonly { id: string }[], key: string): Named[] =>
    list.map((item, index) => ({ id: item.id, path: [key, index, 'id'] }));
  refuseTwice(context, 'runbook', 'measure', 'duplicate-measure', within(runbook.success, 'success'));
  refuseTwice(context, 'runbook', 'risk', 'duplicate-risk', within(runbook.risks, 'risks'));
  refuseTwice(context, 'plan', 'person', 'duplicate-person', within(plan?.people ?? [], 'people'));
  refuseTwice(context, 'plan', 'wave', 'duplicate-wave', within(plan?.waves ?? [], 'waves'));
};

/** `rollback` names the back-out in durations and commands. */
export const reservedIds: Rule = (context) => {
  for (const { id, path } of context.steps) {
    if (id !== 'rollback') continue;
    report(context, 'runbook', path, {
      code: 'reserved-id',
      message: '`rollback` names the back-out itself',
      remedy: 'write another id',
    });
  }
};
