-- The ground the tables stand on: the schema, who is asking, and the making and dropping of partitions.
--
-- Roles are made before (they belong to the cluster, not to this database): daira_owner migrates, daira_app serves
-- people, daira_worker runs consumers and jobs, daira_reader owns the narrow definer functions and never logs in,
-- daira_backup dumps. None of the first four bypasses row security.

do $$
declare missing text;
begin
    select string_agg(wanted, ', ') into missing
    from unnest(array['daira_owner', 'daira_app', 'daira_worker', 'daira_reader', 'daira_backup']) wanted
    where not exists (select from pg_roles where rolname = wanted);
    if missing is not null then
        raise exception 'missing roles: %', missing using hint = 'prepare the cluster first: the bootstrap makes them';
    end if;
end $$;

create schema daira;
grant usage on schema daira to daira_app, daira_worker, daira_reader, daira_backup;
grant create on schema daira to daira_reader;
alter default privileges revoke execute on functions from public;
alter default privileges in schema daira grant select on tables to daira_backup;
alter default privileges in schema daira grant select on sequences to daira_backup;

-- Who is asking. Set for one transaction only; absent means nobody, garbage is an error.
create function daira.me() returns bigint language sql stable parallel safe
    return nullif(pg_catalog.current_setting('daira.profile', true), '')::bigint;
create function daira.my_account() returns bigint language sql stable parallel safe
    return nullif(pg_catalog.current_setting('daira.account', true), '')::bigint;
-- A part of the platform, which reads everything that is not deleted.
create function daira.is_platform() returns boolean language sql stable parallel safe
    return current_user = 'daira_worker'::name;

comment on function daira.me() is 'the profile that acts, or null';
comment on function daira.my_account() is 'the account behind the profile that acts, or null';

-- The smallest id an instant can have: 41 bits of milliseconds since 2025, above 22 bits of shard and sequence.
create function daira.id_floor(at timestamptz) returns bigint language sql immutable parallel safe
    return greatest(pg_catalog.floor(extract(epoch from at) * 1000)::bigint - 1735689600000, 0) << 22;
create function daira.id_at(id bigint) returns timestamptz language sql immutable parallel safe
    return pg_catalog.to_timestamp(((id >> 22) + 1735689600000) / 1000.0);

-- Which tables are cut by age, and how.
create table daira.partitioning (
    parent name primary key,
    unit   text not null check (unit in ('day', 'month')),
    by_id  boolean not null,                       -- the key is an id that holds its time, not a time
    back   smallint not null check (back >= 0),    -- units made behind an instant, for rows that are older than it
    keep   smallint check (keep > 0)               -- units after which expire_partitions drops one; null: never by age alone
);
comment on table daira.partitioning is 'tables partitioned by UTC days or months, and how long a partition lives';
alter table daira.partitioning enable row level security;
alter table daira.partitioning force row level security;
create policy owner_all on daira.partitioning to daira_owner using (true) with check (true);
create policy worker_read on daira.partitioning for select to daira_worker using (true);
grant select on daira.partitioning to daira_worker;

create function daira.partition_start(unit text, at timestamptz, step integer) returns timestamptz
    language sql immutable
    return (date_trunc(unit, at at time zone 'UTC') + step * ('1 ' || unit)::interval) at time zone 'UTC';

-- Makes the partitions that are missing from an instant to some days after it; answers how many. Attaching an existing
-- table blocks nobody who reads or writes. Row security is on and forced before anything can be in it, and nobody gets
-- a grant.
create function daira.ensure_partitions(at timestamptz, days integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
    plan record;
    lower timestamptz;
    upper timestamptz;
    child name;
    made integer := 0;
begin
    if days not between 0 and 400 then
        raise exception 'ensure_partitions: % days are too many', days;
    end if;
    -- One at a time: several workers may be told to do this at once.
    perform pg_advisory_xact_lock(hashtextextended('daira.partitions', 0));
    for plan in select * from daira.partitioning order by parent loop
        upper := daira.partition_start(plan.unit, at, -plan.back);
        while upper <= at + days * interval '24 hours' loop
            lower := upper;
            upper := daira.partition_start(plan.unit, lower, 1);
            child := plan.parent || '_' || to_char(lower at time zone 'UTC', case plan.unit when 'day' then 'YYYYMMDD' else 'YYYYMM' end);
            continue when to_regclass('daira.' || quote_ident(child)) is not null;
            execute format('create table daira.%I (like daira.%I including all excluding identity)', child, plan.parent);
            execute format('alter table daira.%I enable row level security', child);
            execute format('alter table daira.%I force row level security', child);
            execute format('alter table daira.%I set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)', child);
            execute format('alter table daira.%I attach partition daira.%I for values from (%L) to (%L)', plan.parent, child,
                case when plan.by_id then daira.id_floor(lower)::text else lower::text end,
                case when plan.by_id then daira.id_floor(upper)::text else upper::text end);
            made := made + 1;
        end loop;
    end loop;
    return made;
end $$;

-- Drops the partitions of a table that end before an instant. Waits at most a quarter of a second for each, and leaves
-- one that is in use for the next round.
create function daira.drop_partitions(of_table name, before timestamptz) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
    plan daira.partitioning;
    child name;
    lower timestamptz;
    gone integer := 0;
begin
    select * into strict plan from daira.partitioning where parent = of_table;
    for child in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = to_regclass('daira.' || quote_ident(of_table)) order by c.relname
    loop
        lower := to_timestamp(substr(child, length(of_table) + 2), case plan.unit when 'day' then 'YYYYMMDD' else 'YYYYMM' end)::timestamp at time zone 'UTC';
        continue when daira.partition_start(plan.unit, lower, 1) > before;
        begin
            execute format('drop table daira.%I', child);
            gone := gone + 1;
        exception when lock_not_available then
            raise notice 'partition % is in use', child;
        end;
    end loop;
    return gone;
end $$;

-- Drops whatever has outlived its table's age; answers how many partitions went. A clock that runs ahead drops nothing.
create function daira.expire_partitions(at timestamptz) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    plan record;
    gone integer := 0;
begin
    for plan in select * from daira.partitioning where keep is not null order by parent loop
        gone := gone + daira.drop_partitions(plan.parent, daira.partition_start(plan.unit, least(at, now()), -plan.keep));
    end loop;
    return gone;
end $$;

-- For how many whole days after an instant every one of these tables has its partitions: the gauge that must not reach
-- zero.
create function daira.partition_days_ahead(at timestamptz) returns integer
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    plan record;
    upper timestamptz;
    days integer := 400;
begin
    for plan in select * from daira.partitioning loop
        upper := daira.partition_start(plan.unit, at, 0);
        while to_regclass('daira.' || quote_ident(plan.parent || '_' || to_char(upper at time zone 'UTC', case plan.unit when 'day' then 'YYYYMMDD' else 'YYYYMM' end))) is not null loop
            upper := daira.partition_start(plan.unit, upper, 1);
        end loop;
        days := least(days, floor(extract(epoch from upper - at) / 86400)::integer);
    end loop;
    return greatest(days, 0);
end $$;

grant execute on function daira.me(), daira.my_account(), daira.is_platform(), daira.id_floor(timestamptz), daira.id_at(bigint)
    to daira_app, daira_worker, daira_reader;
grant execute on function daira.ensure_partitions(timestamptz, integer), daira.expire_partitions(timestamptz), daira.partition_days_ahead(timestamptz)
    to daira_worker;

-- Whoever serves asks whether the schema is the one that it was built for. (Laid by hand, there is no such table.)
do $$
begin
    if to_regclass('public._sqlx_migrations') is not null then
        grant select on public._sqlx_migrations to daira_app, daira_worker;
    end if;
end $$;
