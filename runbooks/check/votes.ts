import { assign, type Voter } from '../../domain/gate';
import { suggest } from '../yaml/nearest';
import { report, type Rule } from './context';

/** Roles that are declared and that nobody holds, and people in roles that are not declared. */
export const peopleAndRoles: Rule = (context) => {
  const { plan, runbook } = context;
  if (!plan) return;
  const held = new Set(plan.people.flatMap((person) => person.roles));
  for (const role of Object.keys(runbook.roles).filter((each) => !held.has(each))) {
    report(context, 'plan', ['people'], {
      code: 'role-nobody-holds',
      message: `nobody holds the role \`${role}\``,
      remedy: `add \`${role}\` to the roles of a person`,
      atKey: true,
    });
  }
  const ids = plan.people.map((person) => person.id);
  plan.people.forEach((person, index) => {
    person.roles.forEach((role, at) => {
      if (Object.hasOwn(runbook.roles, role)) return;
      report(context, 'plan', ['people', index, 'roles', at], {
        code: 'unknown-role',
        message: `there is no role \`${role}\``,
        remedy: suggest(role, Object.keys(runbook.roles)),
      });
    });
    if (!person.deputyOf || (person.deputyOf !== person.id && ids.includes(person.deputyOf))) return;
    const others = ids.filter((id) => id !== person.id);
    report(context, 'plan', ['people', index, 'deputyOf'], {
      code: 'unknown-person',
      message: `\`${person.deputyOf}\` is not another person of the plan`,
      remedy: suggest(person.deputyOf, others),
    });
  });
};

/** GATE: distinct people can fill every gate, also when one of the leads has started the run and so cannot vote. */
export const gatesCanPass: Rule = (context) => {
  const { plan, runbook } = context;
  const voters: Voter[] = (plan?.people ?? []).map((person) => ({
    id: person.id,
    roles: person.roles,
    own: person.roles.every((role) => runbook.roles[role] === 'own'),
  }));
  const leads = voters.filter((voter) => voter.roles.includes('lead'));
  const starters = leads.length > 0 ? leads : voters;
  const filled = (roles: string[], people: Voter[]): boolean => !assign(roles, people).includes(undefined);
  for (const { gate, path } of context.gates) {
    const own = gate.votes.filter((role) => runbook.roles[role] === 'own').length;
    if (gate.ownVotes !== undefined && gate.ownVotes > own) {
      report(context, 'runbook', [...path, 'ownVotes'], {
        code: 'own-votes-impossible',
        message: `${gate.ownVotes} own votes are asked for, and ${own} of the roles are of the own company`,
        remedy: `write ${own}, or add own roles to \`votes\``,
      });
    }
    if (!plan || gate.votes.some((role) => !voters.some((voter) => voter.roles.includes(role)))) continue;
    if (!filled(gate.votes, voters)) {
      report(context, 'runbook', [...path, 'votes'], {
        code: 'gate-cannot-pass',
        message: 'the same person would have to vote twice: one person counts once',
        remedy: 'give one of these roles to another person of the plan',
      });
    } else if (
      !starters.some((starter) =>
        filled(
          gate.votes,
          voters.filter((voter) => voter !== starter),
        ),
      )
    ) {
      report(context, 'runbook', [...path, 'votes'], {
        code: 'gate-needs-starter',
        message: 'it passes only with the vote of the person who starts the run, who cannot vote',
        remedy: 'ask another role, or give the role to another person of the plan',
      });
    }
  }
};
