import { log } from '@temporalio/workflow';
import type { RunView } from '../engine/view';

/** Writes a line for each step and gate whose status has changed: the night in the worker's log. Silent while a history is replayed. */
export class StepLog {
  private known: Map<string, string> | null = null;

  see({ steps, gates }: RunView): void {
    const lines = [
      ...steps.map(({ id, status, occurrence }) => ({ what: 'step', id, status, attempt: occurrence })),
      ...gates.map(({ id, status }) => ({ what: 'gate', id, status, attempt: 1 })),
    ];
    const before = this.known;
    this.known = new Map(lines.map(({ what, id, status, attempt }) => [`${what} ${id}`, `${status} ${attempt}`]));
    if (!before) return; // what a run begins with, or carried over, is no news
    for (const { what, id, status, attempt } of lines)
      if (before.get(`${what} ${id}`) !== `${status} ${attempt}`)
        log.info(`${what} ${id}: ${status}`, { step: id, attempt });
  }
}
