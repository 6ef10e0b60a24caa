-- What is kept for a while and dropped whole by age: inboxes, pages served, feed sessions, notifications, idempotency
-- keys and the audit trail; with them affinities and read markers, which stay.
--
-- Partitions are UTC days or months. Every query on such a table carries a scalar bound on its key, so that a generic
-- plan prunes when it starts. Nothing refers to these tables.

-- Which posts were delivered to whom and why. Cut by the time in the post's id.
create table daira.inbox (
    profile bigint      not null,
    post    bigint      not null,
    author  bigint      not null,
    reason  smallint    not null check (reason between 1 and 5),  -- follow, mention, circle, own, popular
    kind    smallint    not null,                                 -- the post's kind, so that candidates need not ask
    at      timestamptz not null,                                 -- when it was delivered
    primary key (profile, post) include (author, reason, kind, at)
) partition by range (post);
create index inbox_post on daira.inbox (post, profile);

-- How much a viewer has to do with an author: a decaying sum, brought forward to `at`.
create table daira.affinity (
    viewer bigint not null,
    author bigint not null,
    sum    double precision not null,
    at     timestamptz not null,
    primary key (viewer, author)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- Pages of feeds as they were served: what makes posts "seen", and what "Why this?" is answered from.
create table daira.page_served (
    viewer  bigint      not null,
    at      timestamptz not null,
    posts   bigint[]    not null,
    reasons bytea[]     not null,
    check (cardinality(posts) = cardinality(reasons) and cardinality(posts) between 1 and 100)
) partition by range (at);
create index page_served_viewer on daira.page_served (viewer, at desc);

-- Frozen lists of feed sessions. Cut by the time in the session's id, so that the id alone is the key and the first of
-- two rebuilds wins.
create table daira.feed_session (
    session bigint      primary key,
    viewer  bigint      not null,
    posts   bigint[]    not null,
    reasons bytea[]     not null,
    at      timestamptz not null,
    check (cardinality(posts) = cardinality(reasons) and cardinality(posts) <= 500)
) partition by range (session);

-- Insert-only, grouped when read. The event and its time are the source's, so a repeated delivery is the same row.
create table daira.notification (
    recipient bigint      not null,
    event     bigint      not null,
    at        timestamptz not null,
    kind      smallint    not null check (kind between 1 and 7),
    actor     bigint      not null,
    post      bigint,
    comment   bigint,
    primary key (recipient, event, at)
) partition by range (at);
create index notification_list on daira.notification (recipient, at desc, event desc);

create table daira.notification_marker (
    profile bigint primary key,
    read_at timestamptz not null
);

-- Results of keyed requests, for 24 hours. An advisory lock, not a unique key, keeps two of one key apart.
create table daira.idempotency (
    who       text        not null,
    operation text        not null,
    key       text        not null check (octet_length(key) between 1 and 128),
    request   bytea       not null check (octet_length(request) = 32),
    result    bytea       not null check (octet_length(result) <= 512),
    at        timestamptz not null default now()
) partition by range (at);
create index idempotency_key on daira.idempotency (who, operation, key, at desc);

-- Who did what to which thing: ids and codes only. The program's roles can add a line and nothing else.
create table daira.audit (
    id      bigint generated always as identity,
    at      timestamptz not null,
    who     text        not null,
    action  text        not null check (octet_length(action) between 1 and 100),
    subject bigint      not null,
    detail  text        not null check (octet_length(detail) <= 2000)
) partition by range (at);
create index audit_subject on daira.audit (subject, at desc);

do $$
declare one text;
begin
    foreach one in array array['inbox', 'affinity', 'page_served', 'feed_session', 'notification', 'notification_marker',
        'idempotency', 'audit'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
    end loop;
    foreach one in array array['inbox', 'affinity', 'page_served', 'feed_session', 'notification', 'notification_marker'] loop
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.inbox for select to daira_app using (profile = (select daira.me()));
create policy own_all on daira.affinity to daira_app using (viewer = (select daira.me())) with check (viewer = (select daira.me()));
create policy own_read on daira.page_served for select to daira_app using (viewer = (select daira.me()));
create policy own_read on daira.feed_session for select to daira_app using (viewer = (select daira.me()));
create policy own_insert on daira.feed_session for insert to daira_app with check (viewer = (select daira.me()));
create policy own_read on daira.notification for select to daira_app using (recipient = (select daira.me()));
create policy own_all on daira.notification_marker to daira_app using (profile = (select daira.me())) with check (profile = (select daira.me()));

-- The name under which somebody stands in keys and in the audit trail; a part of the platform says its own.
create function daira.who() returns text language sql stable parallel safe
    return coalesce(daira.me()::text, 'anonymous');
grant execute on function daira.who() to daira_app, daira_worker;

create policy own_read on daira.idempotency for select to daira_app using (who = (select daira.who()));
create policy own_insert on daira.idempotency for insert to daira_app with check (who = (select daira.who()));
create policy worker_read on daira.idempotency for select to daira_worker using (who like 'system:%');
create policy worker_insert on daira.idempotency for insert to daira_worker with check (who like 'system:%');
create policy own_insert on daira.audit for insert to daira_app with check (who = (select daira.who()));
create policy worker_insert on daira.audit for insert to daira_worker with check (who like 'system:%');
create policy worker_read on daira.audit for select to daira_worker using (true);

grant select on daira.inbox, daira.page_served, daira.notification to daira_app;
grant select, insert, delete on daira.inbox to daira_worker;
grant select, insert, update (sum, at) on daira.affinity to daira_app, daira_worker;
grant select, insert on daira.page_served, daira.feed_session, daira.notification to daira_worker;
grant select, insert on daira.feed_session to daira_app;
grant select, insert, update (read_at) on daira.notification_marker to daira_app, daira_worker;
grant select, insert (who, operation, key, request, result) on daira.idempotency to daira_app, daira_worker;
grant insert (at, who, action, subject, detail) on daira.audit to daira_app, daira_worker;
grant select on daira.audit to daira_worker;

-- Takes a key for the rest of the transaction, then looks for its result: 0 fresh, 1 done before, 2 in flight, 3 used for
-- another request. One round trip, two statements: the look comes after the lock and therefore sees what the last holder
-- committed. Nobody waits.
create function daira.claim_key(owner text, of_operation text, wanted text, of_request bytea, out outcome smallint, out stored bytea)
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    found_request bytea;
begin
    if not pg_try_advisory_xact_lock(hashtextextended(owner || chr(31) || of_operation || chr(31) || wanted, 1)) then
        outcome := 2;
        return;
    end if;
    select i.request, i.result into found_request, stored
    from daira.idempotency i
    where i.who = owner and i.operation = of_operation and i.key = wanted and i.at >= now() - interval '24 hours'
    order by i.at desc
    limit 1;
    outcome := case when found_request is null then 0 when found_request = of_request then 1 else 3 end;
    if outcome = 3 then
        stored := null;
    end if;
end $$;
grant execute on function daira.claim_key(text, text, text, bytea) to daira_app, daira_worker;

insert into daira.partitioning (parent, unit, by_id, back, keep) values
    ('inbox', 'day', true, 9, 9),
    ('page_served', 'day', false, 1, 4),
    ('feed_session', 'day', true, 1, 2),
    ('idempotency', 'day', false, 1, 2),
    ('notification', 'month', false, 2, 6),
    ('audit', 'month', false, 1, null);
select daira.ensure_partitions(now(), 7);
