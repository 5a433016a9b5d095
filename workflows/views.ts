import { proxySinks, workflowInfo, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';
import type { ShownView } from '../engine/view';

/** What a worker takes from the runs it executes, to keep it where people and programs look. */
export interface ViewSinks extends Sinks {
  views: { shown(view: ShownView): void };
}

/** A run has an instance of this module to itself: here it and the interceptor meet. */
let look: () => ShownView | null = () => null;

/** What this run shows of itself from here on; null while it has nothing to show. */
export function showing(view: () => ShownView | null): void {
  look = view;
}

/**
 * Hands what the run shows to its worker whenever it changed, which keeps it in `control` before the workflow task is answered. Whoever
 * looks reads it there: a query can make a run that cannot be replayed (docs/adr/0012-views-are-kept-not-asked-for.md).
 */
export const interceptors = (): WorkflowInterceptors => {
  let last = '';
  return {
    internals: [
      {
        concludeActivation: (input, next) => {
          const view = workflowInfo().unsafe.isReplaying ? null : look();
          if (view && view.body !== last) {
            last = view.body;
            proxySinks<ViewSinks>().views.shown(view);
          }
          return next(input);
        },
      },
    ],
  };
};
