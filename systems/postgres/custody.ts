import type { Pool } from 'pg';
import type { WaveState } from '../../domain/custody';
import { SystemFault, type CustodyPort, type Stale, type WaveRow } from '../ports';
import { setTimeout as sleep } from 'node:timers/promises';
import { sqlStateOf, toSystemFault, withTransaction } from './connect';
import { DEADLOCK, LOCK_NOT_AVAILABLE, patiently } from './patience';

/** How long a freeze goes on trying before it names who is in its way. */
const FREEZE_PATIENCE_MS = 5_000;
/** Others wait for an apply pass or for refused writers, never for long. */
const CALL_PATIENCE_MS = 15_000;

export interface CustodyOptions {
  freezePatienceMs?: number;
  callPatienceMs?: number;
}

interface Answers {
  freeze: { outcome: 'frozen'; frozenAt: string; leaseUntil: string } | { outcome: 'sealed' } | Stale;
  renew: { outcome: 'renewed'; leaseUntil: string } | { outcome: 'lapsed' | 'limit' | 'not-frozen' } | Stale;
  thaw: { outcome: 'thawed' | 'sealed' | 'not-frozen' } | Stale;
  seal: Awaited<ReturnType<CustodyPort['seal']>>;
  raise: { outcome: 'done' } | Stale;
  open: { outcome: 'done' | 'members-differ' } | Stale;
}

/**
 * Custody over schema `cutover` of one PostgreSQL database. `pool` is one of `connect(url, {leaseMs})`. Every method is
 * safe to repeat when its answer was lost.
 */
export function postgresCustody(
  pool: Pool,
  { freezePatienceMs = FREEZE_PATIENCE_MS, callPatienceMs = CALL_PATIENCE_MS }: CustodyOptions = {},
): CustodyPort {
  const call = <K extends keyof Answers>(
    name: K,
    args: readonly unknown[],
    budgetMs = callPatienceMs,
  ): Promise<Answers[K]> =>
    patiently(budgetMs, async (patienceMs) => {
      const holes = [...args, patienceMs].map((_, index) => `$${index + 1}`).join(', ');
      const done = await pool.query<{ answer: Answers[K] }>(`select cutover.${name}(${holes}) as answer`, [
        ...args,
        patienceMs,
      ]);
      const answer = done.rows[0]?.answer;
      if (!answer) throw new SystemFault(`cutover.${name} gave no answer`, false);
      return answer;
    });

  return {
    wave: (wave) => readWave(pool, wave),
    raise: async (wave, epoch) => {
      try {
        return await call('raise', [wave, epoch], callPatienceMs / 3);
      } catch (error) {
        if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
        await endHolders(pool, wave, epoch);
        return call('raise', [wave, epoch]);
      }
    },
    freeze: async (wave, epoch, leaseMs) => {
      try {
        const answer = await call('freeze', [wave, epoch, leaseMs], freezePatienceMs);
        if (answer.outcome !== 'frozen') return answer;
        return { outcome: 'frozen', frozenAt: new Date(answer.frozenAt), leaseUntil: new Date(answer.leaseUntil) };
      } catch (error) {
        if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE && sqlStateOf(error) !== DEADLOCK) throw error;
        return { outcome: 'blocked', blockers: await blockersOf(pool, wave) };
      }
    },
    renew: async (wave, epoch, leaseMs, notAfter) => {
      const answer = await call('renew', [wave, epoch, leaseMs, notAfter]);
      return answer.outcome === 'renewed' ? { outcome: 'renewed', leaseUntil: new Date(answer.leaseUntil) } : answer;
    },
    thaw: (wave, epoch) => call('thaw', [wave, epoch]),
    seal: (wave, epoch, applied) => call('seal', [wave, epoch, applied]),
    open: (wave, epoch, members) => call('open', [wave, epoch, members ?? null]),
    moveMembers: (customers, to, fences) =>
      patiently(callPatienceMs, async (patienceMs) => {
        const done = await pool.query<{ moved: number }>('select cutover.move_members($1, $2, $3, $4) as moved', [
          customers,
          to,
          fences ? JSON.stringify(fences) : null,
          patienceMs,
        ]);
        return { moved: done.rows[0]?.moved ?? 0 };
      }),
  };
}

/** What the sessions that move data call themselves. */
export const DATA_SESSIONS = 'cutover data';

const HOLDER_SHOWS_MS = 500;
const HOLDERS_END_MS = 6_000;

/**
 * Ends our own sessions that hold the fence of a wave below the epoch it is raised to: whatever they do is void from then on, and one whose
 * process stands still in the middle of a COPY would hold it for ever, since PostgreSQL heeds no timeout while it reads rows from a client.
 */
async function endHolders(pool: Pool, wave: number, epoch: number): Promise<void> {
  await withTransaction(pool, {}, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `select pg_backend_pid() as pid, set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`,
      [`${HOLDER_SHOWS_MS * 3}ms`, `${HOLDERS_END_MS}ms`],
    );
    const key = `wave/${wave}`;
    const over = new AbortController();
    const lock = client.query('select from cutover.fence where key = $1 for update', [key]);
    const waiting = lock.finally(() => over.abort());
    const ending = async (): Promise<void> => {
      // A chunk's transaction shares the fence with others, and is waited for one after the other.
      while (!over.signal.aborted) {
        await sleep(HOLDER_SHOWS_MS);
        await pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where pid = any (pg_blocking_pids($1)) and usename = current_user and starts_with(application_name, $2)
             and (select epoch from cutover.fence where key = $3) < $4`,
          [rows[0]!.pid, DATA_SESSIONS, key, epoch],
        );
      }
    };
    const [locked] = await Promise.allSettled([waiting, ending()]);
    if (locked.status === 'rejected') throw locked.reason;
  });
}

/** Process ids with their application names, or global ids of prepared transactions. Without the query's text: it may hold values. */
async function blockersOf(pool: Pool, wave: number): Promise<string[]> {
  try {
    const found = await pool.query<{ blockers: string[] }>('select cutover.blockers($1) as blockers', [wave]);
    return found.rows[0]?.blockers ?? [];
  } catch (error) {
    throw toSystemFault(error);
  }
}

async function readWave(pool: Pool, wave: number): Promise<WaveRow> {
  interface Row {
    state: WaveState;
    lease_until: Date | null;
    epoch: string;
    refuses: boolean;
  }
  let row: Row | undefined;
  try {
    const found = await pool.query<Row>(
      `select w.state, w.lease_until, f.epoch,
         w.state = 'sealed' or (w.state = 'frozen' and w.lease_until > clock_timestamp()) as refuses
       from cutover.wave w join cutover.fence f on f.key = 'wave/' || w.wave where w.wave = $1`,
      [wave],
    );
    row = found.rows[0];
  } catch (error) {
    throw toSystemFault(error);
  }
  if (!row) throw new SystemFault(`no wave ${wave} is known here`, false);
  return { wave, state: row.state, leaseUntil: row.lease_until, epoch: Number(row.epoch), refusesWrites: row.refuses };
}
