import { assertNever } from '../domain/assert-never';
import type { Activities, EffectRef, LedgerEntry, UndoRow } from './contract';
import type { Runtime } from './runtime';
import { messageOf } from './message-of';

export interface RollbackState {
  cutover: string;
  wave: number | null;
  status: 'running' | 'waiting-for-person' | 'done';
  epoch: number;
  /** Epoch ms. */
  startedAt: number;
  done: { kind: string; step: string }[];
  problem: string | null;
  /** Raised by a person's `retry`. */
  retries: number;
  /** The run died: its copy stays for the next one of its cutover, when it can be trusted. */
  keepCopy: boolean;
  /** It stays. */
  copyKept: boolean;
}

export const newRollback = (
  cutover: string,
  wave: number | null,
  startedAt: number,
  keepCopy = false,
): RollbackState => ({
  cutover,
  wave,
  startedAt,
  status: 'running',
  epoch: 0,
  done: [],
  problem: null,
  retries: 0,
  keepCopy,
  copyKept: false,
});

/**
 * Undoes what the wave did, newest first, from the rows `control` holds, under a raised epoch: nothing of the way in can
 * write any more. Retried until it succeeds; what the machine cannot mend waits for a person, never silently.
 */
export async function runRollback(runtime: Runtime, state: RollbackState): Promise<void> {
  const { activities } = runtime;
  await attempt(runtime, state, 'raise', () => raise(runtime, state));
  const rows = await attempt(runtime, state, 'list', () =>
    activities.listUndo({ cutover: state.cutover, wave: state.wave }),
  );
  for (const row of rows) {
    if (state.keepCopy && row.kind === 'preload' && (await keepCopy(runtime, state, row))) continue;
    await attempt(runtime, state, row.step, () => undo(activities, refOf(state, row), row));
    await attempt(runtime, state, row.step, () => activities.completeUndo({ seq: row.seq, epoch: state.epoch }));
    state.done.push({ kind: row.kind, step: row.step });
    await write(runtime, state, `undone: ${row.kind}`, row.step);
    runtime.publish();
  }
  if (state.wave !== null) await attempt(runtime, state, 'verify', () => proveReturned(activities, state));
  await write(runtime, state, 'rollback verified', 'run');
  state.status = 'done';
  runtime.publish();
}

/** The key tells this rollback from others of the wave, and a person's retry from the attempts before it. */
async function raise({ activities }: Runtime, state: RollbackState): Promise<void> {
  const { cutover, wave, startedAt, retries } = state;
  const { epoch } = await activities.raiseEpoch({ cutover, wave, key: `rollback/${startedAt}/${retries}` });
  state.epoch = epoch;
}

/** True when the copy stays; its undo row stays with it. */
async function keepCopy(runtime: Runtime, state: RollbackState, row: UndoRow): Promise<boolean> {
  const kept = await attempt(runtime, state, row.step, () => runtime.activities.keepCopy({ ref: refOf(state, row) }));
  state.copyKept = kept.outcome === 'kept';
  if (kept.outcome === 'kept') {
    const { chunksDone, chunksTotal } = kept;
    state.done.push({ kind: 'copy kept', step: row.step });
    await write(runtime, state, 'copy kept', row.step, { chunksDone, chunksTotal });
    runtime.publish();
  } else await write(runtime, state, 'copy not kept', row.step, { why: kept.reason });
  return state.copyKept;
}

async function undo(activities: Activities, ref: EffectRef, row: UndoRow): Promise<void> {
  switch (row.kind) {
    case 'action':
      await activities.runAction({ ref, direction: 'undo' });
      return;
    case 'intake':
      await activities.releaseIntake({ ref });
      return;
    case 'preload':
      await activities.purgeCopy({ ref });
      return;
    case 'freeze':
      await activities.thaw({ ref });
      return;
    case 'switch':
      await activities.returnCustody({ ref });
      return;
    default:
      assertNever(row.kind);
  }
}

async function proveReturned(activities: Activities, state: RollbackState): Promise<void> {
  const { ok, findings } = await activities.verifyReturned({
    ref: { cutover: state.cutover, wave: state.wave, step: 'rollback', occurrence: 1, epoch: state.epoch },
    ...(state.copyKept ? { copyKept: true } : {}),
  });
  if (!ok) throw new Error(`the wave is not back as it was: ${findings.join('; ')}`);
}

/**
 * Tries until it succeeds; a failure the retry policy gave up on waits for a person's retry, which takes a new epoch: the
 * one before may be what failed.
 */
async function attempt<T>(runtime: Runtime, state: RollbackState, what: string, body: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      if (tries > 0) await raise(runtime, state);
      return await body();
    } catch (error) {
      state.status = 'waiting-for-person';
      state.problem = `${what}: ${messageOf(error)}`;
      await write(runtime, state, 'rollback waits for a person', what);
      runtime.publish();
      const seen = state.retries;
      await runtime.until(() => state.retries > seen, null);
      state.status = 'running';
      state.problem = null;
    }
  }
}

function write(
  runtime: Runtime,
  state: RollbackState,
  action: string,
  subject: string,
  more: LedgerEntry['detail'] = {},
): Promise<void> {
  const entry: LedgerEntry = {
    at: runtime.now(),
    actor: 'system',
    action,
    subject,
    detail: { wave: state.wave, problem: state.problem, ...more },
  };
  return runtime.activities.appendLedger({ cutover: state.cutover, entries: [entry] });
}

const refOf = (state: RollbackState, row: UndoRow): EffectRef => ({
  cutover: state.cutover,
  wave: row.wave,
  step: row.step,
  occurrence: row.occurrence,
  epoch: state.epoch,
});
