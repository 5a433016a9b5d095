import { z } from 'zod';

const url = z.string().regex(/^postgres(ql)?:\/\//, 'a postgres:// URL');

const schema = z.object({
  CONTROL_URL: url,
  TEMPORAL_ADDRESS: z.string().optional(),
  CUTOVER_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Which queues this process serves; default: all. */
  CUTOVER_QUEUES: z.string().optional(),
  CUTOVER_METRICS_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  /** Where `notify` posts to; without it a notification is an entry of the ledger. */
  CUTOVER_WEBHOOK_URL: z.url().optional(),
});

export interface WorkerConfig {
  controlUrl: string;
  logLevel: z.output<typeof schema>['CUTOVER_LOG_LEVEL'];
  queues: string[] | null;
  metricsPort: number | null;
  webhookUrl: string | null;
  /** The value of a variable that a runbook names. Throws when it is not set. */
  url(envName: string): string;
}

/** Reads the worker's settings. Throws an error that names every variable that is missing or wrong. */
export function loadConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(
      `The environment is not complete:\n${lines.join('\n')}\n\`cutover worker --help\` lists what is needed.`,
    );
  }
  const { CONTROL_URL, CUTOVER_LOG_LEVEL, CUTOVER_QUEUES, CUTOVER_METRICS_PORT, CUTOVER_WEBHOOK_URL } = parsed.data;
  return {
    controlUrl: CONTROL_URL,
    logLevel: CUTOVER_LOG_LEVEL,
    queues: CUTOVER_QUEUES ? CUTOVER_QUEUES.split(',').map((queue) => queue.trim()) : null,
    metricsPort: CUTOVER_METRICS_PORT ?? null,
    webhookUrl: CUTOVER_WEBHOOK_URL ?? null,
    url: (envName) => {
      const value = env[envName];
      if (!value)
        throw new Error(
          `The runbook needs the environment variable ${envName}; set it for this worker and restart it.`,
        );
      return value;
    },
  };
}
