import type { PoolClient } from 'pg';
import type { CatalogColumn, CatalogTable } from './catalog';
import type { Problems } from './problems';

/** What compiling an entity works with: both databases in open transactions, and where problems go. */
export interface CompileContext {
  source: PoolClient;
  target: PoolClient;
  problems: Problems;
  referenceTables: ReadonlySet<string>;
  /** Says how `cutover.member` sorts its customers at the source and the target. */
  memberCollations: readonly (string | null)[];
}

/** What is known of an entity's source before its columns are looked at. */
export interface SourceSide {
  relation: string;
  alias: string;
  where: string | null;
  columns: CatalogColumn[];
  customer: CatalogColumn;
  table: CatalogTable | null;
  changedBy: { table: CatalogTable; customer: string }[];
  /** Views a query reads. */
  views: { name: string; sql: string }[];
  /** Tables the mapping may read. */
  allowed: Set<string>;
}

export const columnOf = (columns: readonly CatalogColumn[], name: string): CatalogColumn | undefined =>
  columns.find((column) => column.name === name);

export const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name) => right.includes(name));
