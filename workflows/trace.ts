import { defaultPayloadConverter } from '@temporalio/common';
import { proxySinks, workflowInfo, type Headers, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';

/** The span of a run, made when it ends. Times are epoch ms; ids as in W3C Trace Context. */
export interface RunSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  /** As in `traceparent`: 1 when the trace is kept. */
  flags: number;
  startedAt: number;
  endedAt: number;
  failed: boolean;
}

/** What a worker that traces takes from runs. */
export interface TraceSinks extends Sinks {
  traces: { ended(span: RunSpan): void };
}

/** Where the SDK's client and activity interceptors keep the context of a trace. */
const HEADER = '_tracer-data';
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/**
 * Hands the trace a run was started in on to its calls, children and signals, below a span of its own whose id comes from the
 * run's. It only adds headers: it waits for nothing and draws no random number, so that a run replays the same with and without
 * traces (docs/adr/0009-runs-hand-traces-on-themselves.md).
 */
export const interceptors = (): WorkflowInterceptors => {
  let own: Headers = {};
  const handOn = <I extends { headers: Headers }, R>(input: I, next: (input: I) => R): R =>
    next({ ...input, headers: { ...input.headers, ...own } });
  return {
    inbound: [
      {
        execute: (input, next) => {
          const span = spanIn(input.headers);
          if (!span) return next(input);
          const traceparent = `00-${span.traceId}-${span.spanId}-${span.flags.toString(16).padStart(2, '0')}`;
          own = { [HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
          const running = next(input);
          const end = (failed: boolean): void =>
            proxySinks<TraceSinks>().traces.ended({ ...span, endedAt: Date.now(), failed });
          running.then(
            () => end(false),
            () => end(true),
          );
          return running;
        },
      },
    ],
    outbound: [
      { scheduleActivity: handOn, startChildWorkflowExecution: handOn, signalWorkflow: handOn, continueAsNew: handOn },
    ],
  };
};

/** The run's span below the one the headers name; null when they name none. */
function spanIn(headers: Headers): Omit<RunSpan, 'endedAt' | 'failed'> | null {
  const payload = headers[HEADER];
  if (!payload) return null;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: string }>(payload);
  const [, traceId, parentSpanId, flags = '00'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || parentSpanId === undefined) return null;
  const { workflowType, runId } = workflowInfo();
  return {
    name: `RunWorkflow:${workflowType}`,
    traceId,
    parentSpanId,
    spanId: runId.replaceAll('-', '').slice(-16),
    flags: parseInt(flags, 16),
    startedAt: Date.now(),
  };
}
