import type { Pool } from 'pg';
import { SCHEMA_VERSION } from '../../systems/postgres/sql/tables';
import { connect } from '../../systems/postgres/connect';
import { shapeFindings, triggersIntact } from '../../systems/postgres/schema';
import { reasonOf } from '../connect';
import { bad, gone, looked, ok, warn, type Diagnosis } from './finding';

/** The oldest PostgreSQL the guards and positions rely on. */
const OLDEST_POSTGRES = 150_000;

export interface SystemToLookAt {
  /** `source`, `target`, or another system of a runbook. */
  name: string;
  urlEnv: string;
  url: string | undefined;
}

type Look = (what: string, pool: Pool) => Promise<Diagnosis[]>;

/** Whether a system answers, how old it is, whether its schema `cutover` is ours, intact, and what is frozen there; then `more`. */
export async function lookAtSystem(
  system: SystemToLookAt,
  more: Look = () => Promise.resolve([]),
): Promise<Diagnosis[]> {
  const what = `${system.name} (${system.urlEnv})`;
  if (system.url === undefined)
    return [
      gone(
        what,
        `${system.urlEnv} is not set: no step that touches the ${system.name} can be looked after from here`,
        `set ${system.urlEnv} to the URL of the database (postgres://…)`,
      ),
    ];
  const pool = connect(system.url, { applicationName: 'cutover doctor', max: 2 });
  try {
    const server = await lookAtServer(what, pool);
    if (server.some((each) => each.unreachable)) return server;
    const schema = await looked(what, 'see the message', () => lookAtSchema(what, pool));
    return [...server, ...schema, ...(await looked(what, 'see the message', () => more(what, pool)))];
  } finally {
    await pool.end();
  }
}

export async function lookAtServer(what: string, pool: Pool): Promise<Diagnosis[]> {
  try {
    const { rows } = await pool.query<{ version: string; number: number }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
    );
    const { version, number } = rows[0] ?? { version: 'unknown', number: 0 };
    if (number < OLDEST_POSTGRES)
      return [
        bad(
          what,
          `PostgreSQL ${version} is too old for the guards: nothing is installed in it`,
          'PostgreSQL 15 or newer is needed',
        ),
      ];
    return [ok(what, `PostgreSQL ${version}`)];
  } catch (error) {
    return [
      gone(
        what,
        `does not answer: ${reasonOf(error)}; each step that needs it stands still and is tried again`,
        'start the database, or mend its URL and its password',
      ),
    ];
  }
}

async function lookAtSchema(what: string, pool: Pool): Promise<Diagnosis[]> {
  const installed = await pool.query<{ there: boolean }>(`select to_regclass('cutover.meta') is not null as there`);
  if (!installed.rows[0]?.there) return [ok(what, 'schema cutover is not installed yet: the first run does it')];
  const { rows } = await pool.query<{ version: number; side: string }>('select version, side from cutover.meta');
  const meta = rows[0];
  if (meta && meta.version !== SCHEMA_VERSION)
    return [
      bad(
        what,
        `schema cutover has version ${meta.version}, this program needs ${SCHEMA_VERSION}: it installs no guard over the other's`,
        'finish its cutover with the program that installed it, then drop the schema',
      ),
    ];
  const guarded = await pool.query('select from cutover.guarded limit 1');
  // Guards come with the preload: before it there is nothing to be intact.
  const tampered = guarded.rowCount ? await triggersIntact(pool) : [];
  return [
    ok(what, `schema cutover, version ${meta?.version ?? 'unknown'}, ${meta?.side ?? 'no side'}`),
    ...tampered.map((finding) =>
      bad(
        what,
        finding,
        'a switch is refused; roll back and start the wave anew: that puts the guard back and copies again',
      ),
    ),
    ...(await shapeFindings(pool)).map((finding) =>
      warn(what, finding, 'it changed after the copy began: see that the conversion still says what it should'),
    ),
    ...(await lookAtWaves(what, pool)),
  ];
}

async function lookAtWaves(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<{ wave: number; name: string; leftMs: number }>(
    `select wave, name, (extract(epoch from lease_until - clock_timestamp()) * 1000)::float8 as "leftMs"
     from cutover.wave where state = 'frozen' order by wave`,
  );
  return rows.map(({ wave, name, leftMs }) =>
    leftMs > 0
      ? warn(
          what,
          `wave ${wave} (${name}) is frozen; its lease ends in ${Math.ceil(leftMs / 1000)} s unless renewed`,
          'nothing to do while its run holds it: cutover status says until when',
        )
      : warn(
          what,
          `wave ${wave} (${name}) was frozen, but its lease lapsed ${Math.round(-leftMs / 1000)} s ago: writers pass`,
          'the run freezes it anew, or is going back: see cutover status',
        ),
  );
}
