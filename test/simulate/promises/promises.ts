import type { Side } from '../../../domain/custody';
import type { RunMessage } from '../../../engine/messages';
import type { MessageAnswer, RunState } from '../../../engine/state';
import type { ResolvedRun } from '../../../runbooks/resolved';
import type { Run } from '../runs';
import type { World } from '../world/world';
import type { Truth } from '../world/writers';
import { AmendPromises } from './amend';
import { AuditPromises } from './audit';
import type { Broken } from './broken';
import { CustodyPromises } from './custody';
import { EndPromises } from './ending';
import { GatePromises } from './gates';
import { HoursPromises } from './hours';

/**
 * Watches one simulated cutover and says which promise of DESIGN §3 it breaks. Shares no code with what it watches. PRIVATE is not
 * judged here: nothing in the world in memory is personal (`test/doors` and the canaries of `local/audit` look for it).
 */
export class Promises {
  readonly broken: Broken[] = [];
  readonly custody: CustodyPromises;
  private readonly hours: HoursPromises;
  private readonly gates: GatePromises;
  private readonly amend: AmendPromises;
  private readonly audit: AuditPromises;
  private readonly end: EndPromises;
  /** People skipped stopping the jobs: then what undoes their restart stops them, as the runbook says. */
  private stopSkipped = false;

  constructor(
    private readonly world: World,
    truth: Truth,
    run: ResolvedRun,
    documents: ReadonlyMap<string, ResolvedRun>,
  ) {
    const say = (promise: string, text: string): void => this.say(promise, text);
    this.custody = new CustodyPromises(world, say);
    this.hours = new HoursPromises(world, run, say);
    this.gates = new GatePromises(run, documents, say);
    this.amend = new AmendPromises(world, documents, say);
    this.audit = new AuditPromises(world, run, say);
    this.end = new EndPromises(world, truth, say);
  }

  say(promise: string, text: string): void {
    this.broken.push({ promise, text, at: this.world.clock.now });
  }

  /** At every event. */
  everyEvent(): void {
    this.custody.everyEvent();
  }

  wrote(side: Side, wave: number): void {
    this.custody.wrote(side, wave);
  }

  atSeal(side: Side, wave: number): void {
    this.custody.atSeal(side, wave);
  }

  /** When the engine starts a disruptive effect. */
  atEffect(run: Run, stepId: string): void {
    this.hours.atEffect(run, stepId);
  }

  atSwitch(run: Run): void {
    this.gates.atSwitch(run);
  }

  delivered(run: Run, message: RunMessage, answer: MessageAnswer): void {
    this.audit.delivered(run, message, answer);
    if (answer.accepted) this.gates.accepted(run, message);
    if (answer.accepted) this.amend.accepted(message);
  }

  /** Whenever a run says that something changed. */
  published(run: Run): void {
    if (run.context.state.steps['stop-jobs']?.status === 'skipped') this.stopSkipped = true;
    this.amend.published(run);
    this.gates.published(run);
  }

  rollbackStarted(wave: number | null, byGuardian: boolean, cutover: RunState, wavesKilled: boolean): void {
    this.hours.rollbackStarted(wave, byGuardian, cutover, wavesKilled);
  }

  /** The cutover's run died, its waves came back, and it was started anew. */
  startedAgain(): void {
    this.custody.terminatedAt = null;
    this.gates.startedAgain();
  }

  /** When nothing happens any more. */
  atEnd(outcome: string | null, terminated: ReadonlySet<number | null>): void {
    this.amend.judge(outcome);
    this.end.judge(outcome, this.stopSkipped);
    this.audit.judge(this.gates.passes, terminated);
  }
}
