import type { TablePicture } from '../../systems/postgres/inspect/picture';
import type { TablePair } from './match';
import type { Owners } from './owners';

/** A table that takes no part in the draft, and why. */
export interface LeftOut {
  source?: string;
  target?: string;
  why: string;
  remedy: string;
  rows: number | null;
}

const PLAIN = /^[a-z_][a-z0-9_]*$/;

/** Why a pair of tables cannot be moved as it is; null when it can. */
export function refusalOf({ source, target }: TablePair, owners: { source: Owners; target: Owners }): LeftOut | null {
  const from = owners.source.of.get(source.name)?.kind ?? 'nobody';
  const to = owners.target.of.get(target.name)?.kind ?? 'nobody';
  const why =
    refused(source, from !== 'nobody', 'source') ?? refused(target, true, 'target') ?? ofWhom(from, to, target);
  return why === null ? null : { source: source.name, target: target.name, ...why, rows: source.rows };
}

type Why = { why: string; remedy: string };

function refused(table: TablePicture, needsKey: boolean, side: string): Why | null {
  const named = [table.schema, table.bare, ...table.primaryKey].find((name) => !PLAIN.test(name));
  if (named !== undefined)
    return {
      why: `${named} of the ${side} is not written in lower case, and a conversion names lower case only`,
      remedy: `rename it (alter … rename to), with a view of the old name for who still uses it`,
    };
  if (table.kind !== 'ordinary')
    return {
      why: `${table.name} of the ${side} is ${table.kind}: guards stand on ordinary tables only`,
      remedy: 'move it by other means, or make it an ordinary table',
    };
  if (needsKey && table.primaryKey.length === 0)
    return {
      why: `${table.name} of the ${side} has no primary key: its rows could not be told apart, nor their changes followed`,
      remedy: `add one (alter table ${table.name} add primary key …), or leave it behind`,
    };
  return null;
}

function ofWhom(from: string, to: string, target: TablePicture): Why | null {
  if (from === 'nobody' && to !== 'nobody')
    return {
      why: 'its rows belong to a customer at the target and to nobody at the source',
      remedy: 'add a column that names the customer at the source, or write an entity with a `query`',
    };
  if (from !== 'nobody' && to === 'nobody')
    return {
      why: 'its rows belong to a customer at the source and to nobody at the target',
      remedy: 'add a column that names the customer at the target (alter table … add column …), and inspect again',
    };
  if (from === 'nobody' && target.primaryKey.length > 1)
    return {
      why: 'it belongs to no customer and its key has several columns: reference tables are found by one',
      remedy: 'fill it by other means before the first wave, or add a key of one column',
    };
  return null;
}
