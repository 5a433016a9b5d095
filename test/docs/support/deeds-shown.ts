import type { UpdateInput, UpdateName } from '../../../workflows/messages';

/** The items of each checklist, by its step. */
export type Items = ReadonlyMap<string, readonly string[]>;

interface Deed {
  /** Step or gate. */
  of: string;
  name: UpdateName;
  input: UpdateInput<UpdateName>;
}

const deed = <N extends UpdateName>(of: string, name: N, input: UpdateInput<N>): Deed => ({ of, name, input });

/** The first person of each role in `sponsor (ingrid), ops (joost, femke)`. */
const firsts = (roles: string): string[] => [...roles.matchAll(/[\w-]+ \((\w+)/g)].map(([, person]) => person ?? '');

/** What people who see nothing but a run's current details do next: they sign, check, say go, vote go, and retry what failed. */
export function deedsShown(details: string, items: Items): Deed[] {
  return details.split('\n').flatMap((line): Deed[] => {
    const [, failed] = /^\s*([\w-]+) failed: /.exec(line) ?? [];
    if (failed) return [deed(failed, 'retryStep', { person: 'marit', step: failed })];
    const [, go, lead = ''] = /^\s*([\w-]+): go by (.*)$/.exec(line) ?? [];
    if (go) return firsts(lead).map((person) => deed(go, 'sayGo', { person, step: go }));
    const [, gate, roles = ''] = /^\s*gate ([\w-]+): votes of (.*)$/.exec(line) ?? [];
    if (gate) return votes(details, gate, firsts(roles));
    const [, step, many, signers = ''] =
      /^\s*([\w-]+): (\d+ items by )?((?:[\w-]+ \(\w+[^)]*\)(?:, )?)+)/.exec(line) ?? [];
    if (!step) return [];
    const [person = ''] = firsts(signers);
    if (!many) return firsts(signers).map((each) => deed(step, 'completeTask', { person: each, step }));
    const said = { step, person, ok: true, evidence: 'seen' };
    return (items.get(step) ?? []).map((item) => deed(step, 'recordCheck', { ...said, item }));
  });
}

/** Those of the people who have no vote in the gate's row that stands. */
function votes(details: string, gate: string, people: readonly string[]): Deed[] {
  const [, row = ''] = new RegExp(`^\\s*${gate}\\s+(?:open|held)\\b(.*)$`, 'm').exec(details) ?? [];
  return people
    .filter((person) => !row.includes(`${person}: go`))
    .map((person) => deed(gate, 'castVote', { person, gate, decision: 'go' }));
}
