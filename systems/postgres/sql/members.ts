import { WAVE_LOCK_CLASS } from './tables';

/**
 * Membership (PROTOCOL 3). A move takes the fences, then the exclusive locks of every wave involved, in ascending order;
 * it touches their rows so that a writer with an older snapshot is refused with 40001; and where the waves are owned it
 * logs every key of the customer for the old and the new wave, and for the new wave also the rows that the old wave's log says are
 * gone, renamed or another's: a copy of them that the other system may still hold would become the customer's own when the new wave
 * goes there first. (Where they are sealed nobody reads the log until they
 * come back, and then such rows would say that the customer's data had changed here.) Both waves must belong to the same side, or a customer would change its
 * owner without a switch. The two systems are changed one after the other; between the two a seal of either wave
 * would leave the customer with two owners or none. So the caller raises both waves in both systems, passes the
 * epochs (`{"1": 17, "2": 17}`; null: not compared), and whoever seals a wave first compares its members, under its own epoch.
 * Rows are looked for by the column's own type, so that its index is used while writers wait; a customer who is no value of that
 * type has no row there, and all are then compared as text.
 *
 * Before anything moves a cutover divides the customers anew, whatever an earlier one made of them: between `begin_division` and
 * `end_division`, so that an attempt that wakes later, or of an earlier cutover, assigns nobody any more. Waves its plan has not are taken away;
 * whoever is in one belongs to the last wave then.
 */
export const MEMBERS = `
create or replace function cutover.lock_waves(p_waves int[], p_patience_ms int) returns void
language plpgsql volatile as $$
begin
  perform cutover.short_call(p_patience_ms);
  perform 1 from cutover.fence where key in (select 'wave/' || w from unnest(p_waves) w) order by key for update;
  perform pg_advisory_xact_lock(${WAVE_LOCK_CLASS}, w) from (select distinct w from unnest(p_waves) w order by w) s;
end
$$;

create or replace function cutover.move_members(p_customers text[], p_to int, p_fences jsonb, p_patience_ms int) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  locked int[];
  movers text[];
  origins int[];
  g cutover.guarded;
  key_list text;
  touch text;
  typed text;
begin
  select array_agg(distinct cutover.wave_of(c)) || p_to into locked from unnest(p_customers) c;
  perform cutover.lock_waves(locked, p_patience_ms);
  if p_fences is not null and exists (select from unnest(locked) w join cutover.fence f on f.key = 'wave/' || w
      where w <> 0 and f.epoch is distinct from (p_fences ->> w::text)::bigint) then
    raise exception 'cutover: the fence of a wave has another epoch' using errcode = 'CU002';
  end if;
  select array_agg(c), array_agg(cutover.wave_of(c)) into movers, origins
    from (select distinct c from unnest(p_customers) c) d where cutover.wave_of(c) <> p_to;
  if movers is null then
    return 0;
  end if;
  if not origins <@ locked then
    raise exception 'cutover: membership changed meanwhile' using errcode = '55P03';
  end if;
  if not exists (select from cutover.wave where wave = p_to)
    or (select count(distinct state = 'sealed') from cutover.wave where wave = any (origins || p_to)) > 1 then
    raise exception 'cutover: customers cannot move to wave %: it does not exist or another system owns it', p_to
      using errcode = 'CU004';
  end if;
  insert into cutover.member as m (customer, wave) select c, p_to from unnest(movers) c
    on conflict (customer) do update set wave = excluded.wave;
  update cutover.wave set wave = wave where wave = any (origins || p_to);
  if (select bool_or(state = 'sealed') from cutover.wave where wave = p_to) then
    return cardinality(movers);
  end if;
  for g in select * from cutover.guarded order by tab loop
    select string_agg(format('t.%I::text', k), ', ' order by n) into key_list from unnest(g.key_columns) with ordinality u (k, n);
    touch := 'insert into cutover.change (wave, tab, op, old_key, new_key, old_owner, new_owner)
       select w, $1, ''M'', array[%1$s], array[%1$s], t.%2$I::text, t.%2$I::text
       from unnest($2, $3) moved (customer, origin)
       join %3$s t on t.%2$I%4$s
       cross join lateral unnest(array[moved.origin, $4]) w';
    select format(' = moved.customer::%I.%I', n.nspname, y.typname) into typed from pg_attribute a
      join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
      where a.attrelid = g.relation::regclass and a.attname = g.customer_column;
    begin
      execute format(touch, key_list, g.customer_column, g.relation::regclass, typed) using g.tab, movers, origins, p_to;
    exception when data_exception or integrity_constraint_violation then
      execute format(touch, key_list, g.customer_column, g.relation::regclass, '::text = moved.customer')
        using g.tab, movers, origins, p_to;
    end;
  end loop;
  insert into cutover.change (wave, tab, op, old_key, new_key, old_owner, new_owner)
    select distinct p_to, c.tab, 'M', c.old_key, c.new_key, c.old_owner, c.new_owner from cutover.change c
    where c.wave = any (origins) and c.old_owner = any (movers)
      and (c.new_key is distinct from c.old_key or c.new_owner is distinct from c.old_owner);
  return cardinality(movers);
end
$$;

/* Of the last wave, which is also that of customers nobody gave one, those who are in another: the same customer may have a row on
   one side and none on the other. */
create or replace function cutover.members_digest(p_wave int) returns text
language sql stable as $$
  select count(*) || ':' || coalesce(sum(hashtextextended(customer, 0)), 0) || ':' || coalesce(sum(hashtextextended(customer, 8761)), 0)
  from cutover.member where (wave = p_wave) <> (p_wave = (select max(wave) from cutover.wave))
$$;

create or replace function cutover.lock_unmoved(p_patience_ms int) returns void
language plpgsql volatile as $$
begin
  perform cutover.lock_waves((select array_agg(wave) from cutover.wave), p_patience_ms);
  if (select count(distinct state) from cutover.wave where wave > 0) > 1
    or exists (select from cutover.fence where position is not null) then
    raise exception 'cutover: the population is assigned before anything moves' using errcode = 'CU004';
  end if;
  update cutover.wave set wave = wave;
end
$$;

create or replace function cutover.begin_division(p_cutover text, p_patience_ms int) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform cutover.lock_unmoved(p_patience_ms);
  insert into cutover.division (cutover, done) values (p_cutover, false)
    on conflict (only_row) do update set done = false where division.cutover = p_cutover;
  if not found then
    raise exception 'cutover: the customers are divided by another cutover' using errcode = 'CU004';
  end if;
end
$$;

create or replace function cutover.demand_division(p_cutover text) returns void
language plpgsql volatile as $$
begin
  if not exists (select from cutover.division where cutover = p_cutover and not done) then
    raise exception 'cutover: the customers are divided already' using errcode = 'CU002';
  end if;
end
$$;

create or replace function cutover.assign_members(p_customers text[], p_wave int, p_cutover text, p_patience_ms int) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  wrong text[];
begin
  select array_agg(distinct c) into wrong from unnest(p_customers) c left join cutover.member m on m.customer = c
    where m.customer is null or (p_cutover is not null and (m.wave <> p_wave or not m.baseline));
  if wrong is null then
    return 0;
  end if;
  perform cutover.lock_unmoved(p_patience_ms);
  if p_cutover is not null then
    perform cutover.demand_division(p_cutover);
  end if;
  insert into cutover.member (customer, wave, baseline) select c, p_wave, true from unnest(wrong) c
    on conflict (customer) do update set wave = excluded.wave, baseline = true where p_cutover is not null;
  return cardinality(wrong);
end
$$;

create or replace function cutover.end_division(p_cutover text, p_last int, p_patience_ms int) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from cutover.wave where wave > p_last) then
    perform cutover.lock_unmoved(p_patience_ms);
    perform cutover.demand_division(p_cutover);
    delete from cutover.member where wave > p_last;
    delete from cutover.wave where wave > p_last;
  end if;
  update cutover.division set done = true where cutover = p_cutover;
end
$$;
`;
