import type { Activities, EffectRef } from '../engine/contract';
import { currentEpoch } from '../systems/control/epochs';
import { append } from '../systems/control/ledger';
import { readUndo } from '../systems/control/undo';
import { performHttpAction } from '../systems/http/action';
import { notify } from '../systems/http/notify';
import { performSqlAction } from '../systems/postgres/action';
import { SystemFault } from '../systems/ports';
import { staleEpoch } from './attempt';
import { stepOf } from './step-of';
import type { World } from './world';

type ActionActivities = Pick<Activities, 'notify' | 'runAction'>;

/** Stopping and starting what stands beside the systems, and telling people. */
export function actionActivities(world: World): ActionActivities {
  return {
    notify: async ({ ref, to, text }) => {
      const { outcome } = await notify(world.options.webhookUrl ?? undefined, { to, text, key: keyOf(ref, 'do') });
      const entry = {
        at: Date.now(),
        actor: 'system',
        action: `notified: ${outcome}`,
        subject: ref.step,
        detail: { to: to.join(', ') },
      };
      await append(world.control, ref.cutover, [entry]);
    },
    runAction: ({ ref, direction }) => runAction(world, ref, direction),
  };
}

/** The same for every attempt, and for a run that continued as new (DESIGN §6). */
const keyOf = (ref: EffectRef, part: string): string =>
  [ref.cutover, ref.wave ?? 'all', ref.step, ref.occurrence, part].join('/');

/** A late attempt must not do again what was undone; a new run of the cutover must. */
async function runAction(world: World, ref: EffectRef, direction: 'do' | 'undo'): Promise<{ checked: boolean }> {
  const { documents, pair } = await world.of(ref.cutover);
  // An attempt that wakes after a rollback has begun must not do again what is being undone.
  if (ref.epoch < (await currentEpoch(world.control, ref.cutover, ref.wave))) throw staleEpoch(`action ${ref.step}`);
  const step = stepOf(documents, ref.step, 'action');
  const system = documents.runbook.systems[step.system];
  if (!system) throw new SystemFault(`step ${ref.step} names no system of the runbook: ${step.system}`, false);
  const check = direction === 'do' && step.check !== undefined ? { check: step.check } : {};
  const undo = await readUndo(world.control, ref, 'action');
  if (!undo || (direction === 'do' && undo.done)) throw staleEpoch(`step ${ref.step}`);
  const key = keyOf(ref, `${undo.seq}/${direction}`);
  const call = direction === 'do' ? step.do : step.undo;
  if (system.adapter === 'http')
    return performHttpAction({ baseUrl: world.options.url(system.urlEnv), call, key, ...check });
  const pool = step.system === 'target' ? pair.target : pair.source;
  const voids = direction === 'undo' && step.do.trim() !== 'none' ? { voids: keyOf(ref, `${undo.seq}/do`) } : {};
  const { checked } = await performSqlAction(pool, { sql: call, key, ...check, ...voids });
  return { checked };
}
