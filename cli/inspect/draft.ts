import type { CatalogColumn } from '../../systems/postgres/data/catalog';
import type { DatabasePicture, TablePicture } from '../../systems/postgres/inspect/picture';
import { draftColumn, type ColumnDraft } from './expressions';
import { pairColumns, pairTables, type TablePair } from './match';
import { orderOf, type CircleKey } from './order';
import { findOwners, type Owners, type Ownership } from './owners';
import { refusalOf, type LeftOut } from './refusals';

/** What only a person can answer, or should look at. */
export interface Wishes {
  /** The tables of the customers; default: guessed. */
  customers?: string | undefined;
  targetCustomers?: string | undefined;
  /** Source table: target table. */
  pairs: ReadonlyMap<string, string>;
}

export interface PairDraft {
  id: string;
  source: TablePicture;
  target: TablePicture;
  columns: ColumnDraft[];
  /** Target columns that must have a value and have no counterpart. */
  missing: string[];
  /** The other target columns without a counterpart, and the source's. */
  idle: { source: string[]; target: string[] };
  /** `source.column -> target.column` of pairs that rest on little. */
  unsure: string[];
}

export interface EntityDraft extends PairDraft {
  sourceCustomer: string;
  targetCustomer: string;
  sequence: string | null;
  sourceSequence: string | null;
  after: string[];
}

export interface Draft {
  databases: { source: DatabasePicture; target: DatabasePicture };
  owners: { source: Owners; target: Owners };
  population: { from: string; key: string; target: { from: string; key: string } };
  references: PairDraft[];
  entities: EntityDraft[];
  leftOut: LeftOut[];
  /** Foreign keys among the source's tables, and among the target tables written, that lead back to where they begin. */
  circles: { source: CircleKey[]; target: CircleKey[] };
}

/** From PostgreSQL 16 on a text can be asked whether it would be a number. */
const VALIDATES = 160_000;

/** Drafts a conversion from two pictures. Null when on one side no table can be the customers; `side` says which. */
export function draftOf(
  source: DatabasePicture,
  target: DatabasePicture,
  wishes: Wishes,
): Draft | { noCustomers: 'source' | 'target' } {
  const owners = { source: findOwners(source, wishes.customers), target: findOwners(target, wishes.targetCustomers) };
  if (!owners.source) return { noCustomers: 'source' };
  if (!owners.target) return { noCustomers: 'target' };
  const found = { source: owners.source, target: owners.target };
  const databases = { source: withOwners(source, found.source), target: withOwners(target, found.target) };
  const leftOut: LeftOut[] = [];
  const pairs = pairTables(databases, found, wishes.pairs).filter((pair) => {
    const refused = refusalOf(pair, found);
    if (refused) leftOut.push(refused);
    return !refused;
  });
  const ordered = orderOf(pairs.map((pair) => pair.target));
  const inOrder = ordered.tables.map((name) => pairs.find((pair) => pair.target.name === name)!);
  const drafts = inOrder.map((pair) => draftPair(pair, found, inOrder, source.versionNumber >= VALIDATES));
  const isOwned = (draft: PairDraft): boolean => ownership(found, draft).source.kind !== 'nobody';
  const entities = drafts
    .filter(isOwned)
    .map((draft) => draftEntity(draft, found, drafts.filter(isOwned), ordered.circles));
  const unpaired = (side: 'source' | 'target', why: string, remedy: string): LeftOut[] =>
    databases[side].tables
      .filter(
        (table) => !pairs.some((pair) => pair[side] === table) && !leftOut.some((each) => each[side] === table.name),
      )
      .map((table) => ({ [side]: table.name, why, remedy, rows: table.rows }));
  return {
    databases,
    owners: found,
    population: {
      from: found.source.customers,
      key: found.source.key,
      target: { from: found.target.customers, key: found.target.key },
    },
    references: drafts.filter((draft) => !isOwned(draft)),
    entities,
    leftOut: [
      ...leftOut,
      ...unpaired(
        'source',
        'no table of the target is like it',
        'pair it with --pair SOURCE=TARGET, write a `query`, or leave it behind',
      ),
      ...unpaired(
        'target',
        'no table of the source is like it',
        'pair it with --pair SOURCE=TARGET, write a `query`, or let it be',
      ),
    ],
    circles: { source: orderOf(source.tables).circles, target: ordered.circles },
  };
}

const ownership = (owners: Draft['owners'], pair: TablePair): { source: Ownership; target: Ownership } => ({
  source: owners.source.of.get(pair.source.name) ?? { kind: 'nobody' },
  target: owners.target.of.get(pair.target.name) ?? { kind: 'nobody' },
});

/** Tables that name their customer through a parent get the column they lack: what follows takes it for there. */
function withOwners(database: DatabasePicture, owners: Owners): DatabasePicture {
  const key = database.tables
    .find(({ name }) => name === owners.customers)
    ?.columns.find(({ name }) => name === owners.key);
  const tables = database.tables.map((table) => {
    const owner = owners.of.get(table.name);
    if (!key || owner?.kind !== 'path') return table;
    const column: CatalogColumn = {
      ...key,
      name: owner.column,
      notNull: false,
      hasDefault: false,
      identityAlways: false,
    };
    return { ...table, columns: [...table.columns, column], quoted: { ...table.quoted, [owner.column]: owner.column } };
  });
  return { ...database, tables };
}

function draftPair(pair: TablePair, owners: Draft['owners'], pairs: TablePair[], validates: boolean): PairDraft {
  const { source, target } = pair;
  const made = pairColumns(pair, ownership(owners, pair), pairs);
  const at = (name: string): number => target.columns.findIndex((column) => column.name === name);
  const columns = made
    .map((each) =>
      draftColumn({ table: source, column: each.source }, { table: target, column: each.target }, validates),
    )
    .sort((left, right) => at(left.target) - at(right.target));
  const taken = new Set(made.map((each) => each.target.name));
  const free = target.columns.filter(({ name, generated }) => !taken.has(name) && !generated);
  const mustHave = free.filter(({ notNull, hasDefault }) => notNull && !hasDefault).map(({ name }) => name);
  return {
    id: target.bare.replaceAll('_', '-').replace(/^-+/, ''),
    source,
    target,
    columns,
    missing: mustHave,
    idle: {
      source: source.columns.map(({ name }) => name).filter((name) => !made.some((each) => each.source.name === name)),
      target: free.map(({ name }) => name).filter((name) => !mustHave.includes(name)),
    },
    unsure: made.filter((each) => each.likeness < 0.8).map((each) => `${each.source.name} -> ${each.target.name}`),
  };
}

function draftEntity(draft: PairDraft, owners: Draft['owners'], moved: PairDraft[], circles: CircleKey[]): EntityDraft {
  const { source, target } = draft;
  const owner = ownership(owners, draft);
  const after = target.foreignKeys
    .filter((key) => !circles.some((circle) => circle.table === target.name && circle.name === key.name))
    .flatMap((key) => moved.find((each) => each.target.name === key.parent)?.id ?? []);
  const numbering = (table: TablePicture): string | null => table.sequences[table.primaryKey.at(-1) ?? ''] ?? null;
  const sourceSequence = numbering(source);
  return {
    ...draft,
    sourceCustomer: owner.source.kind === 'nobody' ? '' : owner.source.column,
    targetCustomer: owner.target.kind === 'nobody' ? '' : owner.target.column,
    sequence: sourceSequence === null ? null : numbering(target),
    sourceSequence,
    after: [...new Set(after)],
  };
}
