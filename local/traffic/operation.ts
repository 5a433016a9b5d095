import type { Side } from '../../domain/custody';
import type { EntityName, RowEffect } from './journal';
import type { Random } from './random';
import type { FoundRow, Rows } from './rows';

/** What an operation works on: an open transaction in one system. */
export interface OperationContext {
  rows: Rows;
  op: string;
  customer: string;
  random: Random;
  /** Products in the catalogue of this system, for contracts. */
  products: readonly string[];
  /** The row the operation was chosen for, locked; only with `needs`. */
  row?: FoundRow;
}

/** SQL over one side's own columns. */
export type PerSide = Record<Side, string>;

export interface Operation {
  /** The entity whose row must be there, and in what condition, for the operation to make sense. */
  needs?: { entity: EntityName; where: PerSide };
  /** Picks from customers traffic won itself and has not touched since. */
  ownCustomer?: true;
  /** Makes a customer of its own. */
  newCustomer?: true;
  /** Writes; answers the rows written, none when there was nothing to do. */
  run(context: OperationContext): Promise<RowEffect[]>;
}

export const both = (where: string): PerSide => ({ source: where, target: where });

/** `was` of a row that was found, when it carried a reference. */
export const carried = (row: FoundRow): { was?: string } => {
  const was = row.values['reference'];
  return was === null || was === undefined ? {} : { was };
};

export function found(context: OperationContext): FoundRow {
  if (!context.row) throw new Error('the operation was started without its row');
  return context.row;
}

/** Today as 'YYYY-MM-DD', `days` later. */
export const day = (days = 0): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
