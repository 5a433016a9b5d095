import type { Pool } from 'pg';
import { typeIn } from './affected';
import type { CompiledConversion, CompiledEntity } from './compiled';
import { saying } from './faults';
import { ident } from './names';
import type { Pair } from './pair';

const sequenceSql = (name: string): string => name.split('.').map(ident).join('.');

async function lastValue(pool: Pool, sequence: string): Promise<bigint> {
  const { rows } = await pool.query<{ last: string }>(`select last_value as last from ${sequenceSql(sequence)}`);
  return BigInt(rows[0]!.last);
}

/** Never backwards: a concurrent `nextval` near the old value stays below the new one. */
async function raiseTo(pool: Pool, sequence: string, value: bigint): Promise<void> {
  await pool.query(
    `select setval($1::regclass, $2::bigint) from ${sequenceSql(sequence)} where last_value < $2::bigint`,
    [sequenceSql(sequence), String(value)],
  );
}

/** Types whose highest key an index finds; the customers of a wave are frozen while it is asked. */
const WHOLE = /^pg_catalog\."?int[248]"?$/;

/** The highest number among an entity's source keys. Keys may carry letters (C0017): their digits count, and every row is read. */
async function highestKey(pool: Pool, entity: CompiledEntity): Promise<bigint> {
  const [table, key] =
    entity.kind === 'row' ? [entity.source, entity.sourceKey] : [entity.back?.table, entity.back?.key ?? []];
  const column = key.at(-1);
  if (!table || column === undefined) return 0n;
  const number = WHOLE.test(typeIn(table.columns, column))
    ? ident(column)
    : `nullif(regexp_replace(${ident(column)}::text, '\\D', '', 'g'), '')::numeric`;
  const { rows } = await pool.query<{ highest: string }>(
    `select coalesce(max(${number}), 0)::text as highest from ${table.sql}`,
  );
  return BigInt(rows[0]!.highest.split('.')[0]!);
}

/**
 * Before the target opens: its key sequences stand `startAbove` over the source's highest key, so that keys born on both
 * sides while both are live never meet. Idempotent; never moves a sequence back.
 */
export async function alignTargetSequences(pair: Pair, compiled: CompiledConversion): Promise<void> {
  for (const entity of compiled.entities) {
    const { sequence } = entity.entity.to;
    if (!sequence) continue;
    await saying(`sequence ${sequence.name}`, async () => {
      const highest = await highestKey(pair.source, entity);
      await raiseTo(pair.target, sequence.name, highest + BigInt(sequence.startAbove));
    });
  }
}

/**
 * Before custody returns to the source: its key sequences are moved past every key that came back. Where that happened,
 * they also pass the target's sequence, which then starts above them again, because other waves may still live there; what those take
 * between the two steps has half of that distance.
 */
export async function finishReturn(pair: Pair, compiled: CompiledConversion): Promise<void> {
  for (const entity of compiled.entities) {
    const { sourceSequence, to } = entity.entity;
    if (sourceSequence === undefined) continue;
    await saying(`sequence ${sourceSequence}`, async () => {
      const highest = await highestKey(pair.source, entity);
      if (highest <= (await lastValue(pair.source, sourceSequence))) return;
      const given = to.sequence ? await lastValue(pair.target, to.sequence.name) : 0n;
      const above = highest > given ? highest : given;
      const distance = BigInt(to.sequence?.startAbove ?? 0);
      if (to.sequence) await raiseTo(pair.target, to.sequence.name, above + distance);
      await raiseTo(pair.source, sourceSequence, above + distance / 2n);
    });
  }
}
