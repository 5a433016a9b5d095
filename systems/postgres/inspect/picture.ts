import type { CatalogTable } from '../data/catalog';

/** A table as `inspect` sees it. Names and numbers of the catalog only, no value of a row. */
export interface TablePicture extends CatalogTable {
  schema: string;
  /** Only an `ordinary` table can be guarded. */
  kind: 'ordinary' | 'partitioned' | 'inherited';
  /** Rows; null when they may not be counted. */
  rows: number | null;
  /** Triggers of the system's own, without those of foreign keys and of `cutover`. */
  triggers: string[];
  rowSecurity: boolean;
  /** Column: the sequence that numbers it. */
  sequences: Record<string, string>;
  /** Column: labels of its enum type. */
  labels: Record<string, string[]>;
  /** Column: how it is written in SQL, quoted where it must be. */
  quoted: Record<string, string>;
  /** Columns of each check constraint, and its definition. */
  checks: { columns: string[]; definition: string }[];
}

export interface ViewPicture {
  name: string;
  kind: 'view' | 'materialized view' | 'foreign table';
  /** Tables it reads. */
  reads: string[];
}

/** What one database holds, for the drafting of a conversion. */
export interface DatabasePicture {
  /** As in `server_version`. */
  version: string;
  /** As in `server_version_num`. */
  versionNumber: number;
  tables: TablePicture[];
  views: ViewPicture[];
  /** Sequences that number no column by themselves. */
  looseSequences: string[];
}
