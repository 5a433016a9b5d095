import type { ResolvedRun } from '../../runbooks/resolved';
import { record, wait, type Context } from '../context';
import { messageOf } from '../message-of';
import { notice } from '../notice';
import type { CutoverRuntime } from '../runtime';
import type { Amendment, WaveAmendment, WaveSummary } from '../state';
import { adopt } from './adopt';
import { amendmentProblems } from './compare';

/** A wave that does not answer is asked again after this, ms. */
const ASK_AGAIN_MS = 5_000;
const READ_AGAIN_MS = 60_000;

/**
 * Runs `body` while `watch` takes in amendments beside it. What is being taken in is finished before this ends; a watch that only
 * waits is left.
 */
export async function withAmendments<C extends Context>(
  context: C,
  watch: (context: C, ended: () => boolean) => Promise<void>,
  body: () => Promise<unknown>,
): Promise<void> {
  let ended = false;
  watch(context, () => ended).catch(() => undefined); // what ends its waits ends the body's as well
  try {
    await body();
  } finally {
    ended = true;
    if (context.amending) await context.amending;
  }
}

/** Marks the context while `work` is under way; a rollback or a continuation that ends it is the body's to tell. */
async function busy(context: Context, work: () => Promise<void>): Promise<void> {
  const done = work();
  context.amending = done.catch(() => undefined);
  try {
    await done;
  } finally {
    delete context.amending;
  }
}

/**
 * Carries out what two people approved, beside the phases: every running wave is asked first and starts no step from then on;
 * when all can, `control` is told, then the cutover and the waves go on with the new documents. Ends when `ended` holds.
 */
export async function watchAmendments(context: Context<CutoverRuntime>, ended: () => boolean): Promise<void> {
  const { state } = context;
  for (;;) {
    await wait(context, () => ended() || state.amendment?.status === 'adopting');
    if (state.amendment?.status !== 'adopting') return;
    const { amendment } = state;
    await busy(context, async () => {
      const problems = await carryOut(context, amendment);
      finish(context, amendment, problems);
      for (const wave of running(context)) await askWave(context, wave, problems.length === 0 ? 'adopt' : 'drop');
    });
  }
}

const running = ({ state }: Context): WaveSummary[] => state.waves.filter((wave) => wave.status === 'running');

const askWave = (
  { runtime, state }: Context<CutoverRuntime>,
  { wave }: WaveSummary,
  stage: WaveAmendment['stage'],
): Promise<void> => {
  const { runbookHash = '', planHash = '', approvedAt } = state.amendment ?? {};
  return runtime.askWave(wave, { stage, runbookHash, planHash, attempt: approvedAt ?? 0 });
};

/** Returns why it cannot be adopted; nothing was changed then. */
async function carryOut(context: Context<CutoverRuntime>, amendment: Amendment): Promise<string[]> {
  const { runtime, state } = context;
  const { runbookHash, planHash } = amendment;
  const documents = await read(context, amendment);
  if (typeof documents === 'string') return [documents];
  const problems = amendmentProblems(context.run, documents, state);
  if (problems.length > 0) return problems;
  const refused = await askWaves(context, amendment);
  if (refused.length > 0) return refused;
  // A wave may have gone live meanwhile: what its way back needs must not change any more.
  const late = amendmentProblems(context.run, documents, state);
  if (late.length > 0) return late;
  try {
    await runtime.activities.adoptDocuments({
      cutover: state.cutover,
      number: amendment.approvedAt ?? 0,
      runbookHash,
      planHash,
    });
  } catch (error) {
    return [`control could not be told: ${messageOf(error)}`];
  }
  adopt(context, documents);
  return [];
}

async function read(
  { runtime }: Context,
  hashes: { runbookHash: string; planHash: string },
): Promise<ResolvedRun | string> {
  try {
    return await runtime.activities.loadRun({ runbook: hashes.runbookHash, plan: hashes.planHash });
  } catch (error) {
    return `the documents cannot be read: ${messageOf(error)}`;
  }
}

/** What running waves have against it. A wave that ends meanwhile needs the documents no more. */
async function askWaves(context: Context<CutoverRuntime>, { approvedAt }: Amendment): Promise<string[]> {
  const answer = (wave: WaveSummary) => (wave.amendment?.attempt === approvedAt ? wave.amendment : undefined);
  const silent = (): WaveSummary[] => running(context).filter((wave) => !answer(wave));
  while (silent().length > 0) {
    for (const wave of silent()) await askWave(context, wave, 'ask');
    await wait(context, () => silent().length === 0, context.runtime.now() + ASK_AGAIN_MS);
  }
  return running(context).flatMap((wave) => {
    const problem = answer(wave)?.problem;
    return problem ? [`wave ${wave.wave}: ${problem}`] : [];
  });
}

function finish(context: Context, amendment: Amendment, problems: readonly string[]): void {
  const { state, runtime } = context;
  const hashes = { runbook: amendment.runbookHash, plan: amendment.planHash };
  const problem = problems.length > 0 ? problems.join('; ') : null;
  amendment.status = problem === null ? 'adopted' : 'refused';
  amendment.problem = problem;
  record(context, 'system', problem === null ? 'amended' : 'amendment refused', 'run', {
    ...hashes,
    approvedBy: amendment.approvedBy.join(', '),
    ...(problem === null ? { changes: amendment.changes.join('; ') } : { problem }),
  });
  notice(
    state,
    runtime.now(),
    problem === null ? `amended: ${amendment.changes.join('; ')}` : `the amendment was refused: ${problem}`,
  );
  runtime.publish();
}

/** A wave's side of it: answers when asked, holding its steps back, and adopts or goes on as before when told. */
export async function watchWaveAmendments(context: Context, ended: () => boolean): Promise<void> {
  const { state, runtime } = context;
  for (;;) {
    await wait(context, () => ended() || state.adopting?.stage === 'ask' || state.adopting?.stage === 'adopt');
    const asked = state.adopting;
    if (asked?.stage === 'ask') await busy(context, () => answer(context, asked));
    else if (asked?.stage === 'adopt') await busy(context, () => goOn(context, asked));
    else return;
    runtime.publish();
  }
}

async function answer(context: Context, asked: WaveAmendment): Promise<void> {
  const { state } = context;
  const documents = await read(context, asked);
  if (state.adopting !== asked) return; // asked again, or told to drop it, meanwhile
  const problems = typeof documents === 'string' ? [documents] : amendmentProblems(context.run, documents, state);
  state.adopting = { ...asked, stage: 'answered', problem: problems.length > 0 ? problems.join('; ') : null };
}

async function goOn(context: Context, told: WaveAmendment): Promise<void> {
  const { state, runtime } = context;
  const documents = await read(context, told);
  if (typeof documents === 'string') {
    notice(state, runtime.now(), documents);
    await wait(context, () => false, runtime.now() + READ_AGAIN_MS);
    return;
  }
  adopt(context, documents);
  delete state.adopting;
  record(context, 'system', 'amended', `wave-${state.wave}`, { runbook: told.runbookHash, plan: told.planHash });
}

/** The cutover's word to a wave, by signal. Asked the same again, it keeps its answer. */
export function applyWaveAmendment({ state }: Pick<Context, 'state'>, request: WaveAmendment): void {
  if (request.stage === 'drop') {
    if (state.adopting?.attempt === request.attempt) delete state.adopting;
    return;
  }
  if (request.stage === 'ask' && state.adopting?.attempt === request.attempt) return;
  state.adopting = request;
}
