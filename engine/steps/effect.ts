import { STEP_KINDS } from '../../domain/step-kinds';
import { refOf, type Context } from '../context';
import type { Activities, EffectRef } from '../contract';
import type { StepState } from '../state';

/** Runs a machine effect: the undo row first, then the effect, cancelled and awaited when a rollback is asked for. */
export async function effect<T>(
  context: Context,
  step: StepState,
  body: (activities: Activities, ref: EffectRef) => Promise<T>,
): Promise<T> {
  const { runtime, state } = context;
  const ref = refOf(context, step);
  const undo = STEP_KINDS[step.kind].undo;
  return runtime.cancellable(
    async () => {
      if (undo) await runtime.activities.recordUndo({ ref, kind: undo });
      return body(runtime.activities, ref);
    },
    () => state.rollback !== null,
  );
}
