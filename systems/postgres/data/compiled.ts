import type { Entity } from '../../../runbooks/schema/conversion';
import type { CatalogColumn, CatalogForeignKey, CatalogTable } from './catalog';

/** A target column and how it is made. Expressions are SQL, in parentheses where needed. */
export interface CompiledColumn {
  name: string;
  /** Built-in type the value travels as. */
  wire: string;
  /** `wire` with the target column's length or scale. */
  stored: string;
  /** Binary output function of `wire`, for digests. */
  send: string;
  /** Over the source row, `set` rules included, cast to `wire`. */
  forward: string;
  /** The way back: source column and expression over the target row. Absent: kept as residue. */
  back?: { into: string; sql: string };
}

/** How a secondary unique is kept from colliding inside one pass, where PostgreSQL cannot defer it. */
export interface Parking {
  columns: string[];
  /** The column set to null for a moment; null: the row is taken out and put in again. */
  column: string | null;
}

interface CompiledBase {
  id: string;
  entity: Entity;
  /** Entities whose rows exist before this one's: `after`, and foreign keys of the target. */
  after: string[];
  target: CatalogTable;
  targetKey: string[];
  targetCustomer: CatalogColumn;
  columns: CompiledColumn[];
  /** Foreign keys of the target table: rows wait for their parents during preload. */
  parents: CatalogForeignKey[];
  /** Other tables of the target point here, so rows go last in a pass. */
  hasChildren: boolean;
  parking: Parking[];
  /** The source relation with its alias's columns, before `where`; and the alias expressions are written against. */
  relation: string;
  alias: string;
  where: string | null;
  /** Columns of the source relation. */
  sourceColumns: CatalogColumn[];
  sourceCustomer: CatalogColumn;
  /** How customers are ordered, the same on both sides; `native` uses the columns' own order. */
  order: 'native' | 'bytes';
  /** On both sides `cutover.member` sorts like that too: a stretch of customers is a stretch of members. */
  membersAlike: boolean;
}

/** One source row makes one target row; the origin of a change is the source key. */
export interface RowEntity extends CompiledBase {
  kind: 'row';
  source: CatalogTable;
  sourceKey: string[];
  /** Target key columns over the source key columns alone. */
  keyForward: string[];
  /** Source key columns over the target key columns alone. */
  keyBack: string[];
  /** Null where the key is carried unchanged. Over the source key columns alone: what holds where it can be mapped, and its columns as they come back. */
  roundTrip: { mappable: string[]; again: string[] } | null;
}

/** A query makes a set of target rows per customer; the origin of a change is the customer. */
export interface SetEntity extends CompiledBase {
  kind: 'set';
  changedBy: { table: CatalogTable; customer: string }[];
  /** Views the query reads these tables through. */
  views: { name: string; sql: string }[];
  back: { table: CatalogTable; key: string[]; query: string; columns: string[]; customer: string } | null;
}

export type CompiledEntity = RowEntity | SetEntity;

export interface CompiledReference {
  id: string;
  owner: 'source' | 'target';
  source: CatalogTable;
  target: CatalogTable;
  key: string;
  columns: { name: string; forward: string }[];
}

/** Entities in dependency order, parents first, with the SQL that moves them. */
export interface CompiledConversion {
  references: CompiledReference[];
  entities: CompiledEntity[];
}
