import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import { keptRuns, type SeenRuns } from '../../../cli/kept-runs';
import { sendUpdate } from '../../../cli/messages/send';
import { packRunbook } from '../../../runbooks/load';
import { putDocument } from '../../../systems/control/documents';
import { installControl } from '../../../systems/control/schema';
import { connect } from '../../../systems/postgres/connect';
import { projectDir } from '../../../local/paths';
import type { RollbackState } from '../../../engine/run-rollback';
import type { RunView } from '../../../engine/view';
import type { UpdateInput, UpdateName } from '../../../workflows/messages';
import { cutoverIdOf, cutoverWorkflowId, QUEUES, waveWorkflowId, WORKFLOWS } from '../../../workflows/names';
import { deedsOf, type Script } from './people';
import type { Stage } from './stage';

/** How often people look, and how long they wait for an answer before they look again and say it once more. */
export interface Manners {
  lookEveryMs: number;
  answerWithinMs: number;
}
/** A worker that was just killed has no answer. */
const AT_ONCE: Manners = { lookEveryMs: 200, answerWithinMs: 3_000 };
const LOOKS_AT_MOST_MS = 10_000;

/** What `play` throws when the cutover is not over in time. */
export class NotOver extends Error {
  override name = 'NotOver';
}

/** Documents of a cutover. */
export interface NightDocuments {
  /** Its name. */
  runbook: string;
  /** Holds runbook.yaml, conversion.yaml and plan.yaml. */
  folder: string;
}

export const TINY: NightDocuments = {
  runbook: 'tiny',
  folder: join(projectDir(), 'test', 'runbooks', 'tiny'),
};

/** One cutover on a stage, of the tiny runbook unless another is named, with people who act at once unless they have other manners. */
export class Night {
  readonly workflowId: string;
  /** What is kept is of this run, not of one before it under the same id: Temporal was asked, and need not be for every look. */
  private isThere = false;

  constructor(
    readonly stage: Stage,
    readonly id: string,
    readonly script: Script = {},
    private readonly documents: NightDocuments = TINY,
    private readonly manners: Manners = AT_ONCE,
  ) {
    this.workflowId = cutoverWorkflowId(documents.runbook, id);
  }

  /** Keeps the documents, changed as the test wants them, in `control`; returns their hashes. */
  async store(change: (runbook: Document, plan: Document) => void): Promise<{ runbook: string; plan: string }> {
    const read = (file: string): string => readFileSync(join(this.documents.folder, file), 'utf8');
    const [runbook, plan] = [parseDocument(read('runbook.yaml')), parseDocument(read('plan.yaml'))];
    runbook.setIn(['after', 0, 'steps', 0, 'atLeast'], 'PT0S');
    change(runbook, plan);
    const control = connect(this.stage.env['CONTROL_URL'] ?? '', { applicationName: 'cutover test', max: 1 });
    try {
      await installControl(control);
      return {
        runbook: await putDocument(control, 'runbook', packRunbook(runbook.toString(), read('conversion.yaml'))),
        plan: await putDocument(control, 'plan', plan.toString()),
      };
    } finally {
      await control.end();
    }
  }

  async start(change: (runbook: Document, plan: Document) => void = () => undefined): Promise<void> {
    this.isThere = false;
    await this.stage.temporal.client.workflow.start(WORKFLOWS.cutover, {
      workflowId: this.workflowId,
      taskQueue: QUEUES.main,
      args: [{ ...(await this.store(change)), startedBy: 'ada' }],
    });
  }

  /** The cutover's own view (wave null) or the wave's; null while it has none or it cannot be read. */
  async view(wave: number | null): Promise<RunView | null> {
    return (await this.seen()).views.find(({ view }) => view.wave === wave)?.view ?? null;
  }

  /** How far the wave's way back is; null while it has none or it cannot be read. */
  async rollback(wave: number | null): Promise<RollbackState | null> {
    return (await this.seen()).rollbacks.find(({ state }) => state.wave === wave)?.state ?? null;
  }

  private async seen(): Promise<SeenRuns> {
    const run = { cutover: cutoverIdOf(this.workflowId), workflowId: this.workflowId };
    const temporal = this.isThere ? null : this.stage.temporal;
    const seen = await keptRuns(run, temporal, this.stage.control).catch(() => null);
    this.isThere = seen !== null;
    return seen ?? { views: [], rollbacks: [] };
  }

  /** Whether the run has closed: the outcome shows in its view a moment before the registry has it. */
  async closed(): Promise<boolean> {
    const { client, connection } = this.stage.temporal;
    const described = await connection
      .withDeadline(Date.now() + LOOKS_AT_MOST_MS, () => client.workflow.getHandle(this.workflowId).describe())
      .catch(() => null);
    return described !== null && described.status.name !== 'RUNNING';
  }

  async send<N extends UpdateName>(
    wave: number | null,
    name: N,
    input: UpdateInput<N>,
  ): Promise<{ accepted: boolean; reason?: string }> {
    const workflowId = wave === null ? this.workflowId : waveWorkflowId(this.workflowId, wave);
    return sendUpdate(this.stage.temporal, workflowId, name, input);
  }

  /** Plays the people until the cutover has ended, and its run has closed, or `holds` does, which sees the first wave. Throws with the last view when `withinMs` is over. */
  async play(
    withinMs: number,
    holds: (views: { cutover: RunView | null; wave: RunView | null }) => boolean = () => false,
  ): Promise<RunView | null> {
    const end = Date.now() + withinMs;
    for (;;) {
      const views = (await this.seen()).views.map(({ view }) => view);
      const cutover = views.find((view) => view.wave === null) ?? null;
      const wave = views.find((view) => view.wave === 1) ?? null;
      if (holds({ cutover, wave }) || (cutover?.outcome && (await this.closed()))) return cutover;
      if (!cutover?.outcome) for (const view of views) await this.act(view);
      if (Date.now() > end)
        throw new NotOver(
          `not over after ${withinMs} ms: ${JSON.stringify({ cutover: told(cutover), wave: told(wave) }, null, 1)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, this.manners.lookEveryMs));
    }
  }

  private async act(view: RunView): Promise<void> {
    for (const { name, input } of deedsOf(view, this.script)) await this.quietly(view.wave, name, input);
  }

  /** Sends it and goes on without an answer when none comes. */
  async quietly<N extends UpdateName>(wave: number | null, name: N, input: UpdateInput<N>): Promise<void> {
    await Promise.race([
      this.send(wave, name, input).catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, this.manners.answerWithinMs)),
    ]);
  }
}

const told = (view: RunView | null): unknown =>
  view && {
    status: view.status,
    phase: view.phase,
    waitsFor: view.waitsFor,
    rollback: view.rollback,
    notices: view.notices,
    steps: view.steps.map((step) => `${step.id}:${step.status}${step.problem ? ` ${step.problem}` : ''}`),
  };
