import { stepId } from '../../runbooks/plan-timeline/phases';
import type { ResolvedRun } from '../../runbooks/resolved';

const PARTS = ['before', 'perWave', 'after'] as const;
const MOST_SHOWN = 20;

type Named = Map<string, { where: string; text: string }>;

const added = (what: string, before: Named, after: Named): string[] =>
  [...after].flatMap(([id, { where }]) => (before.has(id) ? [] : [`adds ${what} ${id} to ${where}`]));

const dropped = (what: string, before: Named, after: Named): string[] =>
  [...before.keys()].flatMap((id) => (after.has(id) ? [] : [`drops ${what} ${id}`]));

const changed = (what: string, before: Named, after: Named): string[] =>
  [...before].flatMap(([id, old]) => {
    const now = after.get(id);
    if (!now || (now.text === old.text && now.where === old.where)) return [];
    return [now.where === old.where ? `changes ${what} ${id}` : `moves ${what} ${id} to ${now.where}`];
  });

const compared = (what: string, before: Named, after: Named): string[] =>
  [added, dropped, changed].flatMap((list) => list(what, before, after));

function steps({ runbook }: ResolvedRun): Named {
  return new Map(
    PARTS.flatMap((part) => runbook[part]).flatMap((phase) =>
      phase.steps.map((step) => [stepId(step), { where: `phase ${phase.phase}`, text: JSON.stringify(step) }] as const),
    ),
  );
}

function gates({ runbook }: ResolvedRun): Named {
  return new Map(
    PARTS.flatMap((part) => runbook[part]).flatMap((phase) =>
      phase.gate ? [[phase.gate.id, { where: `phase ${phase.phase}`, text: JSON.stringify(phase.gate) }] as const] : [],
    ),
  );
}

/** Everything else of a document, section by section. */
function sections(document: object, where: string): Named {
  const rest = Object.entries(document).filter(([key]) => !PARTS.some((part) => part === key));
  return new Map(rest.map(([key, value]) => [`\`${key}\``, { where, text: JSON.stringify(value) }]));
}

/** What an amendment changes, in words, for who is asked to approve it. People's names are not in it. */
export function changesOf(before: ResolvedRun, after: ResolvedRun): string[] {
  const lines = [
    ...compared('step', steps(before), steps(after)),
    ...compared('gate', gates(before), gates(after)),
    ...compared('section', sections(before.runbook, 'the runbook'), sections(after.runbook, 'the runbook')),
    ...compared('section', sections(before.plan, 'the plan'), sections(after.plan, 'the plan')),
  ];
  if (lines.length === 0) return ['changes words that no step reads'];
  const more = lines.length - MOST_SHOWN;
  return more > 0 ? [...lines.slice(0, MOST_SHOWN), `and ${more} more`] : lines;
}
