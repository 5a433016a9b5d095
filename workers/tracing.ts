import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { RunSpan, TraceSinks } from '../workflows/trace';

/** A run that was started with a trace may be served by a worker that makes none. */
export const UNTRACED: InjectedSinks<TraceSinks> = { traces: { ended: { fn: () => undefined } } };

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/** Spans of one process on their way to a collector. */
export interface Tracing {
  activity: ActivityInterceptorsFactory;
  sinks: InjectedSinks<TraceSinks>;
  /** Runs `body` in a span of its own, under which its calls appear. */
  within<T>(span: string, body: () => Promise<T>): Promise<T>;
  /** Sends what is left. A collector that does not answer holds nobody up for longer than a few seconds. */
  stop(): Promise<void>;
}

const isAsked = (env: Record<string, string | undefined>): boolean => ENDPOINTS.some((name) => env[name]);

/** Unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise; spans that take longer are lost. */
const SEND_TIMEOUT_MS = 3_000;

/**
 * Traces as OpenTelemetry's variables of the environment say (OTEL_EXPORTER_OTLP_ENDPOINT, …_HEADERS, …_TIMEOUT, OTEL_SERVICE_NAME). Null, and nothing
 * is loaded, when no endpoint is set. `service` is the name when none is given.
 */
export async function startTracing(service: string, env: Record<string, string | undefined>): Promise<Tracing | null> {
  if (!isAsked(env)) return null;
  const [api, { AsyncLocalStorageContextManager }, { Resource }, sdk, { OTLPTraceExporter }, temporal] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@temporalio/interceptors-opentelemetry'),
    ]);
  const resource = new Resource({ 'service.name': env['OTEL_SERVICE_NAME'] ?? service });
  const timeout = env['OTEL_EXPORTER_OTLP_TIMEOUT'] ? {} : { timeoutMillis: SEND_TIMEOUT_MS };
  const processor = new sdk.BatchSpanProcessor(new OTLPTraceExporter(timeout));
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new AsyncLocalStorageContextManager() });
  const tracer = provider.getTracer('cutover');
  return {
    activity: (context) => ({
      inbound: new temporal.OpenTelemetryActivityInboundInterceptor(context),
      outbound: new temporal.OpenTelemetryActivityOutboundInterceptor(context),
    }),
    sinks: {
      traces: {
        ended: {
          fn: ({ workflowId, runId }, span) => processor.onEnd(readable(span, { workflowId, runId }, resource)),
        },
      },
    },
    within: (span, body) =>
      tracer.startActiveSpan(span, async (open) => {
        try {
          return await body();
        } catch (error) {
          open.setStatus({ code: api.SpanStatusCode.ERROR });
          throw error;
        } finally {
          open.end();
        }
      }),
    stop: () => provider.shutdown().catch(() => undefined),
  };
}

/** The span of a run, which has no tracer where it lives, in the form exporters take. */
function readable(span: RunSpan, attributes: Record<string, string>, resource: Resource): ReadableSpan {
  const { name, traceId, spanId, parentSpanId, flags, startedAt, endedAt, failed } = span;
  return {
    name,
    kind: 0, // internal
    spanContext: () => ({ traceId, spanId, traceFlags: flags }),
    parentSpanId,
    startTime: hrTime(startedAt),
    endTime: hrTime(endedAt),
    duration: hrTime(endedAt - startedAt),
    status: { code: failed ? 2 : 1 },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationLibrary: { name: 'cutover' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
const hrTime = (ms: number): [number, number] => [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];

/** What a client needs so that the runs it starts and speaks to go on with the trace of its process; nothing when none is asked for. */
export async function clientInterceptors(
  env: Record<string, string | undefined>,
): Promise<WorkflowClientInterceptor[]> {
  if (!isAsked(env)) return [];
  const { OpenTelemetryWorkflowClientInterceptor } = await import('@temporalio/interceptors-opentelemetry');
  return [new OpenTelemetryWorkflowClientInterceptor()];
}
