import { worsened, type EvidenceItem } from './evidence';

export interface Voter {
  id: string;
  roles: string[];
  /** True when every role asked for is of the own company; decided from the runbook's roles. */
  own: boolean;
}

export interface Vote {
  person: string;
  decision: 'go' | 'no-go';
  reason: string | null;
  /** Digest of the evidence the voter saw. */
  digest: string;
  at: number;
  /** Why the vote no longer counts; null while it does. */
  voided: string | null;
}

export interface GateRules {
  /** Roles; one distinct person for each. */
  votes: string[];
  /** At least so many of the people who fill the roles are own people. */
  ownVotes: number;
}

export type GateVerdict =
  | { verdict: 'go'; voters: string[] }
  | { verdict: 'no-go'; by: string; reason: string | null }
  | { verdict: 'open'; missing: string[] };

/**
 * What the votes say now. The first standing no-go holds the gate at once; otherwise every role must be filled by a
 * person of its own, which is a matching of people to roles (Kuhn's augmenting paths; a handful of roles).
 */
export function judge(rules: GateRules, voters: readonly Voter[], votes: readonly Vote[]): GateVerdict {
  const standing = votes.filter((vote) => vote.voided === null);
  const no = standing.find((vote) => vote.decision === 'no-go');
  if (no) return { verdict: 'no-go', by: no.person, reason: no.reason };
  const said = voters.filter((voter) => standing.some((vote) => vote.person === voter.id));
  const filled = assign(
    rules.votes,
    [...said].sort((a, b) => Number(b.own) - Number(a.own)),
  );
  const missing = rules.votes.filter((_, index) => !filled[index]);
  if (missing.length > 0) return { verdict: 'open', missing };
  const own = filled.filter((voter) => voter?.own).length;
  if (own < rules.ownVotes) return { verdict: 'open', missing: [`${rules.ownVotes - own} more own people`] };
  return { verdict: 'go', voters: filled.map((voter) => voter?.id ?? '') };
}

/**
 * For each role the person who fills it, or undefined; nobody fills two. People are placed in order, and one who is placed stays
 * placed: with own people first, as many of them as possible fill roles (the sets that can be placed are a matroid).
 */
export function assign(roles: readonly string[], people: readonly Voter[]): (Voter | undefined)[] {
  const filled: (Voter | undefined)[] = roles.map(() => undefined);
  const place = (person: Voter, tried: Set<number>): boolean =>
    roles.some((role, index) => {
      if (!person.roles.includes(role) || tried.has(index)) return false;
      tried.add(index);
      const holder = filled[index];
      if (holder !== undefined && !place(holder, tried)) return false;
      filled[index] = person;
      return true;
    });
  for (const person of people) place(person, new Set());
  return filled;
}

/** Voids each vote whose evidence has got worse since; returns the authors to tell. `seen` maps digest → evidence. */
export function voidStale(
  votes: Vote[],
  seen: Record<string, EvidenceItem[]>,
  now: readonly EvidenceItem[],
  digest: string,
): string[] {
  const told: string[] = [];
  for (const vote of votes) {
    if (vote.voided !== null || vote.digest === digest || vote.decision === 'no-go') continue;
    const before = seen[vote.digest];
    const reasons = before ? worsened(before, now) : ['evidence this gate never showed'];
    if (reasons.length === 0) continue;
    vote.voided = reasons.join('; ');
    told.push(vote.person);
  }
  return told;
}

/** Evidence that forbids a pass whatever the votes say. */
export function redItems(evidence: readonly EvidenceItem[], accepted: readonly string[]): EvidenceItem[] {
  return evidence.filter((item) => item.verdict === 'fail' && !accepted.includes(item.id));
}
