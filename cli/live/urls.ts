import { isPostgresUrl } from '../../systems/postgres/connect';
import type { Cli } from '../cli';
import { unreachable, usage } from '../exit';

/** The PostgreSQL URL in an environment variable, which is never printed. Throws a CliError that names the variable. */
export function postgresUrl(cli: Cli, variable: string): string {
  const url = cli.env.all[variable];
  if (url === undefined)
    throw unreachable(`${variable} is not set`, `set ${variable} to the URL of the database (postgres://…)`);
  if (!isPostgresUrl(url))
    throw usage(`${variable} is not a PostgreSQL URL`, 'write it as postgres://USER@HOST:PORT/DATABASE');
  return url;
}
