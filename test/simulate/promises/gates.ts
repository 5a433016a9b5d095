import type { EvidenceItem } from '../../../domain/evidence';
import type { RunMessage } from '../../../engine/messages';
import type { GateState } from '../../../engine/state';
import type { ResolvedRun } from '../../../runbooks/resolved';
import { STARTER } from '../runbook';
import type { Run } from '../runs';
import type { Say } from './broken';

/** GATE: who voted, on what, and whether a passed gate had what it asks for. */
export class GatePromises {
  private readonly shownEvidence = new Map<string, EvidenceItem[]>();
  private readonly gateSeen = new Map<string, string>();
  private readonly voted = new Set<string>();
  /** `wave|gate` of the gates seen passing. */
  readonly passes: string[] = [];

  constructor(
    private readonly run: ResolvedRun,
    private readonly documents: ReadonlyMap<string, ResolvedRun>,
    private readonly say: Say,
  ) {}

  /** A new start of the cutover: its gates are new too. */
  startedAgain(): void {
    this.gateSeen.clear();
  }

  accepted(run: Run, message: RunMessage): void {
    if (message.kind === 'completeTask') this.signed(run, message.step, message.person);
    if (message.kind !== 'vote') return;
    this.voted.add(`${run.wave}|${message.gate}|${message.person}|${message.decision}`);
    if (message.person === STARTER) this.say('GATE', 'the starter voted');
  }

  /** What was given to one person is signed by nobody else. */
  private signed(run: Run, step: string, person: string): void {
    const { signed = {}, assigned = {} } = run.context.state.steps[step] ?? {};
    for (const [role, mark] of Object.entries(signed))
      if (mark.person === person && mark.at === run.runtime.now() && (assigned[role] ?? person) !== person)
        this.say('GATE', `${step} is signed by ${person}, not by ${assigned[role]}`);
  }

  /** When the switch begins: the votes of the gate before it stand on what is true. */
  atSwitch(run: Run): void {
    const gate = run.context.state.gates['final'];
    const step = run.context.state.steps['switch'];
    if (gate?.status !== 'passed')
      this.say('GATE', `the switch of wave ${run.wave} began with gate final ${gate?.status}`);
    const incident = Object.values(run.context.state.incidents).find(
      (candidate) =>
        !candidate.resolved && candidate.severity === 'high' && candidate.raised.at < (step?.startedAt ?? 0),
    );
    if (incident) this.say('GATE', `the switch of wave ${run.wave} began with a high incident open`);
  }

  /** Looks at each gate whenever a run says that something changed. */
  published(run: Run): void {
    for (const gate of Object.values(run.context.state.gates)) {
      if (gate.digest !== null) this.shownEvidence.set(`${run.wave}|${gate.digest}`, gate.evidence);
      const key = `${run.wave}|${gate.id}`;
      const before = this.gateSeen.get(key);
      this.gateSeen.set(key, gate.status);
      if (gate.status === 'passed' && before !== 'passed') this.passed(run, gate);
    }
  }

  private passed(run: Run, gate: GateState): void {
    this.passes.push(`${run.wave}|${gate.id}`);
    const { runbook } = this.documents.get(run.context.run.runbookHash) ?? this.run;
    const definition = [...runbook.before, ...runbook.perWave, ...runbook.after]
      .map((phase) => phase.gate)
      .find((candidate) => candidate?.id === gate.id);
    const standing = gate.votes.filter((vote) => vote.voided === null);
    const where = `gate ${gate.id} of ${run.wave ?? 'the cutover'}`;
    if (standing.some((vote) => vote.decision === 'no-go')) this.say('GATE', `${where} passed over a no-go`);
    for (const vote of standing) {
      if (vote.person === STARTER) this.say('GATE', `${where} counts the starter's vote`);
      if (!this.voted.has(`${run.wave}|${gate.id}|${vote.person}|${vote.decision}`))
        this.say('GATE', `${where} counts a vote nobody cast`);
      const seen = this.shownEvidence.get(`${run.wave}|${vote.digest}`);
      if (!seen || isWorse(seen, gate.evidence)) this.say('GATE', `${where}: a vote stands on evidence that got worse`);
    }
    if (gate.evidence.some((item) => item.verdict === 'fail')) this.say('GATE', `${where} passed on red evidence`);
    const voters = [...new Set(standing.map((vote) => vote.person))].filter((person) => person !== STARTER);
    if (!this.quorum(definition?.votes ?? [], voters, definition?.ownVotes ?? 0))
      this.say('GATE', `${where} passed without its quorum`);
    if (run.context.state.rollback) this.say('GATE', `${where} passed after a rollback was asked for`);
  }

  /** Brute force: some choice of distinct people fills every role with enough own people among them. */
  private quorum(roles: readonly string[], people: readonly string[], own: number): boolean {
    const [role, ...rest] = roles;
    if (role === undefined) return own <= 0;
    return people.some(
      (person) =>
        this.rolesOf(person).includes(role) &&
        this.quorum(
          rest,
          people.filter((other) => other !== person),
          own - (this.isOwn(person) ? 1 : 0),
        ),
    );
  }

  private rolesOf(person: string): readonly string[] {
    return this.run.plan.people.find((candidate) => candidate.id === person)?.roles ?? [];
  }

  private isOwn(person: string): boolean {
    return this.rolesOf(person).every((role) => this.run.runbook.roles[role] === 'own');
  }
}

const RANK = { pass: 0, open: 1, fail: 2 };

function isWorse(before: readonly EvidenceItem[], now: readonly EvidenceItem[]): boolean {
  return now.some((item) => {
    const old = before.find((candidate) => candidate.kind === item.kind && candidate.id === item.id);
    if (!old) return item.verdict !== 'pass';
    return (
      RANK[item.verdict] > RANK[old.verdict] || (item.verdict === old.verdict && item.fingerprint !== old.fingerprint)
    );
  });
}
