import { statfs } from 'node:fs/promises';
import type { Pool } from 'pg';
import { bad, ok, warn, type Diagnosis } from '../doctor/finding';
import { span } from '../show/format';

/** A transaction this old holds up a freeze, and vacuum while rows are copied. */
const LONG_MS = 5 * 60_000;
/** What two workers, the gateway and a look now and then may open at once. */
const CONNECTIONS = 45;
const GIB = 1024 ** 3;

interface State {
  standby: boolean;
  readOnly: boolean;
  replication: string;
  superuser: boolean;
  role: string;
  free: number;
}

/** Whether a database can be written to as a move needs it, and who is in the way right now. */
export async function lookAtState(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<State>(
    `select pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') = 'on' as "readOnly",
       current_setting('session_replication_role') as replication, r.rolsuper as superuser, quote_ident(current_user) as role,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - (select count(*)::int from pg_stat_activity where backend_type is null or backend_type = 'client backend') as free
     from pg_roles r where r.rolname = current_user`,
  );
  const state = rows[0]!;
  const found: Diagnosis[] = [];
  if (state.standby) found.push(bad(what, 'this is a standby: nothing can be written', 'name the primary in its URL'));
  if (state.readOnly)
    found.push(
      bad(
        what,
        'transactions of this role are read-only',
        `alter role ${state.role} reset default_transaction_read_only;`,
      ),
    );
  if (state.replication !== 'origin')
    found.push(
      bad(
        what,
        `session_replication_role is ${state.replication}: triggers and foreign keys do not fire`,
        `alter role ${state.role} reset session_replication_role; (or alter database … reset …)`,
      ),
    );
  if (state.superuser)
    found.push(
      warn(what, 'the role is a superuser', 'make one that may do only what is needed: docs/database-roles.md'),
    );
  if (state.free < CONNECTIONS)
    found.push(
      warn(
        what,
        `only ${state.free} connections are free; two workers and the gateway may take ${CONNECTIONS}`,
        'raise max_connections, or end sessions that idle',
      ),
    );
  return [
    ...found,
    ...(await longTransactions(what, pool)),
    ...(await preparedTransactions(what, pool)),
    ...(await subscriptions(what, pool)),
  ];
}

async function longTransactions(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<{ pid: number; name: string; ageMs: number }>(
    `select pid, coalesce(nullif(application_name, ''), 'unnamed application') as name,
       (extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as "ageMs"
     from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       and xact_start < clock_timestamp() - $1 * interval '1 millisecond' order by xact_start`,
    [LONG_MS],
  );
  return rows.map(({ pid, name, ageMs }) =>
    warn(
      what,
      `pid ${pid} (${name}) has been in one transaction for ${span(ageMs)}: a freeze waits for it`,
      `end what it does, or select pg_terminate_backend(${pid});`,
    ),
  );
}

async function preparedTransactions(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<{ gid: string; ageMs: number }>(
    `select quote_literal(gid) as gid, (extract(epoch from clock_timestamp() - prepared) * 1000)::float8 as "ageMs"
     from pg_prepared_xacts where database = current_database() order by prepared`,
  );
  return rows.map(({ gid, ageMs }) =>
    warn(
      what,
      `transaction ${gid} was prepared ${span(ageMs)} ago and never ended: a freeze waits for it, and vacuum too`,
      `ask its owner, then: rollback prepared ${gid}; (or commit prepared ${gid};)`,
    ),
  );
}

async function subscriptions(what: string, pool: Pool): Promise<Diagnosis[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select subname::text as name from pg_subscription s join pg_database d on d.oid = s.subdbid
     where d.datname = current_database() and s.subenabled order by 1`,
  );
  return rows.map(({ name }) =>
    warn(
      what,
      `subscription ${name} writes here as replica: guards see its rows, the system's own triggers do not`,
      'see that it writes no mapped table, or stop it before the freeze: alter subscription … disable;',
    ),
  );
}

const isHere = (url: string): boolean => ['127.0.0.1', 'localhost', '[::1]', ''].includes(new URL(url).hostname);

/**
 * Free disk beside what is to be copied. It is known only where the server runs on this machine and says where its data lies; a database
 * cannot be asked.
 */
export async function lookAtDisk(what: string, pool: Pool, url: string, bytes: number): Promise<Diagnosis> {
  const needed = `${(bytes / GIB).toFixed(bytes < GIB ? 3 : 1)} GiB of tables and indexes are mapped`;
  const free = isHere(url) ? await freeBytes(pool) : null;
  if (free === null)
    return ok(what, `${needed}; free disk cannot be seen from here: have twice that free, the log of changes included`);
  const said = `${needed}; ${(free / GIB).toFixed(1)} GiB of disk are free`;
  return free < 2 * bytes
    ? bad(what, said, 'make room: have twice that free, the log of changes included')
    : ok(what, said);
}

/** Null when it may not be known. */
async function freeBytes(pool: Pool): Promise<number | null> {
  try {
    const { rows } = await pool.query<{ dir: string }>(`select current_setting('data_directory') as dir`);
    const { bavail, bsize } = await statfs(rows[0]?.dir ?? '');
    return bavail * bsize;
  } catch {
    return null;
  }
}
