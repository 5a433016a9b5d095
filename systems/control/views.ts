import type { Pool } from 'pg';
import type { ShownView } from '../../engine/view';
import { waveKey, waveOf } from './transaction';

/** Where in which history it was shown. */
export interface ShownAt {
  /** The first run of the chain this one continues. */
  chain: string;
  run: string;
  /** When that run began. */
  started: Date;
  /** Length of its history. */
  events: number;
}

/**
 * The newest view replaces those before it; one that comes late, from further back in the same run or from a run before, replaces
 * nothing. A run that was reset begins when the one before it began. Kept as `json`: `jsonb` refuses NUL and halves of surrogate
 * pairs, which somebody may write into a reason.
 */
export async function keepView(pool: Pool, { cutover, wave, kind, body }: ShownView, at: ShownAt): Promise<void> {
  await pool.query(
    `insert into control.view (cutover, wave, kind, chain, run, started, events, body)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (cutover, wave, kind) do update set chain = excluded.chain, run = excluded.run,
       started = excluded.started, events = excluded.events, body = excluded.body, at = clock_timestamp()
     where view.started is null or view.started < excluded.started
       or view.started = excluded.started and (view.run <> excluded.run or view.events <= excluded.events)`,
    [cutover, waveKey(wave), kind, at.chain, at.run, at.started, at.events, body],
  );
}

/** The last view of a run that ends: whatever is there gives way to it, and stays under the run that showed it. */
export async function keepLastView(pool: Pool, { cutover, wave, kind, body }: ShownView): Promise<void> {
  await pool.query(
    `insert into control.view (cutover, wave, kind, body) values ($1, $2, $3, $4)
     on conflict (cutover, wave, kind) do update set body = excluded.body, at = clock_timestamp()`,
    [cutover, waveKey(wave), kind, body],
  );
}

export interface KeptView {
  wave: number | null;
  kind: ShownView['kind'];
  /** Of the run that handed a view over last; null when none did, and only an end was kept. */
  chain: string | null;
  body: unknown;
}

/** What is kept of a cutover, its own (wave null) first, then by wave. */
export async function readViews(pool: Pool, cutover: string): Promise<KeptView[]> {
  const { rows } = await pool.query<KeptView & { wave: number }>(
    'select wave, kind, chain, body from control.view where cutover = $1 order by wave, kind',
    [cutover],
  );
  return rows.map((row) => ({ ...row, wave: waveOf(row.wave) }));
}
