import {
  CancellationScope,
  continueAsNew,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { applyWaveAmendment } from '../engine/amend/watch';
import type { Context } from '../engine/context';
import { initialState } from '../engine/initial-state';
import { notice } from '../engine/notice';
import { messageOf } from '../engine/message-of';
import { runWave, summaryOf } from '../engine/run-wave';
import { ContinueRun } from '../engine/runtime';
import type { RollbackRequest, RunState, WaveAmendment, WaveSummary } from '../engine/state';
import { amendWave, stopWave, waveReport } from './messages';
import { cutoverIdOf } from './names';
import { RunShell } from './run-shell';
import { temporalRuntime } from './temporal-runtime';

export interface WaveInput {
  runbook: string;
  plan: string;
  startedBy: string;
  cutoverWorkflowId: string;
  wave: number;
  /** What the cutover's run knew of when it started this one. */
  incidents?: RunState['incidents'];
  state?: RunState;
}

/** Executes `perWave` for one wave and reports to the cutover by signal. */
export async function wave(input: WaveInput): Promise<{ status: WaveSummary['status'] }> {
  const shell = new RunShell();
  return CancellationScope.nonCancellable(() => run(input, shell));
}

async function run(input: WaveInput, shell: RunShell): Promise<{ status: WaveSummary['status'] }> {
  let attached: Context | null = null;
  let reported = '';
  const report = (status: WaveSummary['status']): Promise<void> | undefined => {
    if (!attached) return undefined;
    const summary = summaryOf(attached, status);
    const key = JSON.stringify(summary);
    if (key === reported) return undefined;
    reported = key;
    return tell(attached, input.cutoverWorkflowId, summary);
  };
  shell.onView = () => {
    if (attached?.state.status === 'running') void report('running');
  };
  const runtime = temporalRuntime(
    () => shell.publish(),
    () => shell.waiting(),
  );
  const documents = await runtime.activities.loadRun({ runbook: input.runbook, plan: input.plan });
  const state = input.state ?? (await firstState(input, runtime, documents));
  const context: Context = { runtime, run: documents, state, background: new Map() };
  attached = context;
  setHandler(
    stopWave,
    (request: RollbackRequest) => {
      state.rollback ??= request;
      shell.publish();
    },
    { description: 'Sent by the cutover; people send the cutover requestRollback' },
  );
  setHandler(
    amendWave,
    (request: WaveAmendment) => {
      applyWaveAmendment(context, request);
      shell.publish();
    },
    { description: 'Sent by the cutover; people send the cutover amend' },
  );
  shell.attach(context);
  try {
    const status = await runWave(context);
    await report(status);
    return { status };
  } catch (error) {
    if (!(error instanceof ContinueRun)) throw error;
    const { runbookHash, planHash } = context.run;
    return continueAsNew<typeof wave>({ ...input, runbook: runbookHash, plan: planHash, state });
  }
}

async function firstState(
  input: WaveInput,
  runtime: ReturnType<typeof temporalRuntime>,
  documents: Parameters<typeof initialState>[0],
): Promise<RunState> {
  const cutover = cutoverIdOf(workflowInfo().workflowId);
  const { epoch } = await runtime.activities.raiseEpoch({
    cutover,
    wave: input.wave,
    key: `wave/${workflowInfo().firstExecutionRunId}`,
  });
  return initialState(documents, {
    cutover,
    wave: input.wave,
    startedBy: input.startedBy,
    startedAt: runtime.now(),
    epoch,
    ...(input.incidents ? { incidents: input.incidents } : {}),
  });
}

/** A cutover whose run has ended hears nothing; the guardian looks after its waves. */
async function tell(context: Context, cutoverWorkflowId: string, summary: WaveSummary): Promise<void> {
  try {
    await getExternalWorkflowHandle(cutoverWorkflowId).signal(waveReport, summary);
  } catch (error) {
    notice(
      context.state,
      context.runtime.now(),
      `the cutover did not hear the report ${summary.status}: ${messageOf(error)}`,
    );
  }
}
