import type { Context } from '../../engine/context';
import { initialState, openIncidents } from '../../engine/initial-state';
import { applyWaveAmendment } from '../../engine/amend/watch';
import { applyMessage, receiveMessage, type Answered, type RunMessage } from '../../engine/messages';
import { applyWaveReport, runCutover } from '../../engine/run-cutover';
import { newRollback, runRollback, type RollbackState } from '../../engine/run-rollback';
import { runWave, summaryOf } from '../../engine/run-wave';
import { ContinueRun, type CutoverRuntime } from '../../engine/runtime';
import type { MessageAnswer, RollbackRequest, RunState, WaveSummary } from '../../engine/state';
import type { ResolvedRun } from '../../runbooks/resolved';
import type { Clock } from './clock';
import type { Prng } from './prng';
import { SimRuntime, type Place } from './runtime';
import type { Happened } from './tally';

const CUTOVER = 'sim-1';

/** One run of the engine: the cutover or a wave, over its continuations. */
export interface Run {
  wave: number | null;
  context: Context;
  runtime: SimRuntime;
  /** What a wave reported last, as JSON: it does not say the same twice. */
  reported: string;
  /** Open as Temporal says: not ended, not terminated. */
  open: boolean;
  terminated: boolean;
}

export interface RollbackRun {
  state: RollbackState;
  done: boolean;
  /** Its rollback waits for a person. */
  runtime: SimRuntime;
}

export interface Observer {
  happened: Happened;
  delivered: (run: Run, message: RunMessage, answer: MessageAnswer) => void;
  rollbackStarted: (wave: number | null, byGuardian: boolean) => void;
  crashed: (run: string, error: unknown) => void;
  ended: (outcome: string) => void;
}

const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Starts, continues, terminates and connects the runs, as the workflows do over Temporal. */
export class Runs {
  cutover: Run | null = null;
  readonly waves = new Map<number, Run>();
  readonly rollbacks: RollbackRun[] = [];
  /** The person the engine takes for the starter; the checks know better. */
  starter: string;
  private reportAt = 0;
  /** How often the cutover was started. */
  starts = 0;
  /** Runs that were ended from outside, in earlier starts too: `null` is the cutover's. */
  readonly everTerminated = new Set<number | null>();

  constructor(
    readonly clock: Clock,
    private readonly prng: Prng,
    private readonly documents: ReadonlyMap<string, ResolvedRun>,
    readonly place: Place,
    private readonly observer: Observer,
    starter: string,
  ) {
    this.starter = starter;
  }

  all(): Run[] {
    return [...(this.cutover ? [this.cutover] : []), ...this.waves.values()];
  }

  /** Starts the cutover, again after its run died and the guardian ended its waves: then from what control and the systems hold. */
  async startCutover(): Promise<void> {
    this.starts += 1;
    this.cutover = null;
    this.waves.clear();
    this.rollbacks.length = 0;
    const runtime = new SimRuntime('cutover', this.place);
    const { epoch } = await runtime.activities.openCutover({
      cutover: CUTOVER,
      runbookHash: 'r',
      planHash: 'p',
      startedBy: this.starter,
      fresh: true,
    });
    const documents = this.read('r');
    const state = this.fresh(documents, null, epoch);
    const run: Run = {
      wave: null,
      context: this.contextOf(documents, state, null, runtime),
      runtime,
      reported: '',
      open: true,
      terminated: false,
    };
    this.cutover = run;
    await this.drive(run, async (context) => {
      const outcome = await runCutover(context as Context<CutoverRuntime>);
      this.observer.ended(outcome);
    });
  }

  private read(runbookHash: string): ResolvedRun {
    const documents = this.documents.get(runbookHash);
    if (!documents) throw new Error(`no documents ${runbookHash}`);
    return documents;
  }

  private fresh(documents: ResolvedRun, wave: number | null, epoch: number): RunState {
    const known = wave !== null && this.cutover ? { incidents: json(openIncidents(this.cutover.context.state)) } : {};
    const start = { cutover: CUTOVER, wave, startedBy: this.starter, startedAt: this.clock.now, epoch };
    return initialState(documents, { ...start, ...known });
  }

  /** Runs the body over continuations: the state crosses each as JSON. */
  private async drive(run: Run, body: (context: Context) => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await body(run.context);
        if (!run.terminated) run.open = false;
        return;
      } catch (error) {
        if (run.terminated) return;
        if (!(error instanceof ContinueRun)) {
          run.open = false;
          this.observer.crashed(run.runtime.name, error);
          return;
        }
        this.observer.happened('run/continued as new');
        const state = json(run.context.state);
        run.runtime.dead = true;
        const runtime = new SimRuntime(run.runtime.name, this.place);
        run.runtime = runtime;
        run.context = this.contextOf(this.read(run.context.run.runbookHash), state, run.wave, runtime);
        run.reported = '';
        this.clock.touch();
      }
    }
  }

  private contextOf(run: ResolvedRun, state: RunState, wave: number | null, runtime: SimRuntime): Context {
    const whole = wave === null ? Object.assign(runtime, this.childrenOf()) : runtime;
    return { runtime: whole, run, state, background: new Map() };
  }

  private childrenOf(): Pick<CutoverRuntime, 'startWave' | 'stopWave' | 'askWave' | 'rollBack'> {
    return {
      startWave: async (wave) => {
        await this.clock.sleep(100);
        const hash = this.cutover?.context.run.runbookHash ?? 'r';
        if (!this.waves.has(wave)) void this.startWave(wave, this.read(hash));
      },
      stopWave: async (wave, request) => {
        await this.clock.sleep(100);
        const run = this.waves.get(wave);
        if (run?.open) this.stop(run, request);
        else this.markStopped(wave, request.reason);
      },
      askWave: async (wave, request) => {
        await this.clock.sleep(100);
        const run = this.waves.get(wave);
        if (!run?.open) return;
        applyWaveAmendment(run.context, json(request));
        run.runtime.publish();
      },
      rollBack: (wave) => this.rollBack(wave, false),
    };
  }

  private async startWave(wave: number, documents: ResolvedRun): Promise<void> {
    const runtime = new SimRuntime(`wave-${wave}`, this.place);
    const run: Run = {
      wave,
      context: this.contextOf(documents, this.fresh(documents, wave, 0), wave, runtime),
      runtime,
      reported: '',
      open: true,
      terminated: false,
    };
    this.waves.set(wave, run);
    const { epoch } = await runtime.activities.raiseEpoch({ cutover: CUTOVER, wave, key: `wave/${this.starts}` });
    run.context.state.epoch = epoch;
    await this.drive(run, async (context) => {
      const status = await runWave(context);
      run.open = false;
      this.report(run, status);
    });
  }

  private stop(run: Run, request: RollbackRequest): void {
    run.context.state.rollback ??= json(request);
    run.runtime.publish();
  }

  /** A wave's report travels as a signal: in order, a little later, lost on a cutover that is not open. */
  report(run: Run, status: WaveSummary['status']): void {
    const text = JSON.stringify(summaryOf(run.context, status));
    if (text === run.reported) return;
    run.reported = text;
    const report = JSON.parse(text) as WaveSummary;
    this.reportAt = Math.max(this.reportAt, this.clock.now + this.prng.int(1, 500));
    this.clock.after(this.reportAt - this.clock.now, () => {
      if (!this.cutover?.open) return;
      applyWaveReport(this.cutover.context, report);
      this.cutover.runtime.publish();
    });
  }

  private markStopped(wave: number, reason: string): void {
    const state = this.cutover?.context.state;
    const summary = state?.waves.find((candidate) => candidate.wave === wave);
    if (summary?.status !== 'running') return;
    summary.status = 'stopped';
    summary.rollback ??= { by: 'system', reason, at: this.clock.now, outcome: 'rolled-back', confirmedBy: [] };
    this.cutover?.runtime.publish();
  }

  /** One rollback of a wave at a time, as their workflow ids make sure of. */
  async rollBack(wave: number | null, byGuardian: boolean, keepCopy = false): Promise<void> {
    const state = newRollback(CUTOVER, wave, this.clock.now, keepCopy);
    const runtime = new SimRuntime(`rollback-${wave ?? 'all'}`, this.place);
    const rollback: RollbackRun = { state, done: false, runtime };
    await this.clock.until(() => this.rollbacks.every((other) => other.state.wave !== wave || other.done), null);
    this.rollbacks.push(rollback);
    this.observer.rollbackStarted(wave, byGuardian);
    try {
      await runRollback(runtime, state);
    } catch (error) {
      this.observer.crashed(runtime.name, error);
    }
    rollback.done = true;
    this.clock.touch();
  }

  /** A person's message, as an Update delivers it. */
  deliver(run: Run, message: RunMessage): void {
    if (!run.open) return;
    const { context } = run;
    if (message.kind !== 'amend') {
      this.answered(run, message, applyMessage(context.state, context.run, message, context.runtime.now()));
      return;
    }
    void receiveMessage(context, message).then((answered) => {
      if (run.open && run.context === context) this.answered(run, message, answered);
    });
  }

  private answered(run: Run, message: RunMessage, { answer, ledger }: Answered): void {
    run.context.state.ledgerPending.push(...ledger);
    // A repeated id is answered again, but nothing happens again.
    if (ledger.length > 0) this.observer.delivered(run, message, answer);
    run.runtime.publish();
  }

  /** `temporal workflow terminate`: nothing of the run goes on; a parent hears it of its child. */
  terminate(run: Run): void {
    if (!run.open) return;
    run.open = false;
    run.terminated = true;
    this.everTerminated.add(run.wave);
    this.observer.happened('run/terminated');
    run.runtime.dead = true;
    const { wave } = run;
    if (wave !== null)
      this.clock.after(200, () => this.markStopped(wave, `the run of wave ${wave} ended from outside`));
    this.clock.touch();
  }

  /** Outside every run: waves that a dead cutover left between both systems are rolled back. */
  guard(settled: (wave: number) => boolean): void {
    if (!this.cutover?.terminated) return;
    for (const [wave, run] of this.waves) {
      const busy = run.open || settled(wave) || this.rollbacks.some((other) => other.state.wave === wave);
      if (!busy) void this.rollBack(wave, true, true);
    }
  }

  /** Outside every run too: copies that were kept for a cutover which has ended since are purged. */
  guardKept(waves: readonly number[]): void {
    for (const wave of waves)
      if (this.rollbacks.every((other) => other.state.wave !== wave || other.done)) void this.rollBack(wave, true);
  }
}
