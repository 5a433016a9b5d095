import type { Voter } from '../domain/gate';
import type { ResolvedRun } from '../runbooks/resolved';

/** The plan's people as voters. Own: every role they hold is of the own company. */
export function voters(run: ResolvedRun): Voter[] {
  return run.plan.people.map((person) => ({
    id: person.id,
    roles: person.roles,
    own: person.roles.every((role) => run.runbook.roles[role] === 'own'),
  }));
}

export const holds = (run: ResolvedRun, person: string, role: string): boolean =>
  run.plan.people.some((candidate) => candidate.id === person && candidate.roles.includes(role));

export const isOwn = (run: ResolvedRun, person: string): boolean =>
  voters(run).some((voter) => voter.id === person && voter.own);

/** People who hold the role, for "waits for" lines. */
export const holders = (run: ResolvedRun, role: string): string[] =>
  run.plan.people.filter((person) => person.roles.includes(role)).map((person) => person.id);
