import {
  type ActivityOptions,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../engine/contract';
import { Cancelled, type Background, type Runtime } from '../engine/runtime';
import { POLICIES } from './policies';

/** The activities, each on its own queue with its own policy and a summary people can read in the UI. */
function proxies(adjust: (options: ActivityOptions) => ActivityOptions): Activities {
  const entries = Object.entries(POLICIES).map(([name, { queue, options }]) => {
    const call = (input: object): Promise<unknown> => {
      const activities = proxyActivities<Record<string, (input: object) => Promise<unknown>>>({
        ...adjust(options),
        taskQueue: queue,
        summary: summaryOf(name, input),
      });
      const activity = activities[name];
      if (!activity) throw new Error(`no activity ${name}`);
      return activity(input);
    };
    return [name, call];
  });
  return Object.fromEntries(entries) as Activities;
}

function summaryOf(name: string, input: object): string {
  const ref = 'ref' in input ? (input.ref as { step: string; wave: number | null }) : undefined;
  return ref ? `${ref.step}${ref.wave === null ? '' : ` · wave ${ref.wave}`} · ${name}` : name;
}

const SUMMARY_AT_MOST = 200;

/**
 * `Runtime` over Temporal. Everything the engine starts here lives in a scope that a workflow cancellation does not reach. `waiting`
 * says in words what is waited for: the summary of each timer in the UI.
 */
export function temporalRuntime(
  publish: () => void,
  waiting: () => string,
  adjust: (options: ActivityOptions) => ActivityOptions = (options) => options,
): Runtime {
  const activities = proxies(adjust);
  const now = (): number => Date.now();
  const until = async (holds: () => boolean, deadline: number | null): Promise<boolean> => {
    if (holds()) return true;
    if (deadline === null) return condition(holds).then(() => true);
    const timeoutMs = Math.ceil(deadline - now());
    return timeoutMs <= 0 ? false : condition(holds, timeoutMs, { summary: waiting().slice(0, SUMMARY_AT_MOST) });
  };
  return {
    now,
    until,
    activities,
    publish,
    wantsContinue: () => workflowInfo().continueAsNewSuggested,
    cancellable: (body, cancelled) => runCancellable(body, cancelled),
    background: (start, onEnd) => startBackground(() => start(activities), onEnd),
  };
}

async function runCancellable<T>(body: () => Promise<T>, cancelled: () => boolean): Promise<T> {
  const scope = new CancellationScope({ cancellable: true });
  let ended = false;
  const watch = condition(() => ended || cancelled()).then(() => {
    if (!ended) scope.cancel();
  });
  try {
    return await scope.run(body);
  } catch (error) {
    if (isCancellation(error)) throw new Cancelled();
    throw error;
  } finally {
    ended = true;
    await watch;
  }
}

function startBackground(start: () => Promise<unknown>, onEnd: (error: unknown) => void): Background {
  const scope = new CancellationScope({ cancellable: true });
  let stopping = false;
  const done = scope.run(start).then(
    () => {
      if (!stopping) onEnd(undefined);
    },
    (error: unknown) => {
      if (!stopping) onEnd(error);
    },
  );
  return {
    stop: async () => {
      stopping = true;
      scope.cancel();
      await done;
    },
  };
}
