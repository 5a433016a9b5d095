/**
 * The shape of every table and view a conversion reads or writes, as it was when the first copy began, and what differs now.
 * A shape is what decides which values there are, who else writes them, and where rows can hide: columns, triggers, rules,
 * tables that inherit or refer, row security, the definition of a view. Values that begin with # are digests.
 */
export const BASELINE = `
create table if not exists cutover.baseline (
  tab text primary key,
  relation text not null,
  shape jsonb not null
);

create or replace function cutover.shape_of(p_relation text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_object_agg(part, what), '{}') from (
    select 'column ' || a.attname as part,
      concat_ws(' ', format_type(a.atttypid, a.atttypmod), 'collate ' || nullif(c.collname, 'default'),
        case when a.attnotnull then 'not null' end, case when a.attidentity <> '' then 'identity' end,
        case when a.attgenerated <> '' then 'as ' || pg_get_expr(d.adbin, d.adrelid) end) as what
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_collation c on c.oid = a.attcollation
    where a.attrelid = to_regclass(p_relation) and a.attnum > 0 and not a.attisdropped
    union all
    select 'trigger ' || t.tgname, '#' || md5(concat_ws('|', t.tgenabled, pg_get_triggerdef(t.oid), f.prosrc, f.probin))
    from pg_trigger t join pg_proc f on f.oid = t.tgfoid
    where t.tgrelid = to_regclass(p_relation) and not t.tgisinternal and t.tgname not in ('cutover_guard', 'cutover_truncate')
    union all
    select 'rule ' || r.rulename, '#' || md5(concat_ws('|', r.ev_enabled, pg_get_ruledef(r.oid)))
    from pg_rewrite r where r.ev_class = to_regclass(p_relation)
    union all
    select 'inheriting table ' || i.inhrelid::regclass, 'there' from pg_inherits i where i.inhparent = to_regclass(p_relation)
    union all
    select 'referring table ' || k.conrelid::regclass, 'there'
    from pg_constraint k where k.contype = 'f' and k.confrelid = to_regclass(p_relation) group by k.conrelid
    union all
    select 'row security', concat_ws('/', '#', r.relrowsecurity, r.relforcerowsecurity) from pg_class r where r.oid = to_regclass(p_relation)
  ) parts
$$;

create or replace function cutover.keep_baseline(p_tabs text[], p_relations text[], p_anew boolean) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if p_anew then
    delete from cutover.baseline;
  end if;
  insert into cutover.baseline (tab, relation, shape)
    select tab, relation, cutover.shape_of(relation) from unnest(p_tabs, p_relations) kept (tab, relation)
    on conflict (tab) do nothing;
end
$$;

create or replace function cutover.drift() returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(finding order by finding), '{}') from (
    select b.tab || ': it is gone' as finding from cutover.baseline b where to_regclass(b.relation) is null
    union all
    select b.tab || ': ' || part || case
        when was is null then ' was added' || case when becomes like '#%' or becomes = 'there' then '' else ' (' || becomes || ')' end
        when becomes is null then ' was dropped'
        when was like '#%' then ' was changed'
        else ' was ' || was || ', is ' || becomes end
    from cutover.baseline b cross join lateral (
      select part, was, becomes from jsonb_each_text(b.shape) kept (part, was)
      full join jsonb_each_text(cutover.shape_of(b.relation)) found (part, becomes) using (part)) parts
    where to_regclass(b.relation) is not null and was is distinct from becomes
  ) found
$$;
`;
