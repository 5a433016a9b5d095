import { join } from 'node:path';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker, type InjectedSinks } from '@temporalio/worker';
import { projectDir } from '../../local/paths';
import type { ViewSinks } from '../../workflows/views';

type Histories = Parameters<typeof Worker.runReplayHistories>[1];

/** What a replayed run shows was kept when it ran. */
const UNSEEN: InjectedSinks<ViewSinks> = { views: { shown: { fn: () => undefined } } };

let isQuiet = false;

/** A process has one runtime, and is told once. */
function quieten(): void {
  if (isQuiet) return;
  isQuiet = true;
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
}

/** Replays runs with the code as built; what is told of those that cannot go on. Nothing is logged of it. */
export async function stuckRuns(histories: Histories): Promise<{ replayed: number; stuck: string[] }> {
  quieten();
  const codePath = join(projectDir(), 'dist', 'workflows', 'workflow-bundle.js');
  let replayed = 0;
  const stuck: string[] = [];
  const bundle = { workflowBundle: { codePath }, sinks: UNSEEN };
  for await (const { workflowId, error } of Worker.runReplayHistories(bundle, histories)) {
    replayed += 1;
    if (error) stuck.push(`${workflowId}: ${error.message}`);
  }
  return { replayed, stuck };
}
