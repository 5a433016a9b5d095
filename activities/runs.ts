import type { Activities } from '../engine/contract';
import { assignPopulation, conditionsOf, ownDivision } from '../systems/postgres/population';
import { amendCutover, closeCutover, getCutover, registerCutover, whyNotStart } from '../systems/control/cutovers';
import { nextEpoch } from '../systems/control/epochs';
import { append } from '../systems/control/ledger';
import { projectMembers, seedRouting } from '../systems/control/routing';
import { completeUndo, listUndo, recordUndo } from '../systems/control/undo';
import { keepLastView } from '../systems/control/views';
import { install, seedWaves } from '../systems/postgres/schema';
import { saying } from '../systems/postgres/data/faults';
import { installData } from '../systems/postgres/data/install';
import { isDatabaseError } from '../systems/postgres/connect';
import { SystemFault } from '../systems/ports';
import type { Side } from '../domain/custody';
import type { UndoKind } from '../engine/contract';
import type { ResolvedRun } from '../runbooks/resolved';
import { rollbackWorkflowId, waveWorkflowId } from '../workflows/names';
import { failure, staleEpoch } from './attempt';
import { keptDocuments } from './kept-documents';
import type { World } from './world';
import { Context } from '@temporalio/activity';

type RunActivities = Pick<
  Activities,
  | 'loadRun'
  | 'checkAmendment'
  | 'adoptDocuments'
  | 'openCutover'
  | 'closeCutover'
  | 'raiseEpoch'
  | 'recordUndo'
  | 'listUndo'
  | 'completeUndo'
  | 'appendLedger'
  | 'saveView'
>;

/** The run itself: documents, registration, epochs, undo rows, ledger. */
export function runActivities(world: World): RunActivities {
  const { control } = world;
  return {
    loadRun: async (given) => {
      try {
        const { runbookHash, planHash } = await keptDocuments(world, given);
        return withoutNames(await world.documents(runbookHash, planHash, Date.now()));
      } catch (error) {
        if (isDatabaseError(error) || (error instanceof SystemFault && error.retryable)) throw error;
        throw failure('InvalidRunbook', error instanceof Error ? error.message : String(error));
      }
    },
    checkAmendment: async ({ runbookHash, planHash, startedAt }) => {
      try {
        const run = await world.documents(runbookHash, planHash, Date.now(), startedAt);
        return { outcome: 'sound', run: withoutNames(run) };
      } catch (error) {
        if (error instanceof SystemFault && !error.retryable) return { outcome: 'unsound', problem: error.message };
        throw error;
      }
    },
    adoptDocuments: (input) => amendCutover(control, input),
    openCutover: (input) => openCutover(world, input),
    closeCutover: ({ cutover, outcome }) => closeCutover(control, cutover, outcome),
    raiseEpoch: async ({ cutover, wave, key }) => {
      const epoch = await nextEpoch(control, cutover, wave, key);
      if (wave === null) return { epoch };
      const { custody } = await world.of(cutover);
      for (const side of ['target', 'source'] as const) {
        const raised = await custody[side].raise(wave, epoch);
        if (raised.outcome === 'stale') throw staleEpoch(`wave ${wave} at the ${side}`);
      }
      return { epoch };
    },
    recordUndo: async ({ ref, kind }) => {
      const done = await recordUndo(control, ref, kind);
      if (done.outcome === 'stale') throw staleEpoch(`step ${ref.step}`);
    },
    listUndo: ({ cutover, wave }) => listUndo<UndoKind>(control, cutover, wave),
    completeUndo: async ({ seq, epoch }) => {
      const done = await completeUndo(control, seq, epoch);
      if (done.outcome === 'stale') throw staleEpoch(`undo row ${seq}`);
    },
    appendLedger: async ({ cutover, entries }) => {
      await append(control, cutover, entries);
    },
    saveView: async ({ cutover, wave, view }) =>
      keepLastView(control, { cutover, wave, kind: 'run', body: JSON.stringify(view) }),
  };
}

/** Histories know people by their ids (PRIVATE); reports read the names from the plan. */
function withoutNames(run: ResolvedRun): ResolvedRun {
  return { ...run, plan: { ...run.plan, people: run.plan.people.map((person) => ({ ...person, name: person.id })) } };
}

/** What an earlier run of this id left behind still runs: a wave, or a way back that waits for a person. It would meet this one's. */
async function refuseBesideEarlierRuns({ options }: World, waves: number): Promise<void> {
  const own = Context.current().info.workflowExecution?.workflowId ?? '';
  const numbers = Array.from({ length: waves }, (_, index) => index + 1);
  const runs = [
    ...numbers.map((wave) => waveWorkflowId(own, wave)),
    ...[...numbers, null].map((wave) => rollbackWorkflowId(own, wave)),
  ];
  for (const run of runs)
    if (await options.runs.isOpen(run))
      throw failure(
        'InvalidRunbook',
        `${run} of an earlier run is still open; follow it with cutover doctor until it has ended, then start again`,
      );
}

/** Reads how a cutover of this control database divided the customers; null unless it has ended, or nobody runs it any more. */
async function conditionsIfOver(world: World, cutover: string): Promise<(() => Promise<(string | null)[]>) | null> {
  const row = await getCutover(world.control, cutover);
  if (row === null || (row.outcome === null && (await world.options.runs.isOpen(row.workflowId)))) return null;
  return async () => conditionsOf((await world.documents(row.runbookHash, row.planHash, Date.now())).plan);
}

/** Registers, installs schema `cutover` in both systems, and gives the population its waves. Idempotent. */
async function openCutover(
  world: World,
  { fresh, ...input }: Parameters<Activities['openCutover']>[0],
): Promise<{ epoch: number; population: number }> {
  const { control } = world;
  const refusal = fresh ? await whyNotStart(control, input.cutover) : null;
  if (refusal) throw failure('InvalidRunbook', `${refusal.reason}; ${refusal.remedy}`);
  const documents = await world.documents(input.runbookHash, input.planHash, Date.now());
  if (fresh) await refuseBesideEarlierRuns(world, documents.plan.waves.length);
  const { workflowId, runId } = Context.current().info.workflowExecution ?? { workflowId: input.cutover, runId: '' };
  const registered = await registerCutover(control, { ...input, runbook: documents.runbook.runbook, workflowId });
  if (registered.outcome === 'refused') throw failure('InvalidRunbook', registered.reason);
  const { pair, compiled } = await world.of(input.cutover);
  const waves = documents.plan.waves.map((wave, index) => ({ wave: index + 1, name: wave.id }));
  const preparing = async (prepare: (side: Side) => Promise<void>): Promise<void> => {
    for (const side of ['source', 'target'] as const)
      await saying(`preparing the ${side} (${documents.runbook.systems[side]?.urlEnv ?? side})`, () => prepare(side));
  };
  await preparing((side) => install(pair[side], side));
  const own = { cutover: input.cutover, conditions: conditionsOf(documents.plan) };
  await ownDivision(pair, own, (other) => conditionsIfOver(world, other));
  await preparing((side) => seedWaves(pair[side], side, waves, input.cutover));
  await installData(pair, documents.runbook.population);
  await compiled();
  await seedRouting(control, input.cutover, waves);
  const population = await assignPopulation(pair, documents, input.cutover, (customers, wave) =>
    projectMembers(control, input.cutover, customers, wave),
  );
  // A rollback of an earlier run has raised the epoch: a new run of the same cutover needs its own.
  return { epoch: await nextEpoch(control, input.cutover, null, `open/${runId}`), population };
}
