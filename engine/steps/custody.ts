import { durationMs } from '../../runbooks/schema/common';
import { keepFollowing, keepLease, loseFreeze, stopBackground } from '../background';
import type { Phase } from '../../runbooks/schema/step';
import { isHeld, record, wait, type Context } from '../context';
import { downtimeOf } from '../downtime';
import { hoursSuffice } from '../hours';
import { phasesOf } from '../initial-state';
import { recheckGate } from '../run-gate';
import { stepNow } from '../step-index';
import type { StepState } from '../state';
import { effect } from './effect';
import { NotAdmitted, StepProblem, type Handler } from './handler';

const FREEZE_TRIES = 5;
const FREEZE_PAUSE_MS = 5_000;

/** Whether the step would be let in now, too: since it was, a pause, an amendment or the time may have come. */
const mayStill = (context: Context, step: StepState, phase: Phase): boolean =>
  context.state.paused === null && !isHeld(context) && hoursSuffice(context, stepNow(context, step.id)?.phase ?? phase);

export const freeze: Handler<'freeze'> = async ({ context, phase, state }) => {
  const { run, runtime, state: runState } = context;
  const limits = run.runbook.limits;
  for (let tries = 1; ; tries++) {
    await stopBackground(context, 'follow');
    if (!mayStill(context, state, phase)) {
      keepFollowing(context); // what was stopped may have taken long to end
      throw new NotAdmitted();
    }
    const result = await effect(context, state, (activities, ref) =>
      activities.freeze({ ref, leaseMs: durationMs(limits.lease) }),
    );
    if (result.outcome === 'not-owner') throw new StepProblem(`${state.id}: the source has given this wave up already`);
    if (result.outcome === 'frozen') {
      runState.frozen = {
        at: result.frozenAt,
        epoch: runState.epoch,
        notAfter: result.frozenAt + durationMs(limits.frozenAtMost),
      };
      keepLease(context);
      record(context, 'system', 'frozen', state.id, { frozenAt: result.frozenAt });
      return { frozenAt: result.frozenAt };
    }
    if (result.outcome === 'lapsed') {
      await takeNewEpoch(context);
      continue;
    }
    keepFollowing(context);
    state.progress = `waits for ${result.blockers.join(', ')}`;
    runtime.publish();
    if (tries === FREEZE_TRIES)
      throw new StepProblem(
        `${state.id}: open transactions do not end: ${result.blockers.join(', ')}; end them, then retry`,
      );
    await wait(context, () => false, runtime.now() + FREEZE_PAUSE_MS);
  }
};

/** A lapsed freeze is never revived (PROTOCOL 11): what comes now is a new attempt, and the old one is void. */
async function takeNewEpoch(context: Context): Promise<void> {
  const { runtime, state } = context;
  const { epoch } = await runtime.activities.raiseEpoch({
    cutover: state.cutover,
    wave: state.wave,
    key: `freeze-after-${state.epoch}`,
  });
  record(context, 'system', 'freeze lapsed', 'freeze', { epoch });
  state.epoch = epoch;
}

/** `switch` is a reserved word. */
export const switchOver: Handler<'switch'> = async ({ context, phase, state }) => {
  const { runtime, state: runState } = context;
  for (const before of gatesBefore(context, phase)) await recheckGate(context, before);
  if (!mayStill(context, state, phase)) throw new NotAdmitted(); // reading evidence again takes time, and voting more
  state.status = 'running';
  const result = await effect(context, state, (activities, ref) => activities.switchWave({ ref }));
  if (result.outcome === 'refused') {
    if (!context.background.has('lease')) loseFreeze(context, result.reason);
    throw new StepProblem(`${state.id} was refused: ${result.reason}`);
  }
  runState.switchedAt = result.at;
  runState.downtimeMs = downtimeOf(runState);
  runState.frozen = null;
  await stopBackground(context, 'lease');
  record(context, 'system', 'switched', state.id, { at: result.at });
  runtime.publish();
  return { at: result.at, ...runState.downtimeMs };
};

/** The last gate before the switch's phase: what its voters saw must still be true. */
function gatesBefore(
  context: Parameters<Handler<'switch'>>[0]['context'],
  phase: { phase: string },
): ReturnType<typeof phasesOf> {
  const phases = phasesOf(context.run, context.state.wave);
  const index = phases.findIndex((candidate) => candidate.phase === phase.phase);
  return phases
    .slice(0, index)
    .filter((candidate) => candidate.gate)
    .slice(-1);
}
