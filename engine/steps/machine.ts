import { durationMs } from '../../runbooks/schema/common';
import { keepFollowing, stopBackground } from '../background';
import { record, type Context } from '../context';
import { settleAll } from '../settle';
import type { PreloadStart } from '../contract';
import { effect } from './effect';
import { workBegan } from '../state';
import { StepProblem, type Handler } from './handler';

export const notify: Handler<'notify'> = async ({ context, step, state }) => {
  await effect(context, state, (activities, ref) => activities.notify({ ref, to: step.to, text: step.text }));
  return {};
};

export const action: Handler<'action'> = async ({ context, state }) => ({
  ...(await effect(context, state, (activities, ref) => activities.runAction({ ref, direction: 'do' }))),
});

/** N streams claim chunk rows; the workflow sees counts only. */
export const preload: Handler<'preload'> = async ({ context, state }) => {
  const { run } = context;
  const streams = Math.max(1, run.runbook.systems['source']?.streams ?? 2);
  return effect(context, state, async (activities, ref) => {
    const start = await activities.startPreload({ ref });
    const { chunks, excluded } = start;
    noteEarlierCopy(context, state.id, start);
    state.progress = `${chunks} chunks`;
    context.runtime.publish();
    const done = await settleAll(
      Array.from({ length: streams }, (_, stream) => activities.preloadStream({ ref, stream })),
    );
    const rows = done.reduce((sum, part) => sum + part.rows, 0);
    state.progress = `${rows} rows`;
    return { chunks, excluded, rows };
  });
};

/** Whether what an earlier run copied is used or was purged stands in the ledger. */
function noteEarlierCopy(context: Context, step: string, { chunks, chunksThere, purged }: PreloadStart): void {
  if (purged) record(context, 'system', 'earlier copy purged', step, { why: purged });
  else if (chunksThere > 0) record(context, 'system', 'earlier copy used', step, { chunksThere, chunks });
}

export const catchUp: Handler<'catchUp'> = async ({ context, step, state }) => {
  const result = await effect(context, state, (activities, ref) =>
    activities.catchUp({ ref, lagRows: step.until.lagRows }),
  );
  keepFollowing(context);
  return { ...result };
};

export const intake: Handler<'intake'> = async ({ context, state }) => ({
  ...(await effect(context, state, (activities, ref) => activities.holdIntake({ ref }))),
});

export const drain: Handler<'drain'> = async ({ context, step, state }) => {
  const untilMs = (workBegan(state) ?? context.runtime.now()) + durationMs(step.atMost);
  const result = await effect(context, state, (activities, ref) => activities.drain({ ref, work: step.work, untilMs }));
  for (const left of result.leftovers)
    record(context, 'system', 'leftovers', state.id, { work: left.work, count: left.count, wentTo: left.wentTo });
  return { ...result };
};

export const convert: Handler<'convert'> = async ({ context, state }) => {
  await stopBackground(context, 'follow');
  const result = await effect(context, state, (activities, ref) => activities.convert({ ref }));
  context.state.deltaRows += result.deltaRows;
  return { ...result };
};

export const verify: Handler<'verify'> = async ({ context, step, state }) => {
  const result = await effect(context, state, (activities, ref) =>
    activities.verify({ ref, scope: step.scope, totals: step.totals ?? [] }),
  );
  context.state.verification = result;
  const unequal = result.totals.filter((total) => !total.equal).map((total) => total.id);
  record(context, 'system', 'verified', state.id, {
    rows: result.rows,
    mismatches: result.mismatches,
    digest: result.digest,
  });
  if (result.rows === 0) throw new StepProblem(`${state.id} compared 0 rows: the mapping or the wave is empty`);
  if (result.mismatches > 0 || unequal.length > 0) {
    const where = result.entities
      .filter((entity) => entity.mismatches > 0)
      .map((entity) => `${entity.entity}: ${entity.mismatches}`);
    throw new StepProblem(
      `${state.id}: both sides differ (${[...where, ...unequal].join(', ')}); \`cutover report\` lists the keys, then retry or roll back`,
    );
  }
  return { rows: result.rows, mismatches: result.mismatches, digest: result.digest };
};

export const release: Handler<'release'> = async ({ context, state }) => ({
  ...(await effect(context, state, (activities, ref) => activities.releaseIntake({ ref }))),
});
