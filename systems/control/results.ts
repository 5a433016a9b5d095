import type { Pool } from 'pg';
import { waveKey, waveOf } from './transaction';

export interface StepResult {
  cutover: string;
  wave: number | null;
  step: string;
  occurrence: number;
  kind: string;
  /** A JSON value: counts, digests, ids; no personal data. */
  result: unknown;
}

/** Keeps what a step found. A retry of the same occurrence replaces it. */
export async function saveResult(pool: Pool, result: StepResult): Promise<void> {
  await pool.query(
    `insert into control.result (cutover, wave, step, occurrence, kind, body) values ($1, $2, $3, $4, $5, $6)
     on conflict (cutover, wave, step, occurrence, kind) do update set body = excluded.body, at = clock_timestamp()`,
    [result.cutover, waveKey(result.wave), result.step, result.occurrence, result.kind, JSON.stringify(result.result)],
  );
}

/** Every saved result, in the order in which they were last written. */
export async function readResults(pool: Pool, cutover: string): Promise<(StepResult & { at: Date })[]> {
  const { rows } = await pool.query<{
    wave: number;
    step: string;
    occurrence: number;
    kind: string;
    body: unknown;
    at: Date;
  }>(
    `select wave, step, occurrence, kind, body, at from control.result where cutover = $1
     order by at, wave, step, occurrence, kind`,
    [cutover],
  );
  return rows.map(({ body, wave, ...row }) => ({ cutover, ...row, wave: waveOf(wave), result: body }));
}
