import type { Pool } from 'pg';
import type { Conversion } from '../../runbooks/schema/conversion';
import type { Plan } from '../../runbooks/schema/plan';
import type { Runbook } from '../../runbooks/schema/runbook';
import { demandControlVersion, OtherControlVersion } from '../../systems/control/schema-version';
import { connect, isPostgresUrl } from '../../systems/postgres/connect';
import type { Side } from '../../domain/custody';
import type { Cli } from '../cli';
import { bad, gone, looked, ok, type Diagnosis } from '../doctor/finding';
import { lookAtServer, lookAtSystem } from '../doctor/look-at-system';
import { lookAtFit } from './look-at-fit';
import { lookAtControlRights, lookAtRights, namedRelation } from './look-at-rights';
import { lookAtDisk, lookAtState } from './look-at-state';
import { usesOf } from './uses';

export interface LiveDocuments {
  runbook: Runbook;
  conversion: Conversion;
  plan: Plan | null;
}

/** Holds the documents against the databases they name: credentials, versions, rights, who is in the way, and what does not fit. */
export async function lookLive(cli: Cli, documents: LiveDocuments): Promise<Diagnosis[]> {
  const [control, source, target] = await Promise.all([
    lookAtControl(cli),
    lookAtSide(cli, documents, 'source'),
    lookAtSide(cli, documents, 'target'),
  ]);
  const found = [...control, ...source.found, ...target.found, ...(await otherSystems(cli, documents.runbook))];
  try {
    if (!source.pool || !target.pool) return found;
    const pair = { source: source.pool, target: target.pool };
    return [
      ...found,
      ...(await looked('conversion', 'give the rights named above first', () => lookAtFit(documents, pair))),
    ];
  } finally {
    await Promise.all([source.pool?.end(), target.pool?.end()]);
  }
}

async function lookAtControl(cli: Cli): Promise<Diagnosis[]> {
  const what = 'control (CONTROL_URL)';
  const url = cli.env.CONTROL_URL;
  if (url === undefined)
    return [gone(what, 'CONTROL_URL is not set', 'set it to the URL of an empty database (postgres://…)')];
  if (!isPostgresUrl(url)) return [notAUrl(what)];
  const pool = connect(url, { applicationName: 'cutover check', max: 1 });
  try {
    const server = await lookAtServer(what, pool);
    if (server.some((each) => each.unreachable)) return server;
    const rights = await looked(what, 'see the message', () => lookAtControlRights(what, pool));
    if (rights.some(({ verdict }) => verdict === 'bad')) return [...server, ...rights];
    return [...server, ...rights, ...(await looked(what, 'see the message', () => lookAtControlVersion(what, pool)))];
  } finally {
    await pool.end();
  }
}

async function lookAtControlVersion(what: string, pool: Pool): Promise<Diagnosis[]> {
  try {
    await demandControlVersion(pool);
    return [];
  } catch (error) {
    if (error instanceof OtherControlVersion) return [bad(what, error.said, error.remedy)];
    throw error;
  }
}

const notAUrl = (what: string): Diagnosis =>
  bad(what, 'it is not a PostgreSQL URL', 'write it as postgres://USER@HOST:PORT/DATABASE');

interface SeenSide {
  found: Diagnosis[];
  /** Null when it cannot be asked. */
  pool: Pool | null;
}

async function lookAtSide(cli: Cli, { runbook, conversion }: LiveDocuments, side: Side): Promise<SeenSide> {
  const urlEnv = runbook.systems[side]?.urlEnv ?? '';
  const what = `${side} (${urlEnv})`;
  const url = cli.env.all[urlEnv];
  if (url !== undefined && !isPostgresUrl(url)) return { found: [notAUrl(what)], pool: null };
  const system = await lookAtSystem({ name: side, urlEnv, url });
  if (url === undefined || system.some((each) => each.unreachable)) return { found: system, pool: null };
  const pool = connect(url, { applicationName: 'cutover check', max: 2 });
  const uses = usesOf(runbook, conversion, side);
  const found = [
    ...system,
    ...(await looked(what, 'see the message', () => lookAtState(what, pool))),
    ...(await looked(what, 'see the message', () => lookAtRights(what, pool, uses))),
    ...(await looked(what, 'see the message', async () => [
      await lookAtDisk(what, pool, url, await mappedBytes(pool, uses.tables)),
    ])),
  ];
  return { found, pool };
}

async function mappedBytes(pool: Pool, tables: readonly { table: string }[]): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 as bytes
     from unnest($1::text[]) t join pg_class c on ${namedRelation('t')}`,
    [tables.map(({ table }) => table)],
  );
  return rows[0]?.bytes ?? 0;
}

/** What is reached over HTTP or a broker is only asked for its variable: a call could set something going. */
async function otherSystems(cli: Cli, runbook: Runbook): Promise<Diagnosis[]> {
  const others = Object.entries(runbook.systems).filter(([name]) => name !== 'source' && name !== 'target');
  const looks = others.map(async ([name, { adapter, urlEnv }]): Promise<Diagnosis[]> => {
    const [what, url] = [`${name} (${urlEnv})`, cli.env.all[urlEnv]];
    if (adapter === 'postgres')
      return isPostgresUrl(url ?? 'postgres://') ? lookAtSystem({ name, urlEnv, url }) : [notAUrl(what)];
    if (url !== undefined) return [ok(what, `${urlEnv} is set; it is not called`)];
    return [
      bad(what, `${urlEnv} is not set`, `set ${urlEnv} to the URL of the ${adapter} system, for the workers too`),
    ];
  });
  return (await Promise.all(looks)).flat();
}
