import { setTimeout as pause } from 'node:timers/promises';
import type { InjectedSinks } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { ShownView } from '../engine/view';
import { sqlStateOf } from '../systems/postgres/connect';
import { keepView, type ShownAt } from '../systems/control/views';
import { nameOf } from './logger';
import type { ViewSinks } from '../workflows/views';

/** A workflow task waits so long for its view to be kept; then it goes on, and the view follows. */
const PATIENCE_MS = 1_000;
const AGAIN_MS = 1_000;

/** The view handed over last for one row of `control.view` that is not kept yet. */
interface Due {
  next: { view: ShownView; at: ShownAt } | null;
  keeping: Promise<void> | null;
}

/**
 * Keeps what runs show of themselves in `control`, the newest of each. While `control` cannot be written to it tries again, until `stop`.
 */
export function keepViews(control: Pool, logger: Logger, stop: AbortSignal): InjectedSinks<ViewSinks> {
  const rows = new Map<string, Due>();

  async function keep(row: string, due: Due): Promise<void> {
    while (due.next) {
      const shown = due.next;
      due.next = null;
      try {
        await keepView(control, shown.view, shown.at);
      } catch (error) {
        const { cutover, wave } = shown.view;
        logger.warn({ cutover, wave, error: sqlStateOf(error) ?? nameOf(error) }, 'view not kept yet');
        due.next ??= shown;
        if (stop.aborted) break;
        await pause(AGAIN_MS, undefined, { signal: stop }).catch(() => undefined);
      }
    }
    rows.delete(row);
  }

  return {
    views: {
      shown: {
        fn: ({ firstExecutionRunId, runId, runStartTime, historyLength }, view) => {
          const row = `${view.kind}/${view.wave ?? ''}/${view.cutover}`;
          const due = rows.get(row) ?? { next: null, keeping: null };
          rows.set(row, due);
          const at = { chain: firstExecutionRunId, run: runId, started: runStartTime, events: historyLength };
          due.next = { view, at };
          due.keeping ??= keep(row, due);
          return Promise.race([due.keeping, pause(PATIENCE_MS, undefined, { ref: false })]);
        },
      },
    },
  };
}
