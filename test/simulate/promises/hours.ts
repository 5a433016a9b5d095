import type { Opening } from '../../../domain/window';
import type { RunState } from '../../../engine/state';
import type { ResolvedRun } from '../../../runbooks/resolved';
import type { Run } from '../runs';
import { waveRow, type World } from '../world/world';
import type { Say } from './broken';

const MINUTE_MS = 60_000;

/** HOURS, goes and pauses, when a disruptive effect or a rollback starts. */
export class HoursPromises {
  constructor(
    private readonly world: World,
    private readonly run: ResolvedRun,
    private readonly say: Say,
  ) {}

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
    // Reading evidence again and waiting for a lock lie between the check and the effect.
    const slack = step.kind === 'switch' || step.kind === 'freeze' ? 5 * MINUTE_MS : 0;
    const needed = minutesLeft(state, stepId) * MINUTE_MS - slack;
    if (!this.openings(state).some((opening) => opening.opensAt <= now && now + needed <= opening.closesAt))
      this.say('HOURS', `${stepId} of wave ${run.wave} started outside its window or without time to back out`);
  }

  /** A rollback that disturbs customers who live in the target. */
  rollbackStarted(wave: number | null, byGuardian: boolean, cutover: RunState, wavesKilled: boolean): void {
    if (wave === null || byGuardian || wavesKilled) return;
    if (waveRow(this.world, 'target', wave).state === 'sealed') return;
    if (cutover.waves[wave - 1]?.switchedAt === null) return;
    const { now } = this.world.clock;
    const inside = this.openings(cutover).some((opening) => opening.opensAt <= now && now < opening.closesAt);
    if (!inside && (cutover.rollback?.confirmedBy.length ?? 0) < 2)
      this.say('HOURS', `the rollback of wave ${wave} started outside its window`);
    if (cutover.pointOfNoReturnPassed) this.say('BACK', 'a rollback started after the point of no return');
  }

  private openings(state: RunState): Opening[] {
    return state.rescheduled['night'] ?? this.run.windows['night'] ?? [];
  }

  private holds(person: string, role: string): boolean {
    return this.run.plan.people.some((candidate) => candidate.id === person && candidate.roles.includes(role));
  }
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
