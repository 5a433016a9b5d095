import type { Voter } from '../domain/gate';
import type { ResolvedRun } from '../runbooks/resolved';
import { own } from './messages/own';
import type { StepState } from './state';

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

/** Who answers for a role of a step: the person it was assigned to, else everybody who holds the role. */
export const answerable = (run: ResolvedRun, step: Pick<StepState, 'assigned'>, role: string): string[] => {
  const assigned = own(step.assigned ?? {}, role);
  return assigned === undefined ? holders(run, role) : [assigned];
};

/** Who stands in for these people. */
export const deputiesOf = (run: ResolvedRun, people: readonly string[]): string[] =>
  run.plan.people
    .filter((person) => person.deputyOf !== undefined && people.includes(person.deputyOf))
    .map((person) => person.id);

/** People who hold the role, for "waits for" lines. */
export const holders = (run: ResolvedRun, role: string): string[] =>
  run.plan.people.filter((person) => person.roles.includes(role)).map((person) => person.id);
