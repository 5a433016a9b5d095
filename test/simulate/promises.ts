import type { EvidenceItem } from '../../domain/evidence';
import type { RunMessage } from '../../engine/messages';
import type { GateState, MessageAnswer, RunState } from '../../engine/state';
import type { Opening } from '../../domain/window';
import type { ResolvedRun } from '../../runbooks/resolved';
import { FROZEN_AT_MOST_MS, STARTER } from './runbook';
import type { Run } from './runs';
import { accepts, rowsOfWave, toTarget, waveOf, waveRow, type World } from './world/world';
import type { Truth } from './world/writers';

export interface Broken {
  promise: string;
  text: string;
  at: number;
}

const WAVES = [1, 2];
const LEASE_MS = 120_000;
const MINUTE_MS = 60_000;

/** Watches one simulated cutover and says which promise of DESIGN §3 it breaks. Shares no code with what it watches. */
export class Promises {
  readonly broken: Broken[] = [];
  /** Instant at which the cutover's run was terminated. */
  terminatedAt: number | null = null;
  private readonly expectedEntries = new Map<string, number>();
  private readonly shownEvidence = new Map<string, EvidenceItem[]>();
  private readonly gateSeen = new Map<string, string>();
  private readonly voted = new Set<string>();
  private readonly lapsed = new Map<number, boolean>();

  constructor(
    private readonly world: World,
    private readonly truth: Truth,
    private readonly run: ResolvedRun,
  ) {}

  say(promise: string, text: string): void {
    this.broken.push({ promise, text, at: this.world.clock.now });
  }

  /** OWNER, STILL and the bounds of the freeze, at every event. */
  everyEvent(): void {
    const { world } = this;
    const { now } = world.clock;
    for (const wave of WAVES) {
      if (accepts(world, 'source', wave) && accepts(world, 'target', wave))
        this.say('OWNER', `both systems accept writes of wave ${wave}`);
      const source = waveRow(world, 'source', wave);
      if (source.state !== 'frozen') {
        if (source.state === 'open') this.lapsed.set(wave, false);
        continue;
      }
      if (source.leaseUntil <= now) this.lapsed.set(wave, true);
      else if (now > source.frozenAt + FROZEN_AT_MOST_MS + LEASE_MS)
        this.say('HOURS', `wave ${wave} is frozen longer than the limit`);
      if (this.terminatedAt !== null && source.leaseUntil > Math.max(source.frozenAt, this.terminatedAt) + LEASE_MS)
        this.say('LIVE', `the lease of wave ${wave} outlives its run`);
    }
  }

  /** CONTENT and STILL at the moment of the seal. */
  atSeal(wave: number): void {
    const { world } = this;
    const source = waveRow(world, 'source', wave);
    if (source.leaseUntil <= world.clock.now) this.say('STILL', `wave ${wave} is sealed on a lapsed lease`);
    const expected = rowsOfWave(world, 'source', wave);
    const found = new Map(rowsOfWave(world, 'target', wave));
    const wrong = expected.filter(([key, row]) => found.get(key)?.value !== toTarget(row.value));
    if (wrong.length > 0 || found.size !== expected.length)
      this.say('CONTENT', `wave ${wave}: ${wrong.length} rows differ, ${expected.length} and ${found.size} rows`);
  }

  /** HOURS, goes and pauses, when the engine starts a disruptive effect. */
  atEffect(run: Run, stepId: string): void {
    const { state } = run.context;
    const step = state.steps[stepId];
    if (!step || step.kind === 'preload') return;
    const { now } = this.world.clock;
    if (step.goRole && !step.go) this.say('GATE', `${stepId} started without a go`);
    if (step.go && !this.holds(step.go.person, step.goRole ?? ''))
      this.say('GATE', `${step.go.person} may not say go to ${stepId}`);
    if (state.paused && step.startedAt !== null && state.paused.at <= step.startedAt)
      this.say('GATE', `${stepId} started while paused`);
    const openings: Opening[] = state.rescheduled['night'] ?? this.run.windows['night'] ?? [];
    // Reading evidence again and waiting for a lock lie between the check and the effect.
    const slack = step.kind === 'switch' || step.kind === 'freeze' ? 5 * MINUTE_MS : 0;
    const needed = minutesLeft(state, stepId) * MINUTE_MS - slack;
    if (!openings.some((opening) => opening.opensAt <= now && now + needed <= opening.closesAt))
      this.say('HOURS', `${stepId} of wave ${run.wave} started outside its window or without time to back out`);
  }

  /** People skipped stopping the jobs: then what undoes their restart stops them, as the runbook says. */
  private skippedStop = false;

  /** GATE, when the switch begins: the votes of the gate before it stand on what is true. */
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

  delivered(run: Run, message: RunMessage, answer: MessageAnswer): void {
    const action = answer.accepted ? message.kind : `${message.kind} refused`;
    const known = this.run.plan.people.some((person) => person.id === message.person);
    const key = `${run.wave}|${known ? message.person : 'unknown'}|${action}`;
    this.expectedEntries.set(key, (this.expectedEntries.get(key) ?? 0) + 1);
    if (message.kind === 'vote' && answer.accepted) {
      this.voted.add(`${run.wave}|${message.gate}|${message.person}|${message.decision}`);
      if (message.person === STARTER) this.say('GATE', 'the starter voted');
    }
  }

  /** Looks at each gate whenever a run says that something changed. */
  published(run: Run): void {
    if (run.context.state.steps['stop-jobs']?.status === 'skipped') this.skippedStop = true;
    for (const gate of Object.values(run.context.state.gates)) {
      if (gate.digest !== null) this.shownEvidence.set(`${run.wave}|${gate.digest}`, gate.evidence);
      const key = `${run.wave}|${gate.id}`;
      const before = this.gateSeen.get(key);
      this.gateSeen.set(key, gate.status);
      if (gate.status === 'passed' && before !== 'passed') this.passed(run, gate);
    }
  }

  private passed(run: Run, gate: GateState): void {
    const definition = [...this.run.runbook.before, ...this.run.runbook.perWave, ...this.run.runbook.after]
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
        this.holds(person, role) &&
        this.quorum(
          rest,
          people.filter((other) => other !== person),
          own - (this.isOwn(person) ? 1 : 0),
        ),
    );
  }

  private holds(person: string, role: string): boolean {
    return this.run.plan.people.some((candidate) => candidate.id === person && candidate.roles.includes(role));
  }

  private isOwn(person: string): boolean {
    const roles = this.run.plan.people.find((candidate) => candidate.id === person)?.roles ?? [];
    return roles.every((role) => this.run.runbook.roles[role] === 'own');
  }

  /** HOURS of a rollback that disturbs customers who live in the target. */
  rollbackStarted(wave: number | null, byGuardian: boolean, cutover: RunState, wavesKilled: boolean): void {
    if (wave === null || byGuardian || wavesKilled) return;
    if (waveRow(this.world, 'target', wave).state === 'sealed') return;
    if (cutover.waves[wave - 1]?.switchedAt === null) return;
    const { now } = this.world.clock;
    const openings: Opening[] = cutover.rescheduled['night'] ?? this.run.windows['night'] ?? [];
    const inside = openings.some((opening) => opening.opensAt <= now && now < opening.closesAt);
    if (!inside && (cutover.rollback?.confirmedBy.length ?? 0) < 2)
      this.say('HOURS', `the rollback of wave ${wave} started outside its window`);
    if (cutover.pointOfNoReturnPassed) this.say('BACK', 'a rollback started after the point of no return');
  }

  /** Everything that must be true when nothing happens any more. */
  atEnd(outcome: string | null, terminated: ReadonlySet<number | null>): void {
    this.content(outcome);
    this.work();
    this.conserve();
    this.audit(terminated);
    if (outcome !== 'rolled-back' && outcome !== 'aborted') return;
    if (!this.world.jobs.running && !this.skippedStop) this.say('BACK', 'the jobs were not started again');
    for (const wave of WAVES) {
      if (rowsOfWave(this.world, 'target', wave).length > 0) this.say('BACK', `rows of wave ${wave} at the target`);
      if (waveRow(this.world, 'source', wave).state !== 'open')
        this.say('BACK', `the source does not serve wave ${wave}`);
    }
    for (const [key, rev] of this.truth.sourceRev)
      if (this.world.source.rows.get(key)?.rev !== rev) this.say('BACK', `untouched row ${key} was written`);
    if (this.world.control.undo.some((row) => !row.done)) this.say('BACK', 'an undo row was left');
  }

  /** The owner of each wave holds exactly what was acknowledged; every wave is served. */
  private content(outcome: string | null): void {
    for (const wave of [0, ...WAVES]) {
      const source = waveRow(this.world, 'source', wave).state !== 'sealed';
      const side = source ? 'source' : 'target';
      if (!accepts(this.world, side, wave)) this.say('LIVE', `wave ${wave} is served by nobody at the end (${side})`);
      if (outcome === 'live' && wave > 0 && source) this.say('LIVE', `wave ${wave} is at the source though live`);
      const found = new Map(rowsOfWave(this.world, side, wave));
      const expected = [...this.truth.rows].filter(([, row]) => waveOf(this.world, row.customer) === wave);
      const wrong = expected.filter(
        ([key, row]) => found.get(key)?.value !== (source ? row.value : toTarget(row.value)),
      );
      if (wrong.length > 0 || found.size !== expected.length)
        this.say(
          source ? 'BACK' : 'CONTENT',
          `wave ${wave} at the ${side}: ${wrong.map(([key]) => key).join(', ')} differ; ${expected.length} expected, ${found.size} found`,
        );
    }
  }

  private work(): void {
    for (const request of this.world.control.requests) {
      if (request.executions > 1) this.say('ONCE', `request ${request.id} took effect ${request.executions} times`);
      if (request.state === 'effected' && request.executions !== 1)
        this.say('WORK', `request ${request.id} is called effected but took effect ${request.executions} times`);
    }
  }

  private conserve(): void {
    const alive = new Map<string, number>();
    for (const wave of [0, ...WAVES]) {
      const side = waveRow(this.world, 'source', wave).state === 'sealed' ? 'target' : 'source';
      for (const [key, row] of rowsOfWave(this.world, side, wave))
        if (key.endsWith('/0')) alive.set(row.customer, (alive.get(row.customer) ?? 0) + 1);
    }
    const missing = [...this.world.baseline, ...this.truth.won].filter((customer) => !alive.has(customer));
    if (missing.length > 0) this.say('CONSERVE', `missing: ${missing.join(', ')}`);
    if ([...alive.values()].some((count) => count > 1)) this.say('CONSERVE', 'a customer is counted twice');
    if (alive.size !== this.world.baseline.size + this.truth.won.length)
      this.say('CONSERVE', 'the census does not add up');
  }

  /** AUDIT: every message is in the ledger, whatever happened to the run afterwards. */
  private audit(terminated: ReadonlySet<number | null>): void {
    const found = new Map<string, number>();
    for (const entry of this.world.control.ledger) {
      const key = `${entry.actor}|${entry.action}`;
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    const expected = new Map<string, number>();
    for (const [key, count] of this.expectedEntries) {
      const [wave = '', actor, action] = key.split('|');
      if (terminated.has(wave === 'null' ? null : Number(wave))) continue;
      const short = `${actor}|${action}`;
      expected.set(short, (expected.get(short) ?? 0) + count);
    }
    for (const [key, count] of expected)
      if ((found.get(key) ?? 0) < count) this.say('AUDIT', `${key}: ${count} happened, ${found.get(key) ?? 0} written`);
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

/** Machine minutes of the night in runbook order, written down here by hand; three more to back out. */
const NIGHT: readonly [string, number][] = [
  ['stop-jobs', 1],
  ['intake', 1],
  ['drain', 5],
  ['freeze', 1],
  ['convert', 1],
  ['compare-frozen', 1],
  ['switch', 1],
  ['release', 1],
  ['start-jobs', 1],
];

function minutesLeft(state: RunState, from: string): number {
  const start = NIGHT.findIndex(([id]) => id === from);
  const left = NIGHT.slice(start).filter(([id]) => !['done', 'skipped'].includes(state.steps[id]?.status ?? ''));
  const last = left.findLastIndex(([id]) => ['stop-jobs', 'intake', 'freeze', 'switch', 'start-jobs'].includes(id));
  return left.slice(0, last + 1).reduce((sum, [, minutes]) => sum + minutes, 3);
}
