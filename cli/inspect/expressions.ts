import type { CatalogColumn } from '../../systems/postgres/data/catalog';
import type { TablePicture } from '../../systems/postgres/inspect/picture';

/** How one column becomes another, both ways. SQL as a conversion holds it. */
export interface ColumnDraft {
  target: string;
  to: string;
  back?: string;
  /** Only where `to` is not the bare column. */
  into?: string;
  valid?: string;
  /** What a person should know or decide. */
  note?: string;
}

const INTEGERS: Readonly<Record<string, string>> = { int2: 'smallint', int4: 'integer', int8: 'bigint' };
const NUMBERS = ['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'];
const TEXTS = ['text', 'varchar', 'bpchar', 'citext', 'name'];
const TIMES = ['date', 'timestamp', 'timestamptz'];

const bare = (wire: string | null): string => (wire ?? '').replace(/^pg_catalog\./, '').replaceAll('"', '');
const isText = (column: CatalogColumn): boolean => TEXTS.includes(bare(column.wire));

/** Whether values of one type can become the other without a person's word. */
export function convertible(source: CatalogColumn, target: CatalogColumn): boolean {
  const [from, to] = [bare(source.wire), bare(target.wire)];
  if (from === '' || to === '') return false;
  if (from === to) return true;
  const family = [NUMBERS, TEXTS, TIMES].some((types) => types.includes(from) && types.includes(to));
  if (family) return true;
  if (isText(source) && to !== 'bool') return true;
  if (isText(target)) return from !== 'bool';
  return to === 'bool' && from in INTEGERS;
}

/** The draft of a column pair that is convertible. `validates`: the server knows `pg_input_is_valid` (PostgreSQL 16). */
export function draftColumn(
  from: { table: TablePicture; column: CatalogColumn },
  to: { table: TablePicture; column: CatalogColumn },
  validates: boolean,
): ColumnDraft {
  const { column: source } = from;
  const { column: target } = to;
  const name = from.table.quoted[source.name] ?? source.name;
  const back = to.table.quoted[target.name] ?? target.name;
  const plain = name === source.name;
  const checks = limits(name, source, target, to.table.labels[target.name]);
  const base = { target: target.name, back };
  const bareDraft: ColumnDraft = { ...base, to: name, ...(plain ? {} : { into: source.name }) };
  const [was, becomes] = [bare(source.wire), bare(target.wire)];
  if (was !== becomes && isText(source) && !isText(target)) return textDraft(base, name, source, target, validates);
  if (becomes === 'bool' && was !== 'bool')
    return { ...base, to: `${name} <> 0`, back: `case when ${back} then 1 else 0 end`, into: source.name };
  const valid = validOf(name, source, target, checks);
  const note = noteOf(was, becomes);
  return { ...bareDraft, ...(valid === undefined ? {} : { valid }), ...(note === undefined ? {} : { note }) };
}

/** Text that holds numbers, dates and the like. */
function textDraft(
  base: { target: string; back: string },
  name: string,
  source: CatalogColumn,
  target: CatalogColumn,
  validates: boolean,
): ColumnDraft {
  const type = target.stored;
  const trimmed = `btrim(${name})`;
  const empty = target.notNull ? [] : [`${name} is null`, `${trimmed} = ''`];
  const valid = [...empty, `pg_input_is_valid(${trimmed}, '${type}')`].join(' or ');
  return {
    ...base,
    to: target.notNull ? `${trimmed}::${type}` : `nullif(${trimmed}, '')::${type}`,
    into: source.name,
    ...(validates
      ? { valid }
      : {
          note: 'text: add a `valid` predicate, so that a value that is none excludes its customer instead of stopping the copy',
        }),
  };
}

/** Predicates a value must meet to fit the target column; empty when all do. */
function limits(name: string, source: CatalogColumn, target: CatalogColumn, labels: string[] | undefined): string[] {
  const found: string[] = [];
  if (labels) found.push(`${name}::text in (${labels.map((label) => `'${label.replaceAll("'", "''")}'`).join(', ')})`);
  const length = /^character(?: varying)?\((\d+)\)$/.exec(target.stored)?.[1];
  if (length !== undefined && source.stored !== target.stored && !isShorter(source, Number(length)))
    found.push(`length(${name}::text) <= ${length}`);
  const [was, becomes] = [bare(source.wire), bare(target.wire)];
  const bits: Readonly<Record<string, [string, string]>> = {
    int2: ['-32768', '32767'],
    int4: ['-2147483648', '2147483647'],
  };
  const range = bits[becomes];
  if (range && NUMBERS.includes(was) && was !== becomes && !(was === 'int2' && becomes === 'int4'))
    found.push(`${name} between ${range[0]} and ${range[1]}${was in INTEGERS ? '' : ` and ${name} = trunc(${name})`}`);
  const scale = /^numeric\((\d+),(\d+)\)$/.exec(target.stored);
  if (scale && source.stored !== target.stored && was === 'numeric')
    found.push(`scale(${name}) <= ${scale[2]} and abs(${name}) < 1e${Number(scale[1]) - Number(scale[2])}`);
  return found;
}

const isShorter = (source: CatalogColumn, length: number): boolean => {
  const own = /^character(?: varying)?\((\d+)\)$/.exec(source.stored)?.[1];
  return own !== undefined && Number(own) <= length;
};

function validOf(name: string, source: CatalogColumn, target: CatalogColumn, checks: string[]): string | undefined {
  const nullable = !source.notNull;
  if (checks.length === 0) return nullable && target.notNull ? `${name} is not null` : undefined;
  const all = checks.length === 1 ? checks[0]! : checks.map((check) => `(${check})`).join(' and ');
  return nullable && !target.notNull ? `${name} is null or (${all})` : all;
}

function noteOf(was: string, becomes: string): string | undefined {
  if (was === becomes) return undefined;
  if (was === 'timestamptz' || becomes === 'timestamptz') return 'taken as UTC: write `at time zone` for another zone';
  if (becomes === 'date') return 'the time of day is dropped';
  if (was.startsWith('float') || becomes.startsWith('float')) return 'not exact: decide how it is rounded';
  return undefined;
}
