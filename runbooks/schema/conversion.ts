import { z } from 'zod';
import { columnName, id, sql, tableName } from './common';

/** A target column: the expression over the source row, and how the source column comes back from the target row. */
const column = z.union([
  sql,
  z.strictObject({
    to: sql.describe('expression over the source row'),
    back: sql.optional().describe('expression over the target row that gives back the source column named by `into`'),
    into: columnName.optional().describe('the source column `back` writes; default: `to` when that is a bare column'),
    valid: sql.optional().describe('predicate over the source row; false or null quarantines the row'),
  }),
]);

const keyColumns = z.union([columnName, z.array(columnName).min(1)]);

const rule = z.strictObject({
  id,
  when: sql.describe('predicate over the source row'),
  then: z.union([
    z.literal('exclude').describe('the whole customer stays behind, with this rule as the reason'),
    z.strictObject({
      set: z.record(columnName, sql).describe('target column: expression used instead of the mapping'),
    }),
  ]),
  why: z.string().min(1),
});

const fromTable = z.strictObject({
  table: tableName,
  key: keyColumns.describe('primary key columns'),
  customer: columnName.describe('the column that names the customer the row belongs to'),
  where: sql.optional().describe('only rows for which this holds are moved'),
});

const fromQuery = z.strictObject({
  query: sql.describe('a query over the source; its rows are the target rows, before the columns are applied'),
  changedBy: z
    .record(tableName, columnName)
    .describe('table: its customer column; a change there replaces the customer’s set'),
  customer: columnName.describe('the output column that names the customer'),
});

const backQuery = z.strictObject({
  table: tableName.describe('the source table written'),
  key: keyColumns,
  customer: columnName.optional().describe('its customer column; default: the entity’s'),
  query: sql.describe('query over the relation `target` (the target rows of one customer set) giving source columns'),
});

const entity = z.strictObject({
  from: z.union([fromTable, fromQuery]),
  to: z.strictObject({
    table: tableName,
    key: keyColumns,
    customer: columnName.describe('the target column that names the customer'),
    sequence: z
      .strictObject({ name: tableName, startAbove: z.number().int().nonnegative().default(1_000_000) })
      .optional()
      .describe('the target’s key sequence starts this far above the source’s highest key, so that keys never collide'),
  }),
  after: z.array(id).optional().describe('entities whose rows must exist first (foreign keys)'),
  columns: z.record(columnName, column),
  rules: z.array(rule).optional(),
  back: backQuery.optional().describe('for a query: how the source rows come back'),
  sourceSequence: tableName.optional().describe('the source’s key sequence, moved past every key when custody returns'),
  residue: z
    .array(columnName)
    .min(1)
    .optional()
    .describe('target columns the source cannot express; a rollback loses them'),
  sent: sql
    .optional()
    .describe(
      'predicate over the source row: it is in the outside world already; the columns it reads mark it, on both sides',
    ),
});

const reference = z.strictObject({
  from: tableName,
  to: tableName,
  key: columnName.describe('key column in the target'),
  owner: z.enum(['source', 'target']).default('source'),
  columns: z.record(columnName, sql),
});

export const conversionSchema = z.strictObject({
  reference: z.record(id, reference).optional().describe('tables without a customer; copied before the entities'),
  entities: z.record(id, entity),
});

export type Conversion = z.output<typeof conversionSchema>;
export type Entity = Conversion['entities'][string];
export type EntityColumn = Entity['columns'][string];
export type ConversionRule = NonNullable<Entity['rules']>[number];
export type Reference = NonNullable<Conversion['reference']>[string];
