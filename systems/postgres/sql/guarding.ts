import { WAVE_LOCK_CLASS } from './tables';

/**
 * What the generated triggers call for every row (PROTOCOL 1 to 3). `admit` returns the wave to log the write for, or
 * null when the write is our own; it raises CU001 when the wave does not accept writes here.
 *
 * Why it is safe: the shared lock is held until the writer's transaction ends, and every change of a wave's state takes
 * the exclusive one. At READ COMMITTED the statement after the lock sees everything committed before the lock was
 * granted. Above it the snapshot may be older than the freeze, so the wave row is locked: if it changed since the
 * snapshot, PostgreSQL refuses with 40001.
 *
 * The mark of our own writers names the wave and the transaction that took the fence. They hold the fence row, which
 * every change of that wave's state takes first, so they need no wave lock. Rows of another wave they may write
 * only while that wave is sealed here: then nobody else does. A call for each row would cost more than the row, so a
 * writer of many rows vouches: the triggers pass its transaction by, and before it commits it says with vouch_for to which
 * waves the rows belong. The same is refused, and the same locks are held to its end.
 */
export const GUARDING = `
create or replace function cutover.wave_of(customer text) returns int
language sql stable parallel safe as $$
  select coalesce((select m.wave from cutover.member m where m.customer = $1), (select max(w.wave) from cutover.wave w))
$$;

create or replace function cutover.marked_wave() returns int
language sql volatile as $$
  select case when split_part(mark, '/', 2) = pg_current_xact_id()::text then split_part(mark, '/', 1)::int end
  from current_setting('cutover.mark', true) mark
$$;

create or replace function cutover.admit(owner text) returns int
language plpgsql volatile as $$
declare
  at_lock int;
  now_of int;
  row_state text;
  lease timestamptz;
  ours int;
begin
  if coalesce(current_setting('cutover.mark', true), '') <> '' then
    ours := cutover.marked_wave();
  end if;
  loop
    select coalesce((select m.wave from cutover.member m where m.customer = owner), (select max(l.wave) from cutover.wave l))
      into at_lock;
    if at_lock is null then
      raise exception 'cutover: no wave is known here' using errcode = 'CU004';
    end if;
    if at_lock = ours then
      return null;
    end if;
    if pg_advisory_xact_lock_shared(${WAVE_LOCK_CLASS}, at_lock) is null then null; end if;
    if current_setting('transaction_isolation') = 'read committed' then
      select coalesce((select m.wave from cutover.member m where m.customer = owner), (select max(l.wave) from cutover.wave l)),
          w.state, w.lease_until into now_of, row_state, lease
        from cutover.wave w where w.wave = at_lock;
    else
      select coalesce((select m.wave from cutover.member m where m.customer = owner), (select max(l.wave) from cutover.wave l)),
          w.state, w.lease_until into now_of, row_state, lease
        from cutover.wave w where w.wave = at_lock for share;
    end if;
    exit when now_of = at_lock;
  end loop;
  if ours is not null then
    if row_state <> 'sealed' then
      raise exception 'cutover: the fence of wave % does not cover rows of wave %', ours, at_lock using errcode = 'CU001';
    end if;
    return null;
  end if;
  if row_state = 'open' or (row_state = 'frozen' and lease <= clock_timestamp()) then
    return at_lock;
  end if;
  raise exception 'cutover: wave % does not accept writes here', at_lock using errcode = 'CU001';
end
$$;

create or replace function cutover.vouch() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if cutover.marked_wave() is null then
    raise exception 'cutover: who vouches for rows holds the fence of their wave' using errcode = 'CU005';
  end if;
  perform set_config('cutover.vouched', pg_current_xact_id()::text, true);
end
$$;

create or replace function cutover.vouch_for(p_waves int[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  ours int := cutover.marked_wave();
  other int;
  other_state text;
begin
  for other in select distinct w from unnest(p_waves) w where w is distinct from ours order by w loop
    perform pg_advisory_xact_lock_shared(${WAVE_LOCK_CLASS}, other);
    select state into other_state from cutover.wave where wave = other;
    if other_state is distinct from 'sealed' then
      raise exception 'cutover: the fence of wave % does not cover rows of wave %', ours, other using errcode = 'CU001';
    end if;
  end loop;
end
$$;

create or replace function cutover.admit_truncate() returns void
language plpgsql volatile as $$
declare
  refusing int;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'cutover: TRUNCATE of a guarded table needs READ COMMITTED' using errcode = '0A000';
  end if;
  if cutover.marked_wave() is not null then
    raise exception 'cutover: a fence of one wave does not cover TRUNCATE' using errcode = 'CU001';
  end if;
  perform pg_advisory_xact_lock_shared(${WAVE_LOCK_CLASS}, w.wave) from (select wave from cutover.wave order by wave) w;
  select min(w.wave) into refusing from cutover.wave w
    where not (w.state = 'open' or (w.state = 'frozen' and w.lease_until <= clock_timestamp()));
  if refusing is not null then
    raise exception 'cutover: wave % does not accept writes here', refusing using errcode = 'CU001';
  end if;
end
$$;

create or replace function cutover.take_fence(p_key text, p_epoch bigint) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  fenced_wave int := split_part(p_key, '/', 2)::int;
  wave_key text := 'wave/' || fenced_wave;
  found_epoch bigint;
  found_position text;
  marked int := cutover.marked_wave();
begin
  if marked <> fenced_wave then
    raise exception 'cutover: this transaction already holds the fence of wave %', marked using errcode = 'CU005';
  end if;
  if p_key = wave_key then
    select epoch, position into found_epoch, found_position from cutover.fence where key = wave_key for update;
  else
    select epoch into found_epoch from cutover.fence where key = wave_key for share;
  end if;
  if found_epoch is distinct from p_epoch then
    raise exception 'cutover: the fence of wave % has another epoch', fenced_wave using errcode = 'CU002';
  end if;
  if p_key <> wave_key then
    insert into cutover.fence as f (key, epoch) values (p_key, p_epoch)
      on conflict (key) do update set epoch = excluded.epoch where f.epoch <= excluded.epoch
      returning position into found_position;
    if not found then
      raise exception 'cutover: the fence of a chunk of wave % has another epoch', fenced_wave using errcode = 'CU002';
    end if;
  end if;
  perform set_config('cutover.mark', fenced_wave || '/' || pg_current_xact_id(), true);
  return found_position;
end
$$;

create or replace function cutover.unapplied(p_wave int, p_position text) returns bigint
language sql volatile as $$
  select count(*) from cutover.change c
  where c.wave = p_wave
    and (p_position is null
      or (c.xid >= pg_snapshot_xmin(p_position::pg_snapshot) and not pg_visible_in_snapshot(c.xid, p_position::pg_snapshot)))
$$;
`;
