import { WAVE_LOCK_CLASS } from './tables';

/**
 * Changes of a wave's state. Each is called once per statement, autocommitted, READ COMMITTED (PROTOCOL 4). `grasp`
 * takes the wave's fence row first (so an apply pass ends or gives way before writers are made to queue), then the
 * exclusive lock, waiting `p_patience_ms` for each and then failing with 55P03: the caller tries again (PROTOCOL 5).
 * The clock is read after the lock was granted, never before (PROTOCOL 11).
 */
const GRASP = `
create or replace function cutover.short_call(p_patience_ms int) returns void
language plpgsql volatile as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'cutover: custody changes need READ COMMITTED' using errcode = '0A000';
  end if;
  perform set_config('lock_timeout', p_patience_ms || 'ms', true);
end
$$;

create or replace function cutover.grasp(p_wave int, p_epoch bigint, p_patience_ms int) returns boolean
language plpgsql volatile as $$
declare
  found_epoch bigint;
begin
  perform cutover.short_call(p_patience_ms);
  select epoch into found_epoch from cutover.fence where key = 'wave/' || p_wave for update;
  if found_epoch is distinct from p_epoch then
    return false;
  end if;
  perform pg_advisory_xact_lock(${WAVE_LOCK_CLASS}, p_wave);
  return true;
end
$$;

create or replace function cutover.raise(p_wave int, p_epoch bigint, p_patience_ms int) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_epoch bigint;
begin
  perform cutover.short_call(p_patience_ms);
  select epoch into found_epoch from cutover.fence where key = 'wave/' || p_wave for update;
  if found_epoch is null then
    raise exception 'cutover: no wave % is known here', p_wave using errcode = 'CU004';
  end if;
  if found_epoch > p_epoch then
    return jsonb_build_object('outcome', 'stale');
  end if;
  update cutover.fence set epoch = p_epoch where key = 'wave/' || p_wave and epoch < p_epoch;
  return jsonb_build_object('outcome', 'done');
end
$$;
`;

const FREEZE = `
create or replace function cutover.freeze(p_wave int, p_epoch bigint, p_lease_ms bigint, p_patience_ms int) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  w cutover.wave;
  at_clock timestamptz;
begin
  if p_wave = 0 then
    raise exception 'cutover: customers who stay are never frozen' using errcode = 'CU004';
  end if;
  if not cutover.grasp(p_wave, p_epoch, p_patience_ms) then
    return jsonb_build_object('outcome', 'stale');
  end if;
  select * into strict w from cutover.wave where wave = p_wave;
  at_clock := clock_timestamp();
  if w.state = 'sealed' then
    return jsonb_build_object('outcome', 'sealed');
  end if;
  if w.state = 'frozen' and w.lease_until > at_clock then
    return jsonb_build_object('outcome', 'frozen', 'frozenAt', w.frozen_at, 'leaseUntil', w.lease_until);
  end if;
  if w.state = 'frozen' and w.frozen_epoch >= p_epoch then
    return jsonb_build_object('outcome', 'stale');
  end if;
  update cutover.wave
    set state = 'frozen', frozen_at = at_clock, frozen_epoch = p_epoch,
        lease_until = at_clock + p_lease_ms * interval '1 millisecond'
    where wave = p_wave returning * into w;
  return jsonb_build_object('outcome', 'frozen', 'frozenAt', w.frozen_at, 'leaseUntil', w.lease_until);
end
$$;

create or replace function cutover.renew(p_wave int, p_epoch bigint, p_lease_ms bigint, p_not_after timestamptz, p_patience_ms int)
returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  w cutover.wave;
  at_clock timestamptz;
begin
  if not cutover.grasp(p_wave, p_epoch, p_patience_ms) then
    return jsonb_build_object('outcome', 'stale');
  end if;
  select * into strict w from cutover.wave where wave = p_wave;
  at_clock := clock_timestamp();
  if w.state <> 'frozen' then
    return jsonb_build_object('outcome', 'not-frozen');
  end if;
  if w.lease_until <= at_clock then
    return jsonb_build_object('outcome', 'lapsed');
  end if;
  if w.lease_until >= p_not_after then
    return jsonb_build_object('outcome', 'limit');
  end if;
  update cutover.wave
    set lease_until = greatest(lease_until, least(at_clock + p_lease_ms * interval '1 millisecond', p_not_after))
    where wave = p_wave returning * into w;
  return jsonb_build_object('outcome', 'renewed', 'leaseUntil', w.lease_until);
end
$$;

create or replace function cutover.thaw(p_wave int, p_epoch bigint, p_patience_ms int) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_state text;
begin
  if not cutover.grasp(p_wave, p_epoch, p_patience_ms) then
    return jsonb_build_object('outcome', 'stale');
  end if;
  select state into strict found_state from cutover.wave where wave = p_wave;
  if found_state <> 'frozen' then
    return jsonb_build_object('outcome', case found_state when 'sealed' then 'sealed' else 'not-frozen' end);
  end if;
  update cutover.wave set state = 'open', frozen_at = null, lease_until = null where wave = p_wave;
  return jsonb_build_object('outcome', 'thawed');
end
$$;
`;

const SEAL = `
create or replace function cutover.seal(p_wave int, p_epoch bigint, p_applied text, p_patience_ms int) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  w cutover.wave;
  left_rows bigint;
  findings text[];
begin
  if p_wave = 0 then
    raise exception 'cutover: customers who stay are never given up' using errcode = 'CU004';
  end if;
  if not cutover.grasp(p_wave, p_epoch, p_patience_ms) then
    return jsonb_build_object('outcome', 'stale');
  end if;
  select * into strict w from cutover.wave where wave = p_wave;
  if w.state = 'sealed' then
    return jsonb_build_object('outcome', 'sealed');
  end if;
  if w.state <> 'frozen' then
    return jsonb_build_object('outcome', 'not-frozen');
  end if;
  if w.lease_until <= clock_timestamp() then
    return jsonb_build_object('outcome', 'lapsed');
  end if;
  findings := cutover.tampering();
  if cardinality(findings) > 0 then
    return jsonb_build_object('outcome', 'tampered', 'findings', to_jsonb(findings));
  end if;
  findings := cutover.altering();
  if cardinality(findings) > 0 then
    raise exception 'cutover: %', array_to_string(findings, '; ') using errcode = '55P03';
  end if;
  left_rows := cutover.unapplied(p_wave, p_applied);
  if left_rows > 0 then
    return jsonb_build_object('outcome', 'unapplied', 'rows', left_rows);
  end if;
  update cutover.wave set state = 'sealed', frozen_at = null, lease_until = null where wave = p_wave;
  return jsonb_build_object('outcome', 'sealed');
end
$$;

create or replace function cutover.open(p_wave int, p_epoch bigint, p_members text, p_patience_ms int) returns jsonb
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_state text;
begin
  if p_wave = 0 then
    raise exception 'cutover: customers who stay are never moved' using errcode = 'CU004';
  end if;
  if not cutover.grasp(p_wave, p_epoch, p_patience_ms) then
    return jsonb_build_object('outcome', 'stale');
  end if;
  select state into strict found_state from cutover.wave where wave = p_wave;
  if found_state = 'frozen' then
    raise exception 'cutover: wave % is frozen, not sealed: thaw it', p_wave using errcode = 'CU004';
  end if;
  if found_state = 'sealed' then
    if p_members is not null and p_members <> cutover.members_digest(p_wave) then
      return jsonb_build_object('outcome', 'members-differ');
    end if;
    update cutover.wave set state = 'open' where wave = p_wave;
  end if;
  return jsonb_build_object('outcome', 'done');
end
$$;
`;

/**
 * Who holds a wave's lock, and who holds a lock under which a guard can be switched off and on unseen: such a transaction
 * writes without a log and without the wave's lock, and may commit after the seal.
 */
const BLOCKERS = `
create or replace function cutover.lock_holder(p_pid int, p_virtual text) returns text
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select case when p_pid is null then coalesce((
      select 'prepared transaction ' || p.gid from pg_locks own join pg_prepared_xacts p on p.transaction = own.transactionid
      where own.pid is null and own.locktype = 'transactionid' and own.granted and own.mode = 'ExclusiveLock'
        and own.virtualtransaction = p_virtual limit 1), 'a prepared transaction')
    else 'pid ' || p_pid || ' (' || coalesce((
      select nullif(a.application_name, '') from pg_stat_activity a where a.pid = p_pid), 'unnamed application') || ')' end
$$;

create or replace function cutover.blockers(p_wave int) returns text[]
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(distinct cutover.lock_holder(l.pid, l.virtualtransaction)), '{}')
  from pg_locks l
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.classid = ${WAVE_LOCK_CLASS} and l.objid = p_wave
    and l.database = (select oid from pg_database where datname = current_database())
    and l.pid is distinct from pg_backend_pid()
$$;

create or replace function cutover.altering() returns text[]
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(distinct g.tab || ': ' || cutover.lock_holder(l.pid, l.virtualtransaction) || ' is changing the table'), '{}')
  from cutover.guarded g join pg_locks l on l.relation = to_regclass(g.relation)
  where l.locktype = 'relation' and l.granted
    and l.mode in ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    and l.database = (select oid from pg_database where datname = current_database())
    and l.pid is distinct from pg_backend_pid()
    and not exists (select from pg_stat_activity a where a.pid = l.pid and a.backend_type = 'autovacuum worker')
$$;
`;

export const CUSTODY = GRASP + FREEZE + SEAL + BLOCKERS;
