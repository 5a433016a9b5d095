import { durationMs } from '../runbooks/schema/common';
import { record, type Context } from './context';
import type { Activities, EffectRef, LeaseEnd } from './contract';
import { messageOf } from './message-of';
import { notice } from './notice';

const waveRef = ({ state }: Context, step: string): EffectRef => ({
  cutover: state.cutover,
  wave: state.wave,
  step,
  occurrence: 1,
  epoch: state.epoch,
});

/** Keeps the target close to the source while people decide, until `convert`. */
export function keepFollowing(context: Context): void {
  if (context.background.has('follow')) return;
  context.state.following = true;
  const ref = waveRef(context, 'follow');
  const onEnd = (error: unknown): void => followEnded(context, messageOf(error));
  context.background.set(
    'follow',
    context.runtime.background((activities) => activities.follow({ ref }), onEnd),
  );
}

/** Takes up what ended by itself, or with the run that continued as new. */
export function followAgain(context: Context): void {
  if (context.state.following) keepFollowing(context);
}

/** What changes from now on is brought while customers are frozen, so people hear of it. Steps and gates' evidence begin it again. */
function followEnded(context: Context, reason: string): void {
  const { state, runtime } = context;
  context.background.delete('follow');
  const text = `the target does not follow the source for now: ${reason}`;
  if (!state.notices.some((told) => told.text === text)) {
    notice(state, runtime.now(), text);
    record(context, 'system', 'follow ended', 'follow', { reason });
  }
  runtime.publish();
}

/** Renews the source's lease while the wave is frozen. */
export function keepLease(context: Context): void {
  const { state, run } = context;
  if (!state.frozen || context.background.has('lease')) return;
  const ref = { ...waveRef(context, 'lease'), epoch: state.frozen.epoch };
  const input = { ref, leaseMs: durationMs(run.runbook.limits.lease), notAfter: state.frozen.notAfter };
  let end: LeaseEnd['outcome'] | null = null;
  const hold = async (activities: Activities): Promise<void> => {
    end = (await activities.holdFreeze(input)).outcome;
  };
  const onEnd = (error: unknown): void => leaseEnded(context, end, error);
  context.background.set('lease', context.runtime.background(hold, onEnd));
}

/** While the switch runs, a `released` lease may be its own seal: then what the switch answers decides. */
function leaseEnded(context: Context, end: LeaseEnd['outcome'] | null, error: unknown): void {
  const { state } = context;
  context.background.delete('lease');
  if (!state.frozen || state.switchedAt !== null) return;
  const switching = Object.values(state.steps).some((step) => step.kind === 'switch' && step.status === 'running');
  if (end === 'released' && switching) return;
  loseFreeze(context, error === undefined ? `the lease ended: ${end ?? 'unknown'}` : messageOf(error));
}

/** The freeze is not held any more: whatever was proven since is void, so the wave goes back. */
export function loseFreeze(context: Context, reason: string): void {
  const { state, runtime } = context;
  notice(state, runtime.now(), `the freeze is not held any more: ${reason}`);
  record(context, 'system', 'lease lost', 'lease', { reason });
  state.rollback ??= {
    by: 'system',
    reason: 'the freeze was lost: customers write at the source again',
    at: runtime.now(),
    outcome: 'rolled-back',
    confirmedBy: [],
  };
  runtime.publish();
}

export async function stopBackground(context: Context, name: 'lease' | 'follow'): Promise<void> {
  if (name === 'follow') context.state.following = false;
  const running = context.background.get(name);
  context.background.delete(name);
  await running?.stop();
}

/** After continue-as-new: what was kept going is kept going again. */
export function resumeBackground(context: Context): void {
  followAgain(context);
  if (context.state.frozen && context.state.switchedAt === null) keepLease(context);
}
