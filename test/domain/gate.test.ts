import { evidenceDigest, worsened, type EvidenceItem } from '../../domain/evidence';
import { assign, judge, redItems, voidStale, type Vote, type Voter } from '../../domain/gate';

const voter = (id: string, roles: string[], own = true): Voter => ({ id, roles, own });
const vote = (person: string, decision: Vote['decision'] = 'go', digest = 'd1'): Vote => ({
  person,
  decision,
  reason: null,
  digest,
  at: 1,
  voided: null,
});
const item = (id: string, verdict: EvidenceItem['verdict'], fingerprint: string = verdict): EvidenceItem => ({
  id,
  kind: 'measure',
  verdict,
  fingerprint,
  title: id,
  shown: '',
});

describe('quorum', () => {
  const people = [voter('both', ['ops', 'care']), voter('ops', ['ops']), voter('vendor', ['vendor'], false)];

  it('counts nobody for two roles', () => {
    expect(judge({ votes: ['ops', 'care'], ownVotes: 0 }, people, [vote('both')])).toEqual({
      verdict: 'open',
      missing: ['care'],
    });
  });

  it('moves a person to another role when somebody else can fill only theirs', () => {
    const verdict = judge({ votes: ['ops', 'care'], ownVotes: 0 }, people, [vote('both'), vote('ops')]);
    expect(verdict).toEqual({ verdict: 'go', voters: ['ops', 'both'] });
  });

  it('holds at the first no-go, whatever the others say', () => {
    const votes = [vote('ops'), vote('both', 'no-go')];
    expect(judge({ votes: ['ops'], ownVotes: 0 }, people, votes)).toMatchObject({ verdict: 'no-go', by: 'both' });
  });

  it('does not count a void vote, go or no-go', () => {
    const votes = [
      { ...vote('ops'), voided: 'old' },
      { ...vote('both', 'no-go' as const), voided: 'old' },
    ];
    expect(judge({ votes: ['ops'], ownVotes: 0 }, people, votes)).toEqual({ verdict: 'open', missing: ['ops'] });
  });

  it('ignores votes of people who are not asked', () => {
    expect(judge({ votes: ['ops'], ownVotes: 0 }, people, [vote('stranger')])).toMatchObject({ verdict: 'open' });
  });

  it('prefers own people where it needs them', () => {
    const mixed = [voter('hired', ['ops', 'vendor'], false), voter('own', ['ops'])];
    const verdict = judge({ votes: ['ops'], ownVotes: 1 }, mixed, [vote('hired'), vote('own')]);
    expect(verdict).toEqual({ verdict: 'go', voters: ['own'] });
  });

  it('counts own people only among those who fill a role', () => {
    const crowd = [voter('a', ['care']), voter('b', ['care']), voter('v', ['vendor'], false)];
    const votes = ['a', 'b', 'v'].map((person) => vote(person));
    expect(judge({ votes: ['care', 'vendor'], ownVotes: 2 }, crowd, votes)).toEqual({
      verdict: 'open',
      missing: ['1 more own people'],
    });
  });

  it('fills as many roles as any choice could, for every small case', () => {
    const roles = ['a', 'b', 'c'];
    for (let code = 0; code < 8 ** 3; code++) {
      const crowd = [0, 1, 2].map((index) =>
        voter(
          `p${index}`,
          roles.filter((_, role) => (code >> (index * 3)) & (1 << role)),
        ),
      );
      const filled = assign(roles, crowd).filter((person) => person !== undefined);
      expect(new Set(filled).size).toBe(filled.length);
      expect(filled.length).toBe(most(roles, crowd));
    }
  });
});

/** Tries everything. */
function most(roles: readonly string[], people: readonly Voter[]): number {
  const [role, ...rest] = roles;
  if (role === undefined) return 0;
  const without = most(rest, people);
  const chosen = people
    .filter((person) => person.roles.includes(role))
    .map(
      (person) =>
        1 +
        most(
          rest,
          people.filter((other) => other !== person),
        ),
    );
  return Math.max(without, ...chosen);
}

describe('votes and their evidence', () => {
  const before = [item('a', 'pass'), item('b', 'open')];
  const stale = (now: EvidenceItem[]): { told: string[]; votes: Vote[] } => {
    const votes = [vote('ops', 'go', 'old'), vote('care', 'no-go', 'old')];
    return { told: voidStale(votes, { old: before }, now, 'new'), votes };
  };

  it.each([
    ['an item turned from pass to fail', [item('a', 'fail'), item('b', 'open')]],
    ['an item turned from open to fail', [item('a', 'pass'), item('b', 'fail')]],
    ['a new item is open', [...before, item('c', 'open')]],
    ['what a verdict rests on changed', [item('a', 'pass', 'other rows'), item('b', 'open')]],
  ])('voids a go when %s, and keeps a no-go', (_, now) => {
    const { told, votes } = stale(now);
    expect(told).toEqual(['ops']);
    expect(votes.map((each) => each.voided === null)).toEqual([false, true]);
  });

  it.each([
    ['an open item closed', [item('a', 'pass'), item('b', 'pass')]],
    ['a new item is in order', [...before, item('c', 'pass')]],
    ['an item is gone', [item('a', 'pass')]],
  ])('keeps a go when %s', (_, now) => expect(stale(now).told).toEqual([]));

  it('voids a go on evidence the gate never showed', () => {
    const votes = [vote('ops', 'go', 'unknown')];
    expect(voidStale(votes, {}, before, 'new')).toEqual(['ops']);
  });

  it('has one digest for the same facts in any order and another when a fact changes', () => {
    expect(evidenceDigest([...before].reverse())).toBe(evidenceDigest(before));
    expect(evidenceDigest([item('a', 'pass', 'x'), item('b', 'open')])).not.toBe(evidenceDigest(before));
    expect(evidenceDigest(before.map((each) => ({ ...each, shown: 'at 22:01' })))).toBe(evidenceDigest(before));
  });

  it('does not call a failing item worse when it opens again', () => {
    expect(worsened([item('a', 'fail')], [item('a', 'open')])).toEqual([]);
  });

  it('is red on a failing item unless the runbook accepts it', () => {
    expect(redItems([item('a', 'fail'), item('b', 'open')], []).map((each) => each.id)).toEqual(['a']);
    expect(redItems([item('a', 'fail')], ['a'])).toEqual([]);
  });
});
