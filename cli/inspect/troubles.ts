import type { TablePicture } from '../../systems/postgres/inspect/picture';
import type { Draft } from './draft';
import type { CircleKey } from './order';

/** Something of a database that would disturb the move, or that a person should know before. */
export interface Trouble {
  side: 'source' | 'target';
  where: string;
  what: string;
  remedy: string;
}

/** What stands in the way of a draft, in the order in which it should be looked at. */
export function troublesOf(draft: Draft): Trouble[] {
  const written = [...draft.references, ...draft.entities];
  const tables = { source: written.map((each) => each.source), target: written.map((each) => each.target) };
  return [
    ...draft.circles.target.map(circle),
    ...ownersTrouble(draft),
    ...tables.target.flatMap((table) => triggers('target', table)),
    ...tables.source.flatMap((table) => triggers('source', table)),
    ...(['source', 'target'] as const).flatMap((side) => tables[side].flatMap((table) => hiddenRows(side, table))),
    ...strangers(draft),
    ...tables.target.flatMap(notEmpty),
    ...numbers(draft),
  ];
}

export const keyText = ({ columns, parent, parentColumns }: Omit<CircleKey, 'name' | 'table'>): string =>
  `foreign key (${columns.join(', ')}) references ${parent} (${parentColumns.join(', ')})`;

const circle = (key: CircleKey): Trouble => ({
  side: 'target',
  where: key.table,
  what:
    key.table === key.parent
      ? `rows point at rows of the same table (${key.name}), which may not be there yet`
      : `${key.name} closes a circle of foreign keys: no order of the tables satisfies it`,
  remedy: `take it away while rows are copied: alter table ${key.table} drop constraint ${key.name} (target.sql has it, and how it comes back)`,
});

function ownersTrouble(draft: Draft): Trouble[] {
  return draft.entities.flatMap((entity) =>
    (['source', 'target'] as const).flatMap((side) => {
      const table = entity[side];
      const owner = draft.owners[side].of.get(table.name);
      const found: Trouble[] = [];
      const add = (what: string, remedy: string): void => void found.push({ side, where: table.name, what, remedy });
      if (owner?.kind === 'path')
        add(
          `no column names the customer; rows lead there through ${owner.path.map(({ key }) => key.parent).join(', ')}`,
          `run ${side}.sql: it adds ${owner.column}, fills it and keeps it filled`,
        );
      if (owner?.kind === 'column' && owner.by === 'name')
        add(`${owner.column} is taken for the customer by its name alone: no foreign key says so`, 'see that it is');
      if (owner?.kind === 'column' && owner.others.length > 0)
        add(
          `several columns name a customer; rows move with ${owner.column}, not with ${owner.others.join(', ')}`,
          'see that it is the right one',
        );
      const column = owner?.kind === 'column' ? table.columns.find(({ name }) => name === owner.column) : undefined;
      if (side === 'source' && column && !column.notNull)
        add(`${column.name} may be null: such rows move with the last wave`, 'see that it is meant');
      return found;
    }),
  );
}

const triggers = (side: 'source' | 'target', table: TablePicture): Trouble[] =>
  table.triggers.length === 0
    ? []
    : [
        {
          side,
          where: table.name,
          what:
            side === 'target'
              ? `${table.triggers.join(', ')} would fire for every row that is copied: what it changes is no longer what the mapping says`
              : `${table.triggers.join(', ')} would fire for every row a rollback brings back`,
          remedy:
            side === 'target'
              ? `see what it does; alter table ${table.name} disable trigger ${table.triggers[0]} until the first switch if it writes or changes rows`
              : 'see what it does, and that it may happen twice',
        },
      ];

const hiddenRows = (side: 'source' | 'target', table: TablePicture): Trouble[] =>
  table.rowSecurity
    ? [
        {
          side,
          where: table.name,
          what: 'row security hides rows: a copy that does not see them would lose them, and is refused instead',
          remedy:
            'let the role of the cutover own the table (as a member of its owner), without `force row level security`',
        },
      ]
    : [];

/** Foreign keys of what is written into what nobody fills. */
function strangers(draft: Draft): Trouble[] {
  const entities = new Set(draft.entities.map((each) => each.target.name));
  const references = new Set(draft.references.map((each) => each.target.name));
  const early = draft.references.flatMap(({ target }) =>
    target.foreignKeys
      .filter(({ parent }) => entities.has(parent))
      .map((key) => ({
        side: 'target' as const,
        where: target.name,
        what: `${key.name} points at ${key.parent}, which is copied after it`,
        remedy: `take the key away while rows are copied: alter table ${target.name} drop constraint ${key.name}`,
      })),
  );
  const unfilled = draft.entities.flatMap(({ target }) =>
    target.foreignKeys
      .filter(({ parent }) => !entities.has(parent) && !references.has(parent))
      .map((key) => ({
        side: 'target' as const,
        where: target.name,
        what: `${key.name} points at ${key.parent}, which the draft does not fill`,
        remedy: `pair ${key.parent} with a source table, or fill it before the first wave`,
      })),
  );
  return [...early, ...unfilled];
}

const notEmpty = (table: TablePicture): Trouble[] =>
  (table.rows ?? 0) === 0
    ? []
    : [
        {
          side: 'target',
          where: table.name,
          what: `it holds ${table.rows} rows already: their keys and unique values may meet those that come`,
          remedy: 'see whose they are; empty it, or make sure that the keys are others',
        },
      ];

/** Both sides give out keys while both live: without the source's sequence nobody can keep them apart. */
const numbers = (draft: Draft): Trouble[] =>
  draft.entities.flatMap(({ source, target, sequence }) => {
    const own = target.sequences[target.primaryKey.at(-1) ?? ''];
    if (own === undefined || sequence !== null) return [];
    return [
      {
        side: 'source' as const,
        where: source.name,
        what: `the target numbers its keys by ${own}, and no sequence is known that numbers those of the source`,
        remedy: 'name both under `to.sequence` and `sourceSequence`, or make sure that their keys never meet',
      },
    ];
  });
