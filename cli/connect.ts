import type { Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { installControl } from '../systems/control/schema';
import { demandControlVersion, OtherControlVersion } from '../systems/control/schema-version';
import { connect, isPostgresUrl, sqlStateOf, toSystemFault } from '../systems/postgres/connect';
import { loadTemporalSettings, TemporalSettingsError } from '../workers/temporal-settings';
import { clientInterceptors } from '../workers/tracing';
import { whyUnreachable } from '../workers/why-unreachable';
import type { Environment } from './environment';
import { CliError, EXIT, refused, unreachable, usage } from './exit';

export interface TemporalClient {
  client: Client;
  connection: Connection;
  address: string;
  namespace: string;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A question about a run or a queue that is not answered by then is not waited for. */
export const ANSWERS_WITHIN_MS = 10_000;

/**
 * Connects as the stock `temporal` CLI does (workers/temporal-settings.ts). Throws a CliError that says why when no server
 * answers or lets us in. The packages are loaded here, late: commands that need no server start at once.
 */
export async function connectClient(env: Environment['all']): Promise<TemporalClient> {
  const { Client, Connection } = await import('@temporalio/client');
  const settings = await loadTemporalSettings(env).catch((error: unknown) => {
    throw error instanceof TemporalSettingsError ? usage(error.message, error.remedy) : error;
  });
  const { address, namespace } = settings;
  try {
    const connection = await Connection.connect({ ...settings.connection, connectTimeout: CONNECT_TIMEOUT_MS });
    const interceptors = { workflow: await clientInterceptors(env) };
    const client = new Client({ connection, namespace, dataConverter: settings.dataConverter, interceptors });
    return { client, connection, address, namespace, close: () => connection.close() };
  } catch (error) {
    const { said, remedy } = await whyUnreachable(settings, error);
    throw unreachable(said, remedy);
  }
}

/** Runs `body` with a connected client and closes it. */
export async function withTemporal<T>(
  cli: { env: Environment },
  body: (temporal: TemporalClient) => Promise<T>,
): Promise<T> {
  const temporal = await connectClient(cli.env.all);
  try {
    return await body(temporal);
  } finally {
    await temporal.close();
  }
}

/** The control database answers, but holds no schema `control`: a fresh stack, or CONTROL_URL names another database. */
class NoControl extends CliError {
  constructor() {
    super(
      EXIT.refused,
      'no cutover was ever kept in this database (CONTROL_URL)',
      'name the control database of your workers, or start a cutover: cutover start',
    );
    this.name = 'NoControl';
  }
}

/**
 * Runs `body` with the control database as it is: who only looks must leave nothing in a database that was named by mistake. Throws a
 * CliError when CONTROL_URL is not set, does not answer, or is of another build, and a NoControl when schema `control` is not there.
 */
export const withControl = <T>(cli: { env: Environment }, body: (control: Pool) => Promise<T>): Promise<T> =>
  onControl(cli, findControl, body);

/** As `withControl`, with schema `control` made where it is missing. Throws a CliError when the database is a source or target. */
export const withControlMade = <T>(cli: { env: Environment }, body: (control: Pool) => Promise<T>): Promise<T> =>
  onControl(cli, makeControl, body);

async function findControl(pool: Pool): Promise<void> {
  if (!(await demandControlVersion(pool))) throw new NoControl();
}

async function makeControl(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ system: boolean }>(`select to_regnamespace('cutover') is not null as system`);
  if (rows[0]?.system)
    throw refused(
      'CONTROL_URL names a system of a cutover (it has schema cutover)',
      'name an empty database of its own',
    );
  await installControl(pool);
}

async function onControl<T>(
  cli: { env: Environment },
  prepare: (control: Pool) => Promise<void>,
  body: (control: Pool) => Promise<T>,
): Promise<T> {
  const url = cli.env.CONTROL_URL;
  if (url === undefined)
    throw unreachable('CONTROL_URL is not set', 'set it to the URL of the control database (postgres://…)');
  if (!isPostgresUrl(url))
    throw usage('CONTROL_URL is not a PostgreSQL URL', 'write it as postgres://USER@HOST:PORT/DATABASE');
  const pool = connect(url, { applicationName: 'cutover cli', max: 4 });
  try {
    await prepare(pool).catch((error: unknown) => {
      throw controlTrouble(error, prepare === makeControl);
    });
    return await body(pool);
  } finally {
    await pool.end();
  }
}

function controlTrouble(error: unknown, writes: boolean): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof OtherControlVersion) return refused(error.said, error.remedy);
  if (['25006', '42501'].includes(sqlStateOf(error) ?? ''))
    return writes
      ? unreachable(
          `the control database cannot be written to (CONTROL_URL): ${reasonOf(error)}`,
          'name one that can, and a role that may create schema `control` there',
        )
      : unreachable(
          `the control database cannot be read (CONTROL_URL): ${reasonOf(error)}`,
          'name a role that may read and write schema `control` there',
        );
  return unreachable(
    `the control database does not answer: ${reasonOf(error)}`,
    'start it, or mend CONTROL_URL; `cutover doctor` looks at everything at once',
  );
}

/** As `withControl`, but goes on with null when the control database is not named, does not answer or keeps nothing; one of another build is refused here, too. */
export async function withControlIfThere<T>(
  cli: { env: Environment },
  body: (control: Pool | null) => Promise<T>,
): Promise<T> {
  let reached = false;
  try {
    return await withControl(cli, (control) => {
      reached = true;
      return body(control);
    });
  } catch (error) {
    if (reached || !(error instanceof CliError)) throw error;
    if (error.exitCode === EXIT.refused && !(error instanceof NoControl)) throw error;
    return body(null);
  }
}

/** An error in a line, without values: what a database says of its rows is left out, with its SQLSTATE for a name. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  if ('severity' in error) return toSystemFault(error).message;
  const code = (error as NodeJS.ErrnoException).code;
  return error.message.split('\n')[0] || code || error.name;
}
