import type { Path } from '../yaml/source';
import { report, type Rule } from './context';

/** Lists in which saying something twice says something else than once. */
export const listedTwice: Rule = (context) => {
  const { runbook, plan } = context;
  const look = (doc: 'runbook' | 'plan', path: Path, items: readonly string[] | undefined): void => {
    items?.forEach((item, index) => {
      if (items.indexOf(item) === index) return;
      report(context, doc, [...path, index], {
        code: 'listed-twice',
        message: `\`${item}\` is in this list already`,
        remedy: 'remove it, or name what was meant',
      });
    });
  };
  for (const { path, step } of context.steps) {
    look('runbook', [...path, 'needs'], step.needs);
    if (step.kind === 'checklist') look('runbook', [...path, 'items'], step.items);
    if (step.kind === 'task') look('runbook', [...path, 'signedBy'], step.signedBy);
    if (step.kind === 'notify') look('runbook', [...path, 'to'], step.to);
    if (step.kind === 'drain') look('runbook', [...path, 'work'], step.work);
    if (step.kind === 'verify') look('runbook', [...path, 'totals'], step.totals);
  }
  for (const { path, gate } of context.gates) look('runbook', [...path, 'accept'], gate.accept);
  runbook.success.forEach((measure, index) => look('runbook', ['success', index, 'at'], measure.at));
  plan?.people.forEach((person, index) => look('plan', ['people', index, 'roles'], person.roles));
};

/** A conversion that would leave the target without customers. */
export const nothingToMove: Rule = (context) => {
  const { conversion, runbook } = context;
  if (!conversion) return;
  const entities = Object.entries(conversion.entities);
  const empty = (path: Path, what: string): void =>
    report(context, 'conversion', path, {
      code: 'nothing-to-move',
      message: `${what}: nothing would be moved, and every comparison would be of nothing`,
      remedy: 'write what becomes of the source’s rows',
      atKey: true,
    });
  if (entities.length === 0) empty(['entities'], 'there are no entities');
  for (const [id, entity] of entities)
    if (Object.keys(entity.columns).length === 0) empty(['entities', id, 'columns'], `\`${id}\` has no columns`);
  const { from } = runbook.population.target;
  if (entities.length === 0 || entities.some(([, entity]) => entity.to.table === from)) return;
  report(context, 'runbook', ['population', 'target', 'from'], {
    code: 'population-not-moved',
    message: `customers are counted in ${from}, and no entity writes it`,
    remedy: `name the table the customers are written to, such as ${entities[0]?.[1].to.table}`,
  });
};
