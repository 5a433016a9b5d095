import type { StepOf } from '../runbooks/schema/step';
import { watchAmendments, withAmendments } from './amend/watch';
import { isHeld, record, wait, type Context } from './context';
import { waitForRollbackHours } from './hours';
import { notice } from './notice';
import { Cancelled, ContinueRun, type CutoverRuntime } from './runtime';
import { runPhases } from './run-phases';
import type { Outcome, WaveSummary } from './state';
import { viewOf } from './view';
import { withLedger } from './with-ledger';

/** The cutover's run: `before`, every wave in order, `after`; or back to the source. Throws ContinueRun when it continues as new. */
export async function runCutover(context: Context<CutoverRuntime>): Promise<Outcome> {
  const { runtime, state } = context;
  const outcome = await withLedger(context, async () => {
    try {
      await withAmendments(context, watchAmendments, async () => {
        await runPhases(context, 'before');
        for (const wave of state.waves) await runOneWave(context, wave.wave);
        await runPhases(context, 'after');
      });
      if (state.rollback !== null) throw new Cancelled();
      return 'live' as const;
    } catch (error) {
      if (error instanceof ContinueRun || !(error instanceof Cancelled)) throw error;
      return await goBack(context);
    }
  });
  state.outcome = outcome;
  state.status = outcome;
  await withLedger(context, async () => {
    record(context, 'system', 'ended', 'run', { outcome });
    await runtime.activities.saveView({ cutover: state.cutover, wave: null, view: viewOf(context) });
    await runtime.activities.closeCutover({ cutover: state.cutover, outcome });
  });
  runtime.publish();
  return outcome;
}

const waveOf = ({ state }: Context, wave: number): WaveSummary | undefined =>
  state.waves.find((candidate) => candidate.wave === wave);

async function runOneWave(context: Context<CutoverRuntime>, wave: number): Promise<void> {
  const { runtime, state } = context;
  const status = (): WaveSummary['status'] | undefined => waveOf(context, wave)?.status;
  if (status() === 'live') return;
  if (status() === 'pending') {
    await wait(context, () => !isHeld(context) && state.paused === null);
    const summary = waveOf(context, wave);
    if (summary) summary.status = 'running'; // from here on it is asked about amendments
    await runtime.startWave(wave);
    record(context, 'system', 'wave started', `wave-${wave}`);
    runtime.publish();
  }
  await wait(context, () => status() === 'live' || status() === 'stopped');
  if (status() === 'live') return;
  if (keepsLiving(context, wave)) return;
  const asked = waveOf(context, wave)?.rollback;
  state.rollback ??= asked ?? {
    by: 'system',
    reason: `wave ${wave} stopped`,
    at: runtime.now(),
    outcome: 'rolled-back',
    confirmedBy: [],
  };
  throw new Cancelled();
}

/**
 * A wave whose run died after the point of no return: its customers live in the target and stay there. What was left of it is for
 * people, who hear of it at every gate to come until somebody resolves the incident.
 */
function keepsLiving(context: Context, wave: number): boolean {
  const { runtime, state } = context;
  const summary = waveOf(context, wave);
  if (!summary?.switchedAt || !state.pointOfNoReturnPassed || summary.rollback?.by !== 'system') return false;
  summary.status = 'live';
  const title = `the run of wave ${summary.name} ended after the point of no return: what was left of it is for people`;
  const id = `wave-${wave}-ended`;
  state.incidents[id] = {
    id,
    severity: 'high',
    title,
    raised: { person: 'system', at: runtime.now() },
    resolved: null,
  };
  record(context, 'system', 'incident raised', id, { reason: summary.rollback.reason });
  notice(state, runtime.now(), title);
  summary.rollback = null;
  runtime.publish();
  return true;
}

/** Stops what runs, then undoes wave by wave, newest first, then the cutover's own steps. Each rollback is a run of its own. */
async function goBack(context: Context<CutoverRuntime>): Promise<Outcome> {
  const { runtime, state } = context;
  const request = state.rollback ?? {
    by: 'system',
    reason: 'stopped',
    at: runtime.now(),
    outcome: 'rolled-back' as const,
    confirmedBy: [],
  };
  state.status = 'rolling-back';
  record(context, request.by, 'rollback', 'run', { reason: request.reason });
  runtime.publish();
  const running = state.waves.filter((wave) => wave.status === 'running');
  for (const wave of running) await runtime.stopWave(wave.wave, request);
  await runtime.until(() => running.every((wave) => waveOf(context, wave.wave)?.status !== 'running'), null);
  const touched = state.waves.filter((wave) => wave.status !== 'pending' && wave.status !== 'rolled-back');
  for (const number of touched.map((wave) => wave.wave).reverse()) {
    if (waveOf(context, number)?.switchedAt) await waitForRollbackHours(context, rollbackWindow(context));
    await runtime.rollBack(number);
    // Read again: a late report may have replaced the summary meanwhile.
    const wave = waveOf(context, number);
    if (wave) wave.status = 'rolled-back';
    record(context, 'system', 'wave rolled back', `wave-${number}`);
    runtime.publish();
  }
  await runtime.rollBack(null);
  return request.outcome;
}

/**
 * The window in which a wave that has switched goes back: what hypercare names, else the switch's own. A wave that has not
 * switched goes back at once: its customers are frozen, or notice nothing.
 */
function rollbackWindow({ run }: Context): string | undefined {
  const hypercare = [...run.runbook.perWave, ...run.runbook.after]
    .flatMap((phase) => phase.steps)
    .find((step): step is StepOf<'hypercare'> => step.kind === 'hypercare' && step.rollbackIn !== undefined);
  const night = run.runbook.perWave.find((phase) => phase.steps.some((step) => step.kind === 'switch'));
  return hypercare?.rollbackIn ?? night?.window;
}

/** A wave's report, by signal. Late reports of a wave that is done with change nothing. A gate it passed for good is passed for the whole. */
export function applyWaveReport(context: { state: Context['state'] }, report: WaveSummary): void {
  const known = context.state.waves.findIndex((wave) => wave.wave === report.wave);
  const before = context.state.waves[known];
  if (!before || before.status === 'rolled-back') return;
  if (report.status === 'running' && (before.status === 'live' || before.status === 'stopped')) return;
  if (report.pointOfNoReturnPassed === true) context.state.pointOfNoReturnPassed = true;
  context.state.waves[known] = { ...report, frozenAt: report.frozenAt ?? before.frozenAt };
}
