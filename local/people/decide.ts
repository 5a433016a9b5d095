import type { RunShown, StatusShown } from '../../cli/run-status';

type Step = RunShown['steps'][number];
type Gate = RunShown['gates'][number];

/** What a person does next. `key` names it, so that it is not done again while the run takes it in. */
export type Act = { key: string; workflowId: string; wave: number | null } & (
  | { do: 'go' | 'task'; step: string }
  | { do: 'check'; step: string; item: string }
  | { do: 'vote'; gate: string; decision: 'go' | 'no-go'; reason: string; digest: string }
);

export interface Person {
  id: string;
  roles: readonly string[];
  /** The gate at which they say no-go, whatever they see. */
  noGo?: string | undefined;
  votes: boolean;
  /** Whether evidence that is red now (by its digest) has been red for as long as they are willing to wait. */
  lostPatience: (gateKey: string, digest: string) => boolean;
}

/** Everything the runbook asks of this person at this moment; nothing twice, nothing of other roles. */
export function actsFor(person: Person, status: StatusShown): Act[] {
  return status.runs.flatMap((run) => [
    ...run.steps.flatMap((step) => stepActs(person, run, step)),
    ...(person.votes && run.startedBy !== person.id ? run.gates.flatMap((gate) => gateActs(person, run, gate)) : []),
  ]);
}

function stepActs(person: Person, run: RunShown, step: Step): Act[] {
  const { workflowId, wave } = run;
  const key = `${workflowId} ${step.id}/${step.occurrence}`;
  const at = { workflowId, wave, step: step.id };
  if (step.status === 'waiting-go') {
    return step.goRole !== null && person.roles.includes(step.goRole) ? [{ ...at, key: `${key} go`, do: 'go' }] : [];
  }
  if (step.status !== 'waiting-people') return [];
  if (step.kind === 'checklist' && person.roles.includes(step.owner)) {
    const open = step.items.filter((item) => !step.checks[item]);
    return open.map((item): Act => ({ ...at, key: `${key} item ${item}`, do: 'check', item }));
  }
  if (step.kind !== 'task') return [];
  const mine = step.signedBy.filter((role) => !step.signed[role] && person.roles.includes(role));
  return mine.map((role): Act => ({ ...at, key: `${key} ${role}`, do: 'task' }));
}

function gateActs(person: Person, run: RunShown, gate: Gate): Act[] {
  if (gate.status !== 'open' && gate.status !== 'held') return [];
  if (gate.digest === null || !gate.roles.some((role) => person.roles.includes(role))) return [];
  const gateKey = `${run.workflowId} ${gate.id}`;
  const opinion = judge(person, gateKey, gate, gate.digest);
  if (!opinion) return [];
  const standing = gate.votes.find((vote) => vote.person === person.id && vote.voided === null);
  if (standing?.decision === opinion.decision) return [];
  const key = `${gateKey} ${opinion.decision} ${gate.digest}`;
  const { workflowId, wave } = run;
  return [{ key, workflowId, wave, do: 'vote', gate: gate.id, digest: gate.digest, ...opinion }];
}

/** Go only on green evidence; red evidence gets a second look before it gets a no-go that names it. */
function judge(
  person: Person,
  gateKey: string,
  gate: Gate,
  digest: string,
): { decision: 'go' | 'no-go'; reason: string } | undefined {
  if (person.noGo === gate.id) return { decision: 'no-go', reason: 'asked to say no-go here' };
  const red = gate.evidence.filter((item) => item.verdict === 'fail');
  if (red.length === 0) return { decision: 'go', reason: `${gate.evidence.length} items of evidence, none red` };
  if (!person.lostPatience(gateKey, digest)) return undefined;
  return { decision: 'no-go', reason: `red: ${red.map((item) => `${item.kind} ${item.id}`).join(', ')}` };
}
