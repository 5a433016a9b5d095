import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { cutoverIdOf } from '../workflows/names';

/** What a line or a figure is about. Ids of the plan and the runbook only. */
interface Subject {
  cutover?: string;
  /** From 1; absent for the cutover's own steps. */
  wave?: number;
  /** The step; of a call that belongs to none its gate, or the call's own name. */
  step?: string;
}

const RUN = /^cutover\/[^/]+\/[^/]+(?:\/(?:rollback-)?wave-(\d+))?/;

/** Cutover and wave, as the id of a run says them; nothing for the guardian, which belongs to no cutover. */
export function subjectOfRun(workflowId: unknown): Subject {
  const found = typeof workflowId === 'string' ? RUN.exec(workflowId) : null;
  if (!found) return {};
  return { cutover: cutoverIdOf(found[0]), ...(found[1] === undefined ? {} : { wave: Number(found[1]) }) };
}

/** The input of an activity names its effect (`ref`), or the cutover and the wave themselves. */
function subjectOfCall(info: Context['info'], input: unknown): Subject {
  const given = isObject(input) ? input : {};
  const ref = isObject(given['ref']) ? given['ref'] : given;
  const { cutover, wave, step = given['gate'] } = ref;
  return {
    ...subjectOfRun(info.workflowExecution?.workflowId),
    ...(typeof cutover === 'string' ? { cutover } : {}),
    ...(typeof wave === 'number' ? { wave } : {}),
    step: typeof step === 'string' ? step : info.activityType,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Puts the subject on every line that an activity, or the SDK about it, writes, and cutover and wave on its metrics. */
export function withSubject({ info }: Context): ActivityInterceptors {
  let subject = subjectOfRun(info.workflowExecution?.workflowId);
  return {
    inbound: {
      execute: (input, next) => {
        subject = subjectOfCall(info, input.args[0]);
        return next(input);
      },
    },
    outbound: {
      getLogAttributes: (attributes, next) => next({ ...attributes, ...subject }),
      getMetricTags: (tags, next) => {
        const { cutover = '', wave } = subject;
        return next({ ...tags, cutover, wave: wave === undefined ? '' : String(wave) });
      },
    },
  };
}
