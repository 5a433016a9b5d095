import type { ResolvedRun } from '../runbooks/resolved';
import type { EffectRef } from './contract';
import { Cancelled, ContinueRun, type Background, type Runtime } from './runtime';
import type { RunState, StepState } from './state';

/** What every part of the engine gets: the run's documents, its state, and the world. */
export interface Context<R extends Runtime = Runtime> {
  runtime: R;
  run: ResolvedRun;
  state: RunState;
  /** Activities kept going beside the steps, by name. */
  background: Map<'lease' | 'follow', Background>;
  /** An amendment that is being taken in; never rejects. */
  amending?: Promise<void>;
  /** Messages that are being read before they can be answered. */
  reading?: number;
  /** The step last seen running: every wait asks whether one runs, and mostly it is still this one. */
  busy?: StepState | undefined;
}

export const refOf = ({ state }: Context, step: StepState): EffectRef => ({
  cutover: state.cutover,
  wave: state.wave,
  step: step.id,
  occurrence: step.occurrence,
  epoch: state.epoch,
});

/** Nothing runs that would be lost by continuing as new: people and clocks are all that is waited for. */
function quiet(context: Context): boolean {
  const { state, reading = 0 } = context;
  if (reading > 0 || state.ledgerPending.length > 0) return false;
  const runs = (step: StepState | undefined): boolean => step?.status === 'running';
  if (!runs(context.busy)) context.busy = Object.values(state.steps).find(runs);
  return context.busy === undefined;
}

/**
 * Waits for `condition` (true) or `deadline` (false). A rollback request ends every wait with Cancelled; a long
 * history ends it with ContinueRun when nothing is under way.
 */
export async function wait(
  context: Context,
  condition: () => boolean,
  deadline: number | null = null,
): Promise<boolean> {
  const { runtime, state } = context;
  const leave = (): boolean => runtime.wantsContinue() && quiet(context);
  for (;;) {
    const met = await runtime.until(() => condition() || state.rollback !== null || leave(), deadline);
    if (state.rollback !== null) throw new Cancelled();
    if (condition()) return true;
    if (leave()) throw new ContinueRun();
    if (!met) return false;
    // It might have left a moment ago, and something has begun since.
  }
}

/** An amendment is being adopted: no step, gate or wave begins until it is decided. */
export const isHeld = ({ state }: Pick<Context, 'state'>): boolean =>
  state.amendment?.status === 'adopting' || state.adopting !== undefined;

/** Adds to the ledger; the writer of `with-ledger.ts` brings it to `control`. */
export function record(
  context: Context,
  actor: string,
  action: string,
  subject: string,
  detail: Record<string, string | number | boolean | null> = {},
): void {
  context.state.ledgerPending.push({ at: context.runtime.now(), actor, action, subject, detail });
}

/** Calendar waits shrink with a rehearsal's pace; machine work never does (DESIGN §10). */
export const calendarMs = ({ run }: Context, ms: number): number => ms / run.plan.pace;
