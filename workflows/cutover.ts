import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Context } from '../engine/context';
import { initialState, openIncidents } from '../engine/initial-state';
import { applyWaveReport, runCutover } from '../engine/run-cutover';
import { ContinueRun, type CutoverRuntime, type Runtime } from '../engine/runtime';
import type { Outcome, RunState, WaveSummary } from '../engine/state';
import type { ResolvedRun } from '../runbooks/resolved';
import { id as idSchema } from '../runbooks/schema/common';
import { amendWave, stopWave, waveLost, waveReport } from './messages';
import {
  cutoverIdOf,
  cutoverWorkflowId,
  QUEUES,
  rollbackWorkflowId,
  STATIC_DETAILS,
  waveWorkflowId,
  WORKFLOWS,
} from './names';
import { RunShell } from './run-shell';
import { temporalRuntime } from './temporal-runtime';
import type { RollbackInput } from './rollback';
import type { WaveInput } from './wave';

export interface CutoverInput {
  /**
   * SHA-256 of the runbook's and the plan's documents in `control` (`cutover start` puts them there), or their paths in the
   * workers' folder of documents.
   */
  runbook: string;
  plan: string;
  /** Person id of the plan. */
  startedBy: string;
  /** Carried by continue-as-new. */
  state?: RunState;
}

/** Executes a runbook: `before`, wave by wave, `after`. Steered by the updates of messages.ts. */
export async function cutover(input: CutoverInput | null | undefined): Promise<{ outcome: Outcome }> {
  const shell = new RunShell();
  // Who starts it by hand may give nothing: `loadRun` says what is missing.
  return CancellationScope.nonCancellable(() => run(input ?? ({} as CutoverInput), shell));
}

async function run(given: CutoverInput, shell: RunShell): Promise<{ outcome: Outcome }> {
  const id = cutoverIdOf(workflowInfo().workflowId);
  const base = temporalRuntime(
    () => shell.publish(),
    () => shell.waiting(),
  );
  const reports: WaveSummary[] = [];
  setHandler(waveReport, (report) => void reports.push(report));
  const documents = await base.activities.loadRun({ runbook: given.runbook, plan: given.plan });
  // From here on the run and its waves go by what was read now, whatever becomes of a file.
  const input = { ...given, runbook: documents.runbookHash, plan: documents.planHash };
  const state = input.state ?? (await firstState(id, input, base, documents));
  const runtime = cutoverRuntime(base, input.startedBy, () => context);
  const context: Context<CutoverRuntime> = { runtime, run: documents, state, background: new Map() };
  const report = (summary: WaveSummary): void => {
    applyWaveReport(context, summary);
    shell.publish();
  };
  reports.forEach(report);
  setHandler(waveReport, report, { description: 'Sent by waves; not for people' });
  setHandler(waveLost, (wave, endedAt) => void (endedBefore(state, endedAt) || markLost(context, wave)), {
    description: 'Sent by the guardian; not for people',
  });
  shell.attach(context);
  try {
    const outcome = await runCutover(context);
    return { outcome };
  } catch (error) {
    if (!(error instanceof ContinueRun)) throw error;
    const { runbookHash, planHash } = context.run;
    return continueAsNew<typeof cutover>({ ...input, runbook: runbookHash, plan: planHash, state });
  }
}

async function firstState(
  cutover: string,
  input: CutoverInput,
  runtime: Runtime,
  documents: ResolvedRun,
): Promise<RunState> {
  const { runbook, plan, startedBy } = input;
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const name = documents.runbook.runbook;
  if (!idSchema.safeParse(cutover).success || workflowId !== cutoverWorkflowId(name, cutover))
    throw ApplicationFailure.nonRetryable(
      `the workflow id must be cutover/${name}/ID; ID starts with a letter and holds letters, digits and dashes (63 at most)`,
      'InvalidRunbook',
    );
  if (!documents.plan.people.some((person) => person.id === startedBy)) {
    const people = documents.plan.people.map((person) => person.id).join(', ');
    throw ApplicationFailure.nonRetryable(
      `startedBy: nobody in the plan is called ${JSON.stringify(startedBy)}; people: ${people}`,
      'InvalidRunbook',
    );
  }
  const { epoch } = await runtime.activities.openCutover({
    cutover,
    runbookHash: runbook,
    planHash: plan,
    startedBy,
    fresh: runId === firstExecutionRunId,
  });
  return initialState(documents, { cutover, wave: null, startedBy, startedAt: runtime.now(), epoch });
}

/** It is the run of an earlier run of this cutover that died, not the one it has started since. */
const endedBefore = ({ startedAt }: RunState, endedAt: number | undefined): boolean =>
  endedAt !== undefined && endedAt < startedAt;

const RETRY_MS = 2_000;

/** A wave whose run died says nothing any more: it counts as stopped, and the cutover goes back. */
function markLost(
  { state, runtime }: Pick<Context, 'state' | 'runtime'>,
  wave: number,
  reason = `the run of wave ${wave} ended from outside`,
): void {
  const summary = state.waves.find((candidate) => candidate.wave === wave);
  if (summary?.status !== 'running') return;
  summary.status = 'stopped';
  summary.rollback ??= { by: 'system', reason, at: runtime.now(), outcome: 'rolled-back', confirmedBy: [] };
}

function cutoverRuntime(
  base: Runtime,
  startedBy: string,
  context: () => Pick<Context, 'run' | 'state'>,
): CutoverRuntime {
  const { workflowId } = workflowInfo();
  const state = (): RunState => context().state;
  return {
    ...base,
    startWave: async (wave) => {
      const { runbookHash: runbook, planHash: plan } = context().run;
      const incidents = openIncidents(state());
      const args: [WaveInput] = [{ runbook, plan, startedBy, cutoverWorkflowId: workflowId, wave, incidents }];
      try {
        const child = await startChild(WORKFLOWS.wave, {
          workflowId: waveWorkflowId(workflowId, wave),
          taskQueue: QUEUES.main,
          parentClosePolicy: ParentClosePolicy.ABANDON,
          args,
          staticSummary: `wave ${wave} of ${workflowId}`,
          staticDetails: STATIC_DETAILS,
        });
        child.result().then(
          () => undefined,
          () => markLost({ state: state(), runtime: base }, wave),
        );
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    stopWave: async (wave, request) => {
      try {
        await getExternalWorkflowHandle(waveWorkflowId(workflowId, wave)).signal(stopWave, request);
      } catch {
        markLost({ state: state(), runtime: base }, wave, request.reason);
      }
    },
    askWave: async (wave, request) => {
      try {
        await getExternalWorkflowHandle(waveWorkflowId(workflowId, wave)).signal(amendWave, request);
      } catch {
        // Its run has not begun, and is asked again; or it has ended, and needs no documents.
      }
    },
    rollBack: async (wave) => {
      const args: [RollbackInput] = [{ cutover: state().cutover, wave, cutoverWorkflowId: workflowId }];
      for (;;) {
        try {
          await executeChild(WORKFLOWS.rollback, {
            workflowId: rollbackWorkflowId(workflowId, wave),
            taskQueue: QUEUES.main,
            parentClosePolicy: ParentClosePolicy.ABANDON,
            args,
            staticSummary: wave === null ? `rollback of ${workflowId}` : `rollback of wave ${wave}`,
          });
          return;
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          await sleep(RETRY_MS, { summary: 'a rollback of the same wave is under way' });
        }
      }
    },
  };
}
