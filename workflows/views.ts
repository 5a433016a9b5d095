import { proxySinks, type Sinks } from '@temporalio/workflow';
import type { ShownView } from '../systems/control/views';

/** What a worker takes from the runs it executes, to keep it where people and programs look. */
export interface ViewSinks extends Sinks {
  views: { shown(view: ShownView): void };
}

/**
 * A function that hands each new view to the worker, which keeps it in `control` before the workflow task is answered. Whoever
 * looks reads it there: a query can make a run that cannot be replayed (docs/adr/0012-views-are-kept-not-asked-for.md).
 */
export function viewKeeper(): (view: ShownView) => void {
  let last = '';
  return (view) => {
    if (view.body === last) return;
    last = view.body;
    proxySinks<ViewSinks>().views.shown(view);
  };
}
