import { catalogue } from './amendments';
import { bodies } from './activities';
import { Clock } from './clock';
import { ActivityPlayer, WEATHERS } from './faults';
import { happenings, MISCHIEF, pickMischief, type Happening, type Stage } from './mischief';
import { MUTANTS, type Mutant } from './mutants';
import { Endings } from './endings';
import { hesitation, openItems } from './people';
import { STAFF } from './staff';
import { Prng } from './prng';
import type { Broken } from './promises/broken';
import { Promises } from './promises/promises';
import { nights, simulatedRun, STARTER } from './runbook';
import { Runs, type Run } from './runs';
import type { Place } from './runtime';
import { add, type Happened, type Tally } from './tally';
import { createWorld } from './world/create';
import { submit } from './world/requests';
import type { World } from './world/world';
import { commitDue, randomWrite, truthOf } from './world/writers';

const START_MS = Date.UTC(2026, 10, 27, 9);
const HOUR_MS = 3_600_000;
/** Zombies sleep two hours at most: so much is watched after the end. */
const AFTERMATH_MS = 3 * HOUR_MS;
const GUARDIAN_MS = 300_000;
const EVENTS_AT_MOST = 30_000;
const WRITES_AT_MOST = 400;
const MORE = 0x5eed;
const OTHERS = 0x57aff;
const AGAIN = 0xa9a1;
const PACED = 0xace;
const REHEARSED = 0.15;
const PACE = 60;
const MOST_STARTS = 3;
const AFTER_SWITCH = ['rollback', 'rollback', 'noGo', 'highIncident', 'terminateCutover', 'terminateWave'];

export interface Result {
  seed: number;
  broken: Broken[];
  /** The engine's outcome, `terminated` for a run ended from outside, `waiting` for one that waits for an absent person. */
  ending: string;
  events: number;
  writes: number;
  mischief: string[];
  /** What really happened, the ending included. */
  happened: Tally;
  trace: string[];
}

/** Plays one cutover from a seed and says what it broke. */
export async function simulate(seed: number, options: { mutant?: Mutant; trace?: boolean } = {}): Promise<Result> {
  const simulation = new Simulation(seed, options.mutant ?? null, options.trace ?? false);
  return simulation.play();
}

class Simulation {
  private readonly prng: Prng;
  /** A second stream: what is drawn from it moves nothing of the first. */
  private readonly more: Prng;
  /** A third, for who does what. */
  private readonly others: Prng;
  private readonly clock = new Clock(START_MS);
  private readonly documents;
  private readonly world: World;
  private readonly truth;
  private readonly promises: Promises;
  private readonly runs: Runs;
  private readonly lines: string[] = [];
  private readonly tally: Tally = new Map();
  private readonly mischief: Happening[];
  private readonly changes: Happening[];
  /** A fourth: whether a cutover whose run died is started again. */
  private readonly again: Prng;
  private readonly absent: string | null;
  private publishes = 0;
  private roundDue = false;
  private readonly endings: Endings;
  private endedAt: number | null = null;
  private ending = '';

  constructor(
    private readonly seed: number,
    mutant: Mutant | null,
    private readonly tracing: boolean,
  ) {
    this.prng = new Prng(seed);
    this.more = new Prng(seed + MORE);
    this.others = new Prng(seed + OTHERS);
    this.again = new Prng(seed + AGAIN);
    const { prng, clock } = this;
    const rehearsed = new Prng(seed + PACED).chance(REHEARSED);
    this.documents = simulatedRun(nights(prng, START_MS), rehearsed ? PACE : 1);
    if (rehearsed) add(this.tally, 'plan/rehearsed');
    this.absent = prng.chance(0.08) ? prng.pick(['olga', 'sven', 'vera', 'cara', STARTER]) : null;
    this.mischief = happenings(prng, 6, () => pickMischief(prng));
    this.changes = happenings(this.others, 4, () => this.others.pick(Object.keys(STAFF)));
    this.world = createWorld(clock, prng, new Set(mutant ? MUTANTS[mutant].world : []), this.more);
    const happened: Happened = (what) => add(this.tally, what);
    this.world.happened = happened;
    this.truth = truthOf(this.world);
    this.promises = new Promises(this.world, this.truth, this.documents, catalogue(this.documents));
    const parts = mutant ? MUTANTS[mutant] : null;
    const engineReads = catalogue(parts?.documents?.(this.documents) ?? this.documents);
    const real = bodies(this.world, this.truth, engineReads);
    const place: Place = {
      clock,
      player: new ActivityPlayer(clock, prng, prng.pick(WEATHERS), (text) => this.trace(text), happened),
      bodies: parts?.activities?.(real) ?? real,
      onCall: (runtime, name, input) => this.called(runtime.name, name, input),
      onPublish: (runtime) => this.published(runtime.name),
    };
    this.runs = new Runs(clock, prng, engineReads, place, this.observer(happened), parts?.starter ?? STARTER);
    this.endings = new Endings(this.world, this.runs, this.documents, this.absent, this.promises);
    this.world.runsOpen = (wave) => this.runs.cutover?.open === true && this.runs.waves.get(wave)?.open === true;
    this.world.onWrite = (side, wave) => this.promises.wrote(side, wave);
    this.world.onSeal = (side, wave) => {
      this.trace(`wave ${wave} is sealed at the ${side}`);
      this.promises.atSeal(side, wave);
      if (side === 'source' && this.more.chance(0.4)) this.afterSwitch();
    };
  }

  private observer(happened: Happened): ConstructorParameters<typeof Runs>[4] {
    return {
      happened,
      delivered: (run, message, answer) => {
        this.trace(
          `${message.person} to ${run.wave ?? 'cutover'}: ${JSON.stringify(message)} → ${JSON.stringify(answer)}`,
        );
        this.promises.delivered(run, message, answer);
        happened(answer.accepted ? 'run/message accepted' : 'run/message refused');
        if (answer.accepted) this.endings.lastProgress = this.clock.now;
      },
      rollbackStarted: (wave, byGuardian) => {
        this.trace(`rollback of ${wave ?? 'the cutover'}${byGuardian ? ' by the guardian' : ''}`);
        happened(byGuardian ? 'run/rollback by the guardian' : 'run/rollback');
        const killed = [...this.runs.waves.values()].some((run) => run.terminated);
        const state = this.runs.cutover?.context.state;
        if (state) this.promises.rollbackStarted(wave, byGuardian, state, killed);
      },
      crashed: (name, error) =>
        this.promises.say('LIVE', `the run of ${name} failed: ${error instanceof Error ? error.stack : String(error)}`),
      ended: (outcome) => {
        this.trace(`ended ${outcome}`);
        this.endings.outcome = outcome;
        if (this.endings.keptForNobody().length > 0) this.guardianLooks();
      },
    };
  }

  async play(): Promise<Result> {
    void this.runs.startCutover();
    this.guardianLooks();
    await this.clock.run(
      () => this.isOver(),
      () => this.eachEvent(),
    );
    commitDue(this.world, this.truth, Infinity);
    this.promises.everyEvent();
    // Nothing is left to happen: it must have ended, or wait for somebody.
    if (this.ending === '') this.ending = this.endings.now(true);
    this.promises.atEnd(this.endings.outcome, this.runs.everTerminated);
    add(this.tally, `ending/${this.ending || 'nowhere'}`);
    const { acknowledged } = this.truth;
    return {
      seed: this.seed,
      broken: this.promises.broken,
      ending: this.ending || 'nowhere',
      events: this.clock.events,
      writes: acknowledged.source + acknowledged.target,
      mischief: this.mischief.map((each) => each.name),
      happened: this.tally,
      trace: this.lines,
    };
  }

  private eachEvent(): void {
    const { prng, world, truth } = this;
    commitDue(world, truth, this.clock.now);
    if (this.promises.broken.length < 20) this.promises.everyEvent();
    const writes = truth.acknowledged.source + truth.acknowledged.target;
    if (writes < WRITES_AT_MOST && prng.chance(0.2)) randomWrite(world, truth);
    if (world.control.requests.length < 25 && prng.chance(0.02)) submit(world, truth);
  }

  /** Called before each event: true once nothing that matters can happen any more. */
  private isOver(): boolean {
    if (this.clock.events > EVENTS_AT_MOST) {
      this.promises.say('LIVE', 'it does not come to an end');
      this.ending = 'nowhere';
      return true;
    }
    if (this.endedAt === null) {
      this.ending = this.endings.now();
      if (this.ending === 'terminated' && this.startsAgain()) this.ending = '';
      if (this.ending !== '') this.endedAt = this.clock.now;
      return false;
    }
    return this.clock.now > this.endedAt + AFTERMATH_MS;
  }

  /** Mostly, a while after everything is back. */
  private startsAgain(): boolean {
    const { runs, endings, again } = this;
    if (runs.starts >= MOST_STARTS || !endings.mayStartAgain() || !again.chance(0.7)) return false;
    this.trace('started again');
    add(this.tally, 'run/started again');
    endings.startedAgain();
    this.promises.startedAgain();
    void runs.startCutover();
    return true;
  }

  private guardianLooks(): void {
    this.clock.after(
      GUARDIAN_MS,
      () => {
        this.runs.guard((wave) => this.endings.settled(wave));
        this.runs.guardKept(this.endings.keptForNobody());
        if (this.endedAt === null || this.endings.keptForNobody().length > 0) this.guardianLooks();
      },
      () => (this.endedAt !== null || !this.runs.cutover?.terminated) && this.endings.keptForNobody().length === 0,
    );
  }

  private called(runtime: string, name: string, input: unknown): void {
    if (name !== 'appendLedger' && name !== 'saveView') this.trace(`${runtime} calls ${name} ${JSON.stringify(input)}`);
    const run = this.runs.all().find((candidate) => candidate.runtime.name === runtime);
    if (!run) return;
    if (name === 'recordUndo') {
      this.endings.lastProgress = this.clock.now;
      this.promises.atEffect(run, (input as { ref: { step: string } }).ref.step);
    }
    if (name === 'notify' && (input as { ref: { step: string } }).ref.step.includes('/')) add(this.tally, 'work/told');
    if (name === 'switchWave') this.promises.atSwitch(run);
  }

  private published(runtime: string): void {
    const run = this.runs.all().find((candidate) => candidate.runtime.name === runtime);
    if (run) {
      this.promises.published(run);
      if (run.wave !== null && run.open && run.context.state.status === 'running') this.runs.report(run, 'running');
    }
    this.publishes++;
    while ((this.mischief[0]?.at ?? Infinity) <= this.publishes) this.doMischief();
    while ((this.changes[0]?.at ?? Infinity) <= this.publishes) this.changeStaff();
    this.people();
  }

  private doMischief(): void {
    const next = this.mischief.shift();
    if (!next) return;
    this.clock.after(this.prng.int(0, 20_000), () => this.befall(next.name, this.prng));
  }

  private changeStaff(): void {
    const next = this.changes.shift();
    if (!next) return;
    this.clock.after(this.others.int(0, 20_000), () => this.befall(next.name, this.others, STAFF));
  }

  /** Soon after a switch somebody wants to go back, or the runs die. */
  private afterSwitch(): void {
    const name = this.more.pick(AFTER_SWITCH);
    this.clock.after(this.more.int(0, 3 * HOUR_MS), () => this.befall(name, this.more));
  }

  private befall(name: string, prng: Prng, acts = MISCHIEF): void {
    const open = this.runs.all().filter((run) => run.open && run.context.state.startedAt > 0);
    if (open.length === 0) return;
    this.trace(`mischief: ${name}`);
    add(this.tally, `mischief/${name}`);
    acts[name]?.(this.stage(prng), prng.pick(open));
    if (this.runs.cutover?.terminated && this.promises.custody.terminatedAt === null) {
      this.promises.custody.terminatedAt = this.clock.now;
      this.guardianLooks();
    }
    this.clock.touch();
  }

  private stage(prng: Prng): Stage {
    const { runs, world, clock } = this;
    return {
      runs,
      world,
      prng,
      say: (run, message) => runs.deliver(run, message),
      later: (ms, act) => clock.after(ms, act),
    };
  }

  /** People look some time after something changed, and do some of what waits for them. */
  private people(): void {
    if (this.roundDue) return;
    this.roundDue = true;
    this.clock.after(hesitation(this.prng), () => {
      this.roundDue = false;
      this.round();
    });
  }

  private round(): void {
    const { prng, runs } = this;
    for (const rollback of runs.rollbacks) {
      if (rollback.state.status === 'waiting-for-person') rollback.state.retries++;
    }
    this.clock.touch();
    const items = openItems(runs, this.documents).filter((item) => item.person !== this.absent);
    const keys = [...new Set(items.map((item) => item.key))];
    for (const key of keys) {
      if (prng.chance(0.2)) continue;
      const { run, message } = prng.pick(items.filter((item) => item.key === key));
      runs.deliver(run, message);
    }
    if (keys.length > 0 || runs.rollbacks.some((rollback) => rollback.state.status === 'waiting-for-person'))
      this.people();
  }

  private trace(text: string): void {
    if (this.tracing) this.lines.push(`${new Date(this.clock.now).toISOString().slice(5, 23)} ${text}`);
  }
}

export type { Run };
