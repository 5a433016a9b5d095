import { durationMs } from '../runbooks/schema/common';
import { record, type Context } from './context';
import type { EffectRef } from './contract';
import { notice } from './messages';

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
  const onEnd = (error: unknown): void => ended(context, 'follow', error);
  context.background.set(
    'follow',
    context.runtime.background((activities) => activities.follow({ ref }), onEnd),
  );
}

/** Renews the source's lease while the wave is frozen. */
export function keepLease(context: Context): void {
  const { state, run } = context;
  if (!state.frozen || context.background.has('lease')) return;
  const ref = { ...waveRef(context, 'lease'), epoch: state.frozen.epoch };
  const input = { ref, leaseMs: durationMs(run.runbook.limits.lease), notAfter: state.frozen.notAfter };
  const onEnd = (error: unknown): void => ended(context, 'lease', error);
  context.background.set(
    'lease',
    context.runtime.background((activities) => activities.holdFreeze(input), onEnd),
  );
}

function ended(context: Context, name: 'lease' | 'follow', error: unknown): void {
  const { state, runtime } = context;
  context.background.delete(name);
  if (name === 'follow' || !state.frozen || state.switchedAt !== null) return;
  const reason = error instanceof Error ? error.message : 'the lease ended';
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
  if (context.state.following) keepFollowing(context);
  if (context.state.frozen && context.state.switchedAt === null) keepLease(context);
}
