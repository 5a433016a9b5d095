import type { ClientBase } from 'pg';
import type { Side } from '../../domain/custody';
import type { EntityName } from './journal';
import { TABLES, type Table } from './tables';

type Value = string | number | boolean | null | Date;
export type Values = Record<string, Value>;

export interface FoundRow {
  key: string;
  customer: string;
  /** Logical columns as text; null stays null. */
  values: Record<string, string | null>;
}

const column = (table: Table, logical: string): string => {
  if (logical === 'key') return table.key;
  if (logical === 'customer') return table.customer;
  const name = table.columns[logical];
  if (name === undefined) throw new Error(`${table.table} has no column for ${logical}`);
  return name;
};

/** Plain SQL against one system, by logical entity and column names; one connection. */
export class Rows {
  constructor(
    readonly side: Side,
    readonly client: ClientBase,
  ) {}

  table(entity: EntityName): Table {
    return TABLES[this.side][entity];
  }

  /** The next key of the entity's sequence, as text. */
  async nextKey(entity: EntityName): Promise<string> {
    const { sequence, table } = this.table(entity);
    if (sequence === undefined) throw new Error(`${table} has no key sequence`);
    const result = await this.client.query<{ key: string }>('select nextval($1::regclass)::text as key', [sequence]);
    return result.rows[0]?.key ?? '';
  }

  async insert(entity: EntityName, values: Values): Promise<void> {
    const table = this.table(entity);
    const names = Object.keys(values).map((logical) => column(table, logical));
    const marks = names.map((_, index) => `$${index + 1}`);
    await this.client.query(
      `insert into ${table.table} (${names.join(', ')}) values (${marks.join(', ')})`,
      Object.values(values),
    );
  }

  /** Updates the rows that match; answers how many. */
  async update(entity: EntityName, match: Values, values: Values): Promise<number> {
    const table = this.table(entity);
    const sets = Object.keys(values).map((logical, index) => `${column(table, logical)} = $${index + 1}`);
    const where = this.matching(table, match, sets.length);
    const result = await this.client.query(`update ${table.table} set ${sets.join(', ')} where ${where}`, [
      ...Object.values(values),
      ...Object.values(match),
    ]);
    return result.rowCount ?? 0;
  }

  async remove(entity: EntityName, match: Values): Promise<number> {
    const table = this.table(entity);
    const result = await this.client.query(
      `delete from ${table.table} where ${this.matching(table, match, 0)}`,
      Object.values(match),
    );
    return result.rowCount ?? 0;
  }

  /** Rows of some customers that fulfil `where` (SQL over this side's columns). `lock` keeps them for this transaction. */
  async find(
    entity: EntityName,
    customers: readonly string[],
    where: string,
    options: { limit: number; lock?: boolean; key?: string },
  ): Promise<FoundRow[]> {
    const table = this.table(entity);
    const logical = Object.keys(table.columns);
    const list = logical.map((name) => `${column(table, name)}::text as "${name}"`);
    const byKey = options.key === undefined ? '' : ` and ${table.key}::text = $3`;
    const sql = `select ${[`${table.key}::text as "key"`, `${table.customer} as "customer"`, ...list].join(', ')}
      from ${table.table} where ${table.customer} = any($1) and (${where})${byKey} limit $2${options.lock ? ' for update' : ''}`;
    const values = [customers, options.limit, ...(options.key === undefined ? [] : [options.key])];
    const result = await this.client.query<Record<string, string | null>>(sql, values);
    return result.rows.map(({ key, customer, ...rest }) => ({
      key: key ?? '',
      customer: customer ?? '',
      values: rest,
    }));
  }

  private matching(table: Table, match: Values, offset: number): string {
    const parts = Object.keys(match).map((logical, index) => `${column(table, logical)} = $${offset + index + 1}`);
    if (parts.length === 0) throw new Error(`${table.table}: a write must name its rows`);
    return parts.join(' and ');
  }
}
