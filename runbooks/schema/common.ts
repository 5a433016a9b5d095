import { z } from 'zod';

/** Ids appear in workflow ids, URLs and file names, so they are kept to one safe alphabet. */
export const id = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9-]{0,62}$/,
    'an id starts with a letter and holds letters, digits and dashes (63 at most)',
  );

/** ISO 8601 duration, e.g. `PT45M`, `P5D`. Years and months have no fixed length and are refused, and so is what no clock reaches. */
export const duration = z
  .string()
  .regex(
    /^P(?=\d|T\d)(\d{1,3}W)?(\d{1,4}D)?(T(?=\d)(\d{1,5}H)?(\d{1,6}M)?(\d{1,8}(\.\d+)?S)?)?$/,
    'an ISO 8601 duration such as PT45M or P5D',
  );

/** A table as `schema.table`, or `table` in the default schema. */
export const tableName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/, 'a table name such as legacy.customer, in lower case');

export const columnName = z.string().regex(/^[a-z_][a-z0-9_]*$/, 'a column name in lower case');

/** An SQL expression or query. It is code: reviewed, hashed with the runbook, run as it stands. */
export const sql = z.string().trim().min(1, 'an SQL expression');

export const envName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'the NAME of an environment variable, such as SOURCE_URL');

const UNIT_MS = { W: 604_800_000, D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 } as const;

/** Milliseconds of a duration this schema accepted. */
export function durationMs(text: string): number {
  const [days = '', time = ''] = text.slice(1).split('T');
  const sum = (part: string): number =>
    [...part.matchAll(/(\d+(?:\.\d+)?)([WDHMS])/g)].reduce(
      (total, [, count, unit]) => total + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS],
      0,
    );
  return sum(days) + sum(time);
}
