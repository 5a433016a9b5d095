import { pino, stdSerializers, type Logger } from 'pino';
import type { Logger as TemporalLogger, LogMetadata } from '@temporalio/worker';
import { isDatabaseError, sqlStateOf } from '../systems/postgres/connect';
import { subjectOfRun } from './log-fields';

/** JSON lines on standard output. Fields that could hold values of rows are never passed in; see CONVENTIONS. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { pid: process.pid }, serializers: { err: stdSerializers.err } });
}

/** Temporal logs (message, meta), pino (object, message): this is the one adapter. */
export function temporalLogger(logger: Logger): TemporalLogger {
  const at =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta?: LogMetadata): void =>
      logger[level](plain(meta), message);
  return {
    log: (level, message, meta) => at(LEVELS[level])(message, meta),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

const KEPT = [
  'cutover',
  'wave',
  'step',
  'workflowId',
  'runId',
  'activityType',
  'activityId',
  'attempt',
  'taskQueue',
  'workflowType',
  'sdkComponent',
  'durationMs',
];

/** Ids and counts only: the metadata of a failed activity could hold its input. Lines of a run learn their cutover and wave from its id. */
function plain(meta: LogMetadata | undefined): Record<string, unknown> {
  if (!meta) return {};
  const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => KEPT.includes(key)));
  const about = { ...subjectOfRun(meta['workflowId']), ...kept };
  const error: unknown = meta['error'];
  return error instanceof Error ? { ...about, error: told(error) } : about;
}

/** A driver's own message may quote a value of a row: its code says enough. */
function told(error: Error): string {
  return `${error.name}: ${isDatabaseError(error) ? (sqlStateOf(error) ?? 'connection lost') : error.message}`;
}

/** All that a line says of an error whose message may hold values. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);
