-- The event log and what reads it: ticks as snapshots.
--
-- Writers append to `event` in the transaction of their effect and do nothing else. A ticker writes down, many times a
-- second, which transactions a reader could see just then: a tick. A consumer group gets the events that one tick sees
-- and an earlier one did not, so a late commit is in a later batch, an open transaction holds up nobody, and nothing is
-- ever updated or deleted row by row where readers look: a long-lived snapshot does not slow anything down.
--
-- | table          | rows are                                     | written by              |
-- |----------------|----------------------------------------------|-------------------------|
-- | event          | inserted; whole days are dropped             | every unit of work      |
-- | tick           | inserted; pruned by age                      | the ticker              |
-- | consumer_group | one per group                                | its consumers           |
-- | member         | one per living consumer, renewed on its lease | the consumer            |
-- | lease          | one per group and lane, changed when a lane changes hands | the consumers |
-- | position       | inserted with the effects; pruned by age     | the owner of the lane   |
-- | dead_letter    | events that failed, and those parked behind them | the consumer, operators |
-- | job            | one per scheduled job                        | the runner              |

create table daira.event (
    id      bigint generated always as identity,
    -- The transaction that wrote it: what a snapshot tells about.
    xid     xid8        not null default pg_current_xact_id(),
    lane    smallint    not null check (lane between 0 and 15),
    key     bigint      not null,
    topic   text        not null,
    kind    text        not null,
    payload bytea       not null,
    -- The wall clock, not the start of the transaction: no event is older than its transaction's id, and that is what
    -- bounds how far back a tick has to look (see tick.since).
    at      timestamptz not null default clock_timestamp()
) partition by range (at);
-- No key: nothing looks an event up by its id, and uniqueness comes from the identity.
create index event_lane_xid_id on daira.event (lane, xid, id);
comment on table daira.event is 'what happened, appended in the transaction of its effect; consumer groups read it by ticks';

create table daira.tick (
    n     bigint primary key,
    snap  pg_snapshot not null,
    -- No event that this tick does not see has an earlier `at`: prunes the days a batch reads.
    since timestamptz not null,
    -- The highest event id handed out by then: how far two ticks are apart, for the size of batches.
    top   bigint      not null,
    at    timestamptz not null default clock_timestamp()
);
create index tick_top on daira.tick (top, n);
create index tick_xmax on daira.tick (pg_snapshot_xmax(snap), at);
-- The tick before all events.
insert into daira.tick (n, snap, since, top, at) values (0, '1:1:', '2000-01-01', 0, '2000-01-01');

-- The row that tickers lock, so that of any number of them one at a time takes its snapshot.
create table daira.ticker (
    sole boolean primary key default true check (sole)
);
insert into daira.ticker default values;

create table daira.consumer_group (
    name      text primary key check (char_length(name) between 1 and 100),
    topics    text[]      not null,
    -- Its effects can be rebuilt from the rows: it never holds days, and is parked instead.
    rebuilds  boolean     not null,
    parked_at timestamptz
);

create table daira.member (
    grp   text        not null references daira.consumer_group on delete cascade,
    owner text        not null check (char_length(owner) between 1 and 200),
    until timestamptz not null,
    primary key (grp, owner)
);

-- A lane's owner holds it while it is a living member. The epoch fences: it grows whenever the lane changes hands, and a
-- batch commits only under the epoch that it was read with.
create table daira.lease (
    grp   text     not null references daira.consumer_group on delete cascade,
    lane  smallint not null check (lane between 0 and 15),
    owner text,
    epoch bigint   not null default 0,
    primary key (grp, lane)
);

-- The newest row of a lane says: everything that `tick` sees is done, and of what `upto` sees besides, the events up to the
-- id `after`.
create table daira.position (
    grp   text        not null,
    lane  smallint    not null check (lane between 0 and 15),
    tick  bigint      not null,
    after bigint      not null default 0,
    upto  bigint,
    at    timestamptz not null default now(),
    primary key (grp, lane, tick, after),
    check ((after = 0) = (upto is null))
);

create table daira.dead_letter (
    grp      text        not null references daira.consumer_group on delete cascade,
    id       bigint      not null,
    lane     smallint    not null,
    key      bigint      not null,
    topic    text        not null,
    kind     text        not null,
    payload  bytea       not null,
    event_at timestamptz not null,
    attempts smallint    not null,
    reason   text        not null,
    -- False: it failed, and its key waits. True: it waits behind one that failed; with none left it is delivered again.
    parked   boolean     not null,
    at       timestamptz not null default now(),
    primary key (grp, id)
);
create index dead_letter_key on daira.dead_letter (grp, key, parked);
create index dead_letter_parked on daira.dead_letter (grp, lane, id) where parked;

create table daira.job (
    name     text primary key check (char_length(name) between 1 and 100),
    owner    text,
    until    timestamptz,
    began_at timestamptz not null,
    ended_at timestamptz,
    failed   boolean     not null default false
);

do $$
declare one text;
begin
    foreach one in array array['event', 'tick', 'ticker', 'consumer_group', 'member', 'lease', 'position', 'dead_letter', 'job'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
    end loop;
    foreach one in array array['tick', 'ticker', 'consumer_group', 'member', 'lease', 'position', 'dead_letter', 'job'] loop
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
    -- What expire_events looks at and changes; row security is forced on the owner as well.
    foreach one in array array['tick', 'consumer_group', 'position'] loop
        execute format('create policy owner_all on daira.%I to daira_owner using (true) with check (true)', one);
    end loop;
end $$;

-- Everybody appends, nobody changes, only the platform reads.
create policy append on daira.event for insert to daira_app, daira_worker with check (true);
create policy worker_read on daira.event for select to daira_worker using (true);
grant insert (lane, key, topic, kind, payload) on daira.event to daira_app, daira_worker;
grant select on daira.event to daira_worker;
grant select on sequence daira.event_id_seq to daira_worker;

grant select, insert, update, delete on daira.consumer_group, daira.member, daira.lease, daira.dead_letter, daira.job to daira_worker;
grant select, insert, delete on daira.position to daira_worker;
-- Locking a row takes the right to update it; the columns are ones that nothing rests on.
grant select, insert, delete, update (at) on daira.tick to daira_worker;
grant select, update (sole) on daira.ticker to daira_worker;

insert into daira.partitioning (parent, unit, by_id, back, keep) values ('event', 'day', false, 1, null);
select daira.ensure_partitions(now(), 7);

-- Drops the log's days that ended before `keep` ago and that every group has passed. A group that rebuilds is no
-- hindrance: when it needs a day that goes, it is parked in this very transaction, and its batches fail from then on.
create function daira.expire_events(keep interval) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    bound timestamptz;
begin
    select least(now() - keep, min(t.since)) into bound
    from daira.consumer_group g
    cross join lateral (
        select distinct on (p.lane) p.tick from daira.position p where p.grp = g.name order by p.lane, p.tick desc, p.after desc
    ) p
    join daira.tick t on t.n = p.tick
    where not g.rebuilds;
    -- Whole days only: what lies before their first instant.
    bound := daira.partition_start('day', bound, 0);

    if not exists (
        select from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'daira.event'::regclass
          and to_date(right(c.relname, 8), 'YYYYMMDD') < (bound at time zone 'UTC')::date
    ) then
        return 0;
    end if;
    update daira.consumer_group g set parked_at = now()
    where g.rebuilds and g.parked_at is null and exists (
        select from (
            select distinct on (p.lane) p.tick from daira.position p where p.grp = g.name order by p.lane, p.tick desc, p.after desc
        ) p
        join daira.tick t on t.n = p.tick
        where t.since < bound
    );
    return daira.drop_partitions('event', bound);
end $$;
grant execute on function daira.expire_events(interval) to daira_worker;

-- After a dump and restore transaction ids start again, and no snapshot of before means anything. With the log drained
-- (every group past its last event) the owner begins a new one with this; nobody else may.
create function daira.restart_event_log() returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare child name;
begin
    for child in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'daira.event'::regclass loop
        execute format('truncate daira.%I', child);
    end loop;
    truncate daira.tick, daira.position, daira.member, daira.lease;
    insert into daira.tick (n, snap, since, top, at) values (0, '1:1:', '2000-01-01', 0, '2000-01-01');
end $$;
