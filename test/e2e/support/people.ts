import type { RunView } from '../../../engine/view';
import type { UpdateInput, UpdateName } from '../../../workflows/messages';

/** What scripted people do, by step or gate; default: everything is fine and everybody says go. */
export interface Script {
  /** Not said go to, not voted on: the test does it. */
  leave?: string[];
  noGo?: string;
  /** A step or gate; going back is asked for once it has begun. */
  rollbackAt?: string;
}

export interface Deed {
  name: UpdateName;
  input: UpdateInput<UpdateName>;
}

/** Keeps the message of a name and its input together. */
const deed = <N extends UpdateName>(name: N, input: UpdateInput<N>): Deed => ({ name, input });

const holder = (role: string): string => ({ lead: 'ada', owner: 'ben', ops: 'cas' })[role] ?? role;

/** The same people as a plan names them, for a runbook with the roles of the shipped one. */
export const BILLING_PEOPLE = [
  { id: 'ada', name: 'Ada', roles: ['lead'] },
  { id: 'cas', name: 'Cas', roles: ['ops'] },
  ...['sponsor', 'care', 'data', 'vendor'].map((role) => ({ id: role, name: role, roles: [role] })),
];

/** What people say to a run that looks so. */
export function deedsOf(view: RunView, script: Script): Deed[] {
  if (view.rollback === null && isReached(view, script.rollbackAt))
    return [deed('requestRollback', { person: 'ada', reason: 'the test asks for it' })];
  const { leave = [], noGo } = script;
  return [
    ...view.steps.filter(({ id }) => !leave.includes(id)).flatMap(deedsAtStep),
    ...view.gates
      .filter(({ id, status, digest }) => status === 'open' && digest !== null && !leave.includes(id))
      .flatMap((gate) => votesAt(gate, gate.id === noGo ? 'no-go' : 'go')),
  ];
}

const isReached = (view: RunView, id: string | undefined): boolean =>
  view.steps.some((step) => step.id === id && !['pending', 'waiting-window'].includes(step.status)) ||
  view.gates.some((gate) => gate.id === id && gate.status !== 'pending');

function deedsAtStep(step: RunView['steps'][number]): Deed[] {
  if (step.status === 'waiting-go') return [deed('sayGo', { person: holder(step.goRole ?? 'lead'), step: step.id })];
  if (step.status === 'failed') return [deed('retryStep', { person: 'ada', step: step.id })];
  if (step.status !== 'waiting-people') return [];
  return [
    ...step.signedBy
      .filter((role) => !step.signed[role])
      .map((role) => deed('completeTask', { person: holder(role), step: step.id })),
    ...step.items
      .filter((item) => !step.checks[item])
      .map((item) =>
        deed('recordCheck', { person: holder(step.owner), step: step.id, item, ok: true, evidence: 'seen' }),
      ),
  ];
}

const votesAt = (gate: RunView['gates'][number], decision: 'go' | 'no-go'): Deed[] =>
  gate.roles
    .filter((role) => !gate.votes.some((vote) => vote.person === holder(role) && vote.voided === null))
    .map((role) => deed('castVote', { person: holder(role), gate: gate.id, decision }));
