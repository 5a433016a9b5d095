import type { StepKind } from '../../runbooks/schema/step';
import { freeze, switchOver } from './custody';
import type { Handler } from './handler';
import { action, catchUp, convert, drain, intake, notify, preload, release, verify } from './machine';
import { checklist, hypercare, task, window } from './people';

/** One handler per kind; the compiler demands each. */
export const HANDLERS: { [K in StepKind]: Handler<K> } = {
  task,
  checklist,
  window,
  notify,
  action,
  preload,
  catchUp,
  intake,
  drain,
  freeze,
  convert,
  verify,
  switch: switchOver,
  release,
  hypercare,
};
