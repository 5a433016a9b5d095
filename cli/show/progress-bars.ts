import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Cli } from '../cli';
import type { StatusAhead } from '../forecast';
import type { RunShown } from '../run-status';
import type { Change } from './changes';
import { clock, span } from './format';

/** What shows a run that is being watched. */
export interface Watched {
  show(status: StatusAhead, changes: readonly Change[]): void;
  close(): void;
}

/** One bar for each run, redrawn in place; changes scroll above them. */
export function progressBars(cli: Cli): Watched {
  const bars = new MultiBar(
    {
      format: '{name} [{bar}] {value}/{total} steps · {state}',
      hideCursor: true,
      clearOnComplete: false,
      stopOnComplete: false,
      barsize: 24,
      linewrap: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const known = new Map<string, SingleBar>();
  return {
    show: (status, changes) => {
      for (const change of changes) {
        const where = change.wave === null ? '' : `wave ${change.wave}: `;
        bars.log(`${new Date(cli.now()).toISOString().slice(11, 19)}Z ${where}${change.text}\n`);
      }
      for (const run of status.runs) {
        const done = run.steps.filter((step) => step.status === 'done' || step.status === 'skipped').length;
        const name = (run.wave === null ? status.cutover : `wave ${run.wave}`).padEnd(16);
        const payload = {
          name,
          state: `${stateOf(run, cli.now())}${run.wave === null ? ending(status, cli.now()) : ''}`,
        };
        const bar = known.get(run.workflowId) ?? bars.create(run.steps.length, done, payload);
        known.set(run.workflowId, bar);
        bar.update(done, payload);
      }
      bars.update();
    },
    close: () => bars.stop(),
  };
}

function stateOf(run: RunShown, nowMs: number): string {
  if (run.isDead) return 'dead';
  const running = run.steps.filter((step) => step.status === 'running');
  const now = running.map((step) => `${step.id}${step.progress === null ? '' : ` (${step.progress})`}`).join(', ');
  const back = run.frozen && run.backOutBy !== null ? ` · FROZEN, back out in ${span(run.backOutBy - nowMs)}` : '';
  const waits = run.waitsFor.length === 0 ? '' : ` · waits for ${run.waitsFor[0]}`;
  return `${now || run.status}${back}${waits}`;
}

const ending = ({ forecast }: StatusAhead, nowMs: number): string =>
  forecast ? ` · ends about ${clock(forecast.endsAt, nowMs)}` : '';
