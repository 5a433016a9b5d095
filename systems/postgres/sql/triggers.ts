/**
 * What is checked at gates and before a seal: every guarded table still has its two triggers, always on, as installed
 * (PROTOCOL 6). The transactions that made them count too: a trigger that was off for a while and is on again was written by
 * another one, and whatever was written meanwhile is in no log.
 */
export const TAMPERING = `
create or replace function cutover.fingerprint(p_relation text, p_guard text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select md5(string_agg(concat_ws('|', t.oid, t.xmin, t.tgname, t.tgtype, t.tgattr, pg_get_triggerdef(t.oid), f.prosrc, f.prosecdef, f.proconfig),
    ';' order by t.tgname))
  from pg_trigger t join pg_proc f on f.oid = t.tgfoid
  where t.tgrelid = to_regclass(p_relation) and t.tgname in ('cutover_guard', 'cutover_truncate')
    and f.pronamespace = 'cutover'::regnamespace and f.proname in (p_guard, p_guard || '_t')
$$;

create or replace function cutover.tampering() returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(finding order by finding), '{}') from (
    select g.tab || ': the table is gone' as finding from cutover.guarded g where to_regclass(g.relation) is null
    union all
    select g.tab || ': its guard was changed, removed, or off for a while' from cutover.guarded g
      where to_regclass(g.relation) is not null
        and cutover.fingerprint(g.relation, g.guard) is distinct from g.fingerprint
        and not exists (select from pg_trigger t where t.tgrelid = to_regclass(g.relation)
          and t.tgname in ('cutover_guard', 'cutover_truncate') and t.tgenabled <> 'A')
    union all
    select g.tab || ': trigger ' || t.tgname || ' is not always enabled' from cutover.guarded g
      join pg_trigger t on t.tgrelid = to_regclass(g.relation)
      where t.tgname in ('cutover_guard', 'cutover_truncate') and t.tgenabled <> 'A'
    union all
    select 'no table is guarded' where not exists (select from cutover.guarded)
  ) f
$$;
`;

export interface GuardedTable {
  /** As the conversion names it, e.g. `legacy.customer`; logged as `change.tab`. */
  table: string;
  keyColumns: readonly string[];
  customerColumn: string;
}

/** Settings under which the text of a key reads back as the same value, whatever the writer's session says. */
const STEADY_TEXT = `set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
  set extra_float_digits = 1 set bytea_output = 'hex'`;

/** False in a transaction that vouches for its rows; see guarding. */
const NOT_VOUCHED = `current_setting('cutover.vouched', true) is distinct from pg_current_xact_id()::text`;

const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const keyOf = (row: string, columns: readonly string[]): string =>
  `array[${columns.map((column) => `${row}.${quoted(column)}::text`).join(', ')}]`;

/**
 * The trigger functions and triggers of one table. `relation` is quoted and schema-qualified; `steady` fixes the
 * session's text formats, which costs time and is only needed for keys of types whose text depends on them.
 */
export function guardSql(table: GuardedTable, relation: string, guard: string, steady: boolean): string {
  const tab = literal(table.table);
  const owner = (row: string): string => `${row}.${quoted(table.customerColumn)}::text`;
  const key = (row: string): string => keyOf(row, table.keyColumns);
  const settings = `security definer set search_path = pg_catalog, pg_temp ${steady ? STEADY_TEXT : ''}`;
  const log = (wave: string): string =>
    `insert into cutover.change (wave, tab, op, old_key, new_key, old_owner, new_owner)
        values (${wave}, ${tab}, 'U', ${key('old')}, ${key('new')}, ${owner('old')}, ${owner('new')});`;
  return `
create or replace function cutover.${guard}() returns trigger language plpgsql volatile ${settings} as $guard$
declare
  was int;
  becomes int;
begin
  if tg_op = 'INSERT' then
    becomes := cutover.admit(${owner('new')});
    if becomes is not null then
      insert into cutover.change (wave, tab, op, new_key, new_owner) values (becomes, ${tab}, 'I', ${key('new')}, ${owner('new')});
    end if;
  elsif tg_op = 'DELETE' then
    was := cutover.admit(${owner('old')});
    if was is not null then
      insert into cutover.change (wave, tab, op, old_key, old_owner) values (was, ${tab}, 'D', ${key('old')}, ${owner('old')});
    end if;
  else
    was := cutover.admit(${owner('old')});
    if ${owner('old')} is distinct from ${owner('new')} then
      becomes := cutover.admit(${owner('new')});
      if was <> becomes then
        ${log('becomes')}
      end if;
    end if;
    if was is not null then
      ${log('was')}
    end if;
  end if;
  return null;
end
$guard$;
create or replace function cutover.${guard}_t() returns trigger language plpgsql volatile ${settings} as $guard$
begin
  perform cutover.admit_truncate();
  insert into cutover.change (wave, tab, op, old_key, old_owner)
    select cutover.wave_of(${owner('t')}), ${tab}, 'D', ${key('t')}, ${owner('t')} from ${relation} t;
  return null;
end
$guard$;
create or replace trigger cutover_guard after insert or update or delete on ${relation}
  for each row when (${NOT_VOUCHED}) execute function cutover.${guard}();
create or replace trigger cutover_truncate before truncate on ${relation}
  for each statement execute function cutover.${guard}_t();
alter table ${relation} enable always trigger cutover_guard;
alter table ${relation} enable always trigger cutover_truncate;`;
}

/** Logs every row of a table, and every customer, as touched: rows deleted unseen show too. The caller keeps writers out. */
export const relogSql = ({ table, keyColumns, customerColumn }: GuardedTable, relation: string): string => {
  const [key, owner] = [keyOf('t', keyColumns), `t.${quoted(customerColumn)}::text`];
  return `insert into cutover.change (wave, tab, op, old_key, new_key, old_owner, new_owner)
    select cutover.wave_of(${owner}), ${literal(table)}, 'M', ${key}, ${key}, ${owner}, ${owner} from ${relation} t
    union all select m.wave, ${literal(table)}, 'M', null, null, m.customer, m.customer from cutover.member m`;
};
