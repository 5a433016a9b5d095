import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolClient } from 'pg';
import { SystemFault } from '../ports';

/** SQLSTATE of the guard's refusal: the wave does not accept writes here. */
export const WRITE_REFUSED = 'CU001';
/** SQLSTATE of a fence that has another epoch: this attempt is void. */
export const FENCE_STALE = 'CU002';

export interface ConnectOptions {
  /** Shown in pg_stat_activity, and to engineers when this session blocks a freeze. */
  applicationName: string;
  /** For sessions that change custody: every timeout stays well below this lease. */
  leaseMs?: number;
  /** Connections at most; default 10. */
  max?: number;
  /** A server that does not answer a statement within so many ms is given up, and the connection with it. */
  patienceMs?: number;
}

const SECOND_MS = 1_000;
/** Long enough for a COPY of one chunk or one pass, short enough that a hung one ends. */
const BULK_STATEMENT_MS = 600 * SECOND_MS;
/** PostgreSQL rolls back at once, however much was written. */
const ROLLBACK_MS = 5 * SECOND_MS;

/** When the way is cut without a word: asked for by either end after so long, so that neither holds locks or waits for hours. */
const KEEP_ALIVE_MS = 10 * SECOND_MS;
const SERVER_KEEP_ALIVE = {
  tcp_keepalives_idle: KEEP_ALIVE_MS / SECOND_MS,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
};

function timeouts(leaseMs: number | undefined): Record<string, number> {
  if (leaseMs === undefined) {
    return {
      lock_timeout: 10 * SECOND_MS,
      statement_timeout: BULK_STATEMENT_MS,
      idle_in_transaction_session_timeout: 60 * SECOND_MS,
    };
  }
  const third = Math.max(100, Math.floor(leaseMs / 3));
  return {
    lock_timeout: Math.min(300, third),
    statement_timeout: Math.min(5 * SECOND_MS, third),
    idle_in_transaction_session_timeout: Math.min(5 * SECOND_MS, third),
  };
}

/**
 * A pool whose sessions write values as the same text everywhere (UTC, ISO, shortest exact floats), never hold a
 * lock for long, and are refused instead of shown fewer rows where a policy would hide some. Throws nothing: the first query meets an unreachable server.
 */
export function connect(url: string, { applicationName, leaseMs, max = 10, patienceMs }: ConnectOptions): Pool {
  const settings = {
    TimeZone: 'UTC',
    DateStyle: 'ISO,YMD',
    IntervalStyle: 'postgres',
    extra_float_digits: 1,
    bytea_output: 'hex',
    row_security: 'off',
    // What was answered must outlive a crash, whatever the server's own sessions risk.
    synchronous_commit: 'on',
    ...timeouts(leaseMs),
    ...SERVER_KEEP_ALIVE,
  };
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const { connectionString, theirs } = takeOptions(url);
  const pool = new Pool({
    connectionString,
    application_name: applicationName.slice(0, 63),
    options: [...theirs, ...ours].join(' '),
    max,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: 10 * SECOND_MS,
    ...(patienceMs === undefined ? {} : { query_timeout: patienceMs }),
  });
  // An idle client whose server died is dropped by the pool; the next query opens a new one or fails with a fault.
  pool.on('error', () => undefined);
  // One that is handed out reports it too, be it in the same packet as that it is ready; without a listener the process would end.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** What we set ourselves: the driver, or the server, would take a URL's instead. */
const OURS = ['application_name', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'];

/** The driver would take a URL's `options` (often a search path) instead of ours: they come first, and ours decide. */
function takeOptions(url: string): { connectionString: string; theirs: string[] } {
  if (!isPostgresUrl(url)) return { connectionString: url, theirs: [] };
  const parsed = new URL(url);
  const theirs = parsed.searchParams.getAll('options');
  const taken = ['options', ...OURS].filter((name) => parsed.searchParams.has(name));
  if (taken.length === 0) return { connectionString: url, theirs };
  for (const name of taken) parsed.searchParams.delete(name);
  return { connectionString: parsed.toString(), theirs };
}

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
}

/**
 * Runs `body` in one transaction: commits when it resolves, rolls back when it throws. Errors of PostgreSQL come out as
 * SystemFault; everything else as it was thrown. A commit whose answer was lost is a retryable fault: ask the fence.
 */
export async function withTransaction<T>(
  pool: Pool,
  options: TransactionOptions,
  body: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toSystemFault(error);
  });
  let broken = false;
  try {
    await client.query(
      `begin isolation level ${options.isolation ?? 'read committed'}${options.readOnly ? ' read only' : ''}`,
    );
    const result = await body(client);
    await client.query('commit');
    return result;
  } catch (error) {
    broken = !(await rollBack(client));
    throw isDatabaseError(error) ? toSystemFault(error) : error;
  } finally {
    client.release(broken);
  }
}

/**
 * Whether the session answered. One that was left with rows nobody reads, or whose way is cut without a word, answers nothing
 * any more: it is closed, and the server rolls back.
 */
async function rollBack(client: PoolClient): Promise<boolean> {
  const answered = client.query('rollback').then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(ROLLBACK_MS, false, { ref: false })]);
}

/** What a PostgreSQL error may say to others: its code and the names of things, never a value of a row. */
class SqlError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'SqlError';
  }
}

/** Host and port of a failed connection, when the driver says them. */
function placeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { address, port, hostname } = (first ?? {}) as { address?: unknown; port?: unknown; hostname?: unknown };
  if (typeof hostname === 'string') return ` at ${hostname}`;
  return typeof address === 'string' && typeof port === 'number' ? ` at ${address}:${port}` : '';
}

/** What every URL of a database looks like; anything else is taken for a host's name by the driver. */
export const isPostgresUrl = (url: string): boolean => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url);

interface ErrorLike {
  code?: unknown;
  message?: string;
  where?: string;
  schema?: unknown;
  table?: unknown;
  column?: unknown;
  constraint?: unknown;
  severity?: unknown;
  cause?: unknown;
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const RETRYABLE = new Set([
  '40001',
  '40P01',
  '55P03',
  '57P01',
  '57P02',
  '57P03',
  '57P04',
  '57P05',
  '57014',
  '25P03',
  '25P04',
]);
/** Classes whose messages name tables, columns, roles and settings only, or are our own. */
const SPEAKING = new Set([
  '08',
  '0A',
  '25',
  '26',
  '28',
  '2B',
  '34',
  '3D',
  '3F',
  '40',
  '42',
  '53',
  '54',
  '55',
  '57',
  '58',
  'CU',
  'XX',
]);
const LOST = /connection terminated|timeout exceeded when trying to connect|connection ended|not queryable/i;

/** The SQLSTATE (or network code) behind an error or a fault, if there is one. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, cause } = error as ErrorLike;
  return typeof code === 'string' ? code : sqlStateOf(cause);
}

export function isDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof SystemFault) return false;
  const { code, severity } = error as ErrorLike;
  return (typeof code === 'string' && (NETWORK.has(code) || typeof severity === 'string')) || LOST.test(error.message);
}

/**
 * The fault behind an error of the driver. Retryable: lost connections, serialization failures, deadlocks, lock
 * timeouts, shutdowns, no resources. PostgreSQL's `detail`, `where` and the messages of data errors hold values of rows
 * and are dropped. The cause keeps the SQLSTATE (`sqlStateOf`).
 */
export function toSystemFault(error: unknown): SystemFault {
  if (error instanceof SystemFault) return error;
  const { code, message, where, schema, table, column, constraint } = (error ?? {}) as ErrorLike;
  if (typeof code !== 'string' || NETWORK.has(code)) {
    const lost = typeof code === 'string' || (typeof message === 'string' && LOST.test(message));
    const name = typeof code === 'string' ? code : lost ? 'CONNECTION_LOST' : 'UNKNOWN';
    const at = placeOf(error);
    return new SystemFault(
      lost ? `the database${at} cannot be reached (${name})` : 'the database client failed',
      lost,
      {
        cause: new SqlError(name, name),
      },
    );
  }
  const group = code.slice(0, 2);
  const at = [schema, table, column, constraint].filter((part) => typeof part === 'string').join('.');
  // What a function of the system itself puts into words may have values of rows in it; a COPY has the server's words.
  const known = where === undefined || where.startsWith('COPY ') || message?.startsWith('cutover: ');
  const said = SPEAKING.has(group) && known && message !== undefined ? `: ${message}` : '';
  const text = `PostgreSQL error ${code}${at ? ` at ${at}` : ''}${said}`;
  const retryable = RETRYABLE.has(code) || group === '08' || group === '53';
  return new SystemFault(text, retryable, { cause: new SqlError(code, text) });
}
