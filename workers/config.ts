import { statSync } from 'node:fs';
import { z } from 'zod';
import { QUEUES } from '../workflows/names';

const url = z
  .string('is not set; set it to the URL of the control database, such as postgres://user@127.0.0.1:5432/control')
  .regex(/^postgres(ql)?:\/\//, 'is not a PostgreSQL URL; write it as postgres://user@host:5432/control');

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
const PORT = 'is not a port; write a number from 1 to 65535, or unset it';
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const DEPLOYMENT = 'is not a name; write letters, digits, dashes and dots, such as cutover or 2026-11-28.1';
const queueNames: readonly string[] = Object.values(QUEUES);
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
const splitQueues = (text: string): string[] => text.split(',').map((queue) => queue.trim());

const schema = z.object({
  CONTROL_URL: url,
  TEMPORAL_ADDRESS: z.string().optional(),
  CUTOVER_LOG_LEVEL: z.enum(LEVELS, `is not a level; write one of ${LEVELS.join(', ')}`).default('info'),
  /** Which queues this process serves; default: all. */
  CUTOVER_QUEUES: z
    .string()
    .refine(
      (text) => splitQueues(text).every((queue) => queueNames.includes(queue)),
      `names a queue there is not; queues: ${queueNames.join(', ')}`,
    )
    .optional(),
  /** Where metrics are served; only this machine reads them unless told otherwise. */
  CUTOVER_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  CUTOVER_METRICS_PORT: z.coerce.number(PORT).int(PORT).min(1, PORT).max(65_535, PORT).optional(),
  /** Where `notify` posts to; without it a notification is an entry of the ledger. */
  CUTOVER_WEBHOOK_URL: z.url({ protocol: /^https?$/, error: 'is not a URL; write https://…, or unset it' }).optional(),
  /** Where the stock `temporal` command finds the documents it starts a run with; without it only stored ones, by hash. */
  CUTOVER_DOCUMENTS: z.string().refine(isFolder, 'is not a folder; name one that exists, or unset it').optional(),
  /** Worker versioning, opt-in: a run stays with the build that began it. Both or neither. */
  CUTOVER_DEPLOYMENT_NAME: z.string().regex(NAME, DEPLOYMENT).optional(),
  CUTOVER_BUILD_ID: z.string().regex(NAME, DEPLOYMENT).optional(),
});

export interface WorkerConfig {
  controlUrl: string;
  logLevel: z.output<typeof schema>['CUTOVER_LOG_LEVEL'];
  queues: string[] | null;
  metricsHost: string;
  metricsPort: number | null;
  webhookUrl: string | null;
  documentsDir: string | null;
  /** Null: the worker takes every run. */
  version: { deploymentName: string; buildId: string } | null;
  /** The value of a variable that a runbook names. Throws when it is not set. */
  url(envName: string): string;
}

/** Reads the worker's settings. Throws an error that names every variable that is missing or wrong. */
export function loadConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new Error(
      `The environment is not complete:\n${lines.join('\n')}\n\`cutover worker --help\` lists what is needed.`,
    );
  }
  const { CUTOVER_DEPLOYMENT_NAME: deploymentName, CUTOVER_BUILD_ID: buildId } = parsed.data;
  if ((deploymentName === undefined) !== (buildId === undefined))
    throw new Error('CUTOVER_DEPLOYMENT_NAME and CUTOVER_BUILD_ID go together: set both, or neither.');
  const { CONTROL_URL, CUTOVER_LOG_LEVEL, CUTOVER_QUEUES, CUTOVER_METRICS_PORT, CUTOVER_WEBHOOK_URL } = parsed.data;
  const { CUTOVER_DOCUMENTS } = parsed.data;
  return {
    controlUrl: CONTROL_URL,
    logLevel: CUTOVER_LOG_LEVEL,
    queues: CUTOVER_QUEUES ? splitQueues(CUTOVER_QUEUES) : null,
    metricsHost: parsed.data.CUTOVER_METRICS_HOST,
    metricsPort: CUTOVER_METRICS_PORT ?? null,
    webhookUrl: CUTOVER_WEBHOOK_URL ?? null,
    documentsDir: CUTOVER_DOCUMENTS ?? null,
    version: deploymentName !== undefined && buildId !== undefined ? { deploymentName, buildId } : null,
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
