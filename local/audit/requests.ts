import type { Pool } from 'pg';
import type { Side } from '../../domain/custody';

/** How requests stand: the gateway's rows by key, and the effects each system recorded. */
export interface RequestStates {
  /** Key → held, forwarding, effected or refused. */
  control: Map<string, string>;
  effects: Record<Side, Map<string, string>>;
}

/** Reads all requests of a cutover and the effects in both systems (key → customer). */
export async function readRequests(
  pools: Record<Side, Pool>,
  control: Pool,
  cutover: string | undefined,
): Promise<RequestStates> {
  const rows = await control.query<{ key: string; state: string }>(
    'select idempotency_key as key, state from control.request where $1::text is null or cutover = $1',
    [cutover ?? null],
  );
  const effects = async (pool: Pool): Promise<Map<string, string>> => {
    const found = await pool.query<{ key: string; customer: string }>('select key, customer from cutover.effect');
    return new Map(found.rows.map((row) => [row.key, row.customer]));
  };
  return {
    control: new Map(rows.rows.map((row) => [row.key, row.state])),
    effects: { source: await effects(pools.source), target: await effects(pools.target) },
  };
}

export const isPending = (state: string | undefined): boolean => state === 'held' || state === 'forwarding';
