import type { PoolClient } from 'pg';
import { SystemFault } from '../ports';

/** Raised with every change of the tables of schema `control` (schema-core.ts, schema-work.ts). */
export const CONTROL_VERSION = 2;

/** Which version the tables have: one row, written by the transaction that makes them. */
export const VERSION_DDL = `
create table control.meta (
  only_row boolean primary key default true check (only_row),
  version int not null);
insert into control.meta (version) values (${CONTROL_VERSION});
`;

/** The control database was made by another build of the program. Its message is `said`, then `remedy`. */
export class OtherControlVersion extends SystemFault {
  constructor(
    readonly said: string,
    readonly remedy: string,
  ) {
    super(`${said}: ${remedy}`, false);
    this.name = 'OtherControlVersion';
  }
}

interface Found {
  /** Server and database; nothing of the role or its password. */
  name: string;
  meta: boolean;
  tables: boolean;
}

/**
 * Whether schema `control` is there in this program's version; false when it has no tables at all. Throws an
 * OtherControlVersion when it is older, newer, or of a build that kept no version.
 *
 * Tables of another version are refused, not altered: workers of the build that made them may be at work, their statements know
 * neither the new columns nor what to write there, and of rows they wrote nobody knows afterwards what a new column should hold.
 */
export async function demandControlVersion(client: Pick<PoolClient, 'query'>): Promise<boolean> {
  const { rows } = await client.query<Found>(
    `select coalesce(host(inet_server_addr()) || ':' || inet_server_port() || '/', '') || current_database() as name,
       exists (select from pg_class where relnamespace = to_regnamespace('control') and relname = 'meta') as meta,
       exists (select from pg_class where relnamespace = to_regnamespace('control')) as tables`,
  );
  const { name, meta, tables } = rows[0]!;
  if (!tables) return false;
  const kept = meta ? await client.query<{ version: number }>('select version from control.meta') : null;
  const version = kept?.rows[0]?.version;
  if (version === CONTROL_VERSION) return true;
  const found = version === undefined ? 'schema control has no version' : `schema control has version ${version}`;
  throw new OtherControlVersion(
    `control database ${name}: ${found}, this program needs ${CONTROL_VERSION}`,
    'finish its open cutovers with the build that began them; for the next one drop schema cutover in source and target and set CONTROL_URL to a new, empty database',
  );
}
