import type { ResolvedRun } from '../../runbooks/resolved';
import { openItems } from './people';
import type { Promises } from './promises/promises';
import type { Runs } from './runs';
import { waveRow, type World } from './world/world';

const IDLE_MS = 30 * 3_600_000;

/** Says how a simulated cutover ended, and that it did not end as LIVE asks. */
export class Endings {
  /** The engine's outcome, once it has one. */
  outcome: string | null = null;
  lastProgress: number;
  /** When a run was last seen waiting for an opening: people have their time from then on. */
  private waitedUntil: number;

  constructor(
    private readonly world: World,
    private readonly runs: Runs,
    private readonly documents: ResolvedRun,
    private readonly absent: string | null,
    private readonly promises: Promises,
  ) {
    this.lastProgress = this.waitedUntil = world.clock.now;
  }

  /** Empty while it goes on; `idle`: nothing is left to happen. */
  now(idle = false): string {
    const { runs, outcome, absent } = this;
    const { clock } = this.world;
    if (outcome !== null) return outcome;
    if (runs.cutover?.terminated && this.allSettled()) return 'terminated';
    if (!idle && clock.now < Math.max(this.lastProgress, this.waitedUntil) + IDLE_MS) return '';
    if (!idle && this.waitsForOpening()) {
      this.waitedUntil = clock.now;
      return '';
    }
    const frozen = [1, 2].some((wave) => {
      const row = waveRow(this.world, 'source', wave);
      return row.state === 'frozen' && row.leaseUntil > clock.now;
    });
    if (frozen) this.promises.say('LIVE', 'customers are frozen and nobody does anything');
    if (absent === null && !runs.cutover?.terminated)
      this.promises.say('LIVE', 'it stands still though everybody is there');
    const named = openItems(runs, this.documents).some((item) => item.person === absent);
    if (absent !== null && !named && !runs.cutover?.terminated) this.promises.say('LIVE', 'it waits, but for nobody');
    return 'waiting';
  }

  /** The run died and every wave is back, nothing but copies left behind: `start` of the same id is not refused. */
  mayStartAgain(): boolean {
    const { control } = this.world;
    const isBack = (wave: number): boolean =>
      control.custody.get(wave) === 'source' && waveRow(this.world, 'source', wave).state === 'open';
    return [1, 2].every(isBack) && control.undo.every((row) => row.done || row.kept);
  }

  startedAgain(): void {
    this.lastProgress = this.waitedUntil = this.world.clock.now;
  }

  /** Waves whose copy waits for a run that never comes. */
  keptForNobody(): number[] {
    if (this.outcome === null) return [];
    return [
      ...new Set(this.world.control.undo.flatMap((row) => (row.kept && !row.done && row.wave ? [row.wave] : []))),
    ];
  }

  /** The wave went live: the guardian leaves it to people. */
  settled(wave: number): boolean {
    return this.runs.waves.get(wave)?.context.state.status === 'live';
  }

  /** A window that opens days from now is a reason to wait that needs nobody. */
  private waitsForOpening(): boolean {
    const states = this.runs.all().flatMap((run) => (run.open ? [run.context.state] : []));
    return states.some(
      (state) =>
        state.notices.some((notice) => notice.at > this.lastProgress && notice.text.includes('rollback waits')) ||
        Object.values(state.steps).some((step) => step.problem?.includes('it opens at')),
    );
  }

  /** After a termination: each started wave is live at the target, or rolled back by the guardian. */
  private allSettled(): boolean {
    const { runs } = this;
    return (
      runs.rollbacks.every((rollback) => rollback.done) &&
      [...runs.waves].every(
        ([wave, run]) => !run.open && (this.settled(wave) || runs.rollbacks.some((each) => each.state.wave === wave)),
      )
    );
  }
}
