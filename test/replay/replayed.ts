import { join } from 'node:path';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { projectDir } from '../../local/paths';

type Histories = Parameters<typeof Worker.runReplayHistories>[1];

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
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: { codePath } }, histories)) {
    replayed += 1;
    if (error) stuck.push(`${workflowId}: ${error.message}`);
  }
  return { replayed, stuck };
}
