import { stepNeeds } from '../plan-timeline/phases';
import { suggest } from '../yaml/nearest';
import { PARTS, report, type Rule } from './context';

/** Steps that wait for each other. */
export const cyclesInNeeds: Rule = (context) => {
  for (const part of PARTS) {
    for (const phase of context.runbook[part]) {
      const steps = context.steps.filter((each) => each.phase === phase);
      const edges = new Map(
        steps.map((each) => [each.id, stepNeeds(phase, each.index).filter((need) => need !== each.id)]),
      );
      const cycle = findCycle(edges);
      const first = steps.find((each) => cycle.includes(each.id));
      if (!first) continue;
      report(context, 'runbook', first.step.needs ? [...first.path, 'needs'] : first.path, {
        code: 'cycle',
        message: `these steps wait for each other: ${[...cycle, cycle[0]].join(' → ')}`,
        remedy: 'remove one of the `needs` (a step without `needs` follows the one before)',
      });
    }
  }
};

/** Entities that wait for each other, or for one that does not exist. */
export const entityOrder: Rule = (context) => {
  const entities = context.conversion?.entities ?? {};
  const known = Object.keys(entities);
  for (const [id, entity] of Object.entries(entities)) {
    entity.after?.forEach((name, index) => {
      if (known.includes(name)) return;
      report(context, 'conversion', ['entities', id, 'after', index], {
        code: 'unknown-entity',
        message: `there is no entity \`${name}\``,
        remedy: suggest(
          name,
          known.filter((other) => other !== id),
        ),
      });
    });
  }
  const cycle = findCycle(new Map(Object.entries(entities).map(([id, entity]) => [id, entity.after ?? []])));
  if (cycle.length === 0) return;
  report(context, 'conversion', ['entities', cycle[0] as string, 'after'], {
    code: 'cycle',
    message: `these entities wait for each other: ${[...cycle, cycle[0]].join(' → ')}`,
    remedy: 'remove one of the `after`: rows are written parents first',
  });
};

/** The first cycle by depth-first search, as the ids along it; empty when there is none. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const finished = new Set<string>();
  const visit = (id: string, trail: readonly string[]): string[] => {
    if (trail.includes(id)) return trail.slice(trail.indexOf(id));
    if (finished.has(id) || !edges.has(id)) return [];
    for (const next of edges.get(id) ?? []) {
      const cycle = visit(next, [...trail, id]);
      if (cycle.length > 0) return cycle;
    }
    finished.add(id);
    return [];
  };
  for (const id of edges.keys()) {
    const cycle = visit(id, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
