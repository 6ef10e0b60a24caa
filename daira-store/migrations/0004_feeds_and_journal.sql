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

-- How much a viewer has to do with an author: a decaying sum, brought forward to `at`.
create table daira.affinity (
    viewer bigint not null,
    author bigint not null,
    sum    double precision not null,
    at     timestamptz not null,
    primary key (viewer, author)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- Pages of feeds as they were served: what makes posts "seen", and what "Why this?" is answered from. Ids stand one after
-- another, eight bytes each, and so do the reasons, each after its length in two bytes: every first page writes one of these
-- and reads some, and arrays cost both sides a step for each element.
create table daira.page_served (
    viewer  bigint      not null,
    at      timestamptz not null,
    posts   bytea       not null check (octet_length(posts) % 8 = 0 and octet_length(posts) between 8 and 800),
    reasons bytea       not null
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

-- ------------------------------------------------------------------------------- what a first page asks, each in one go
--
-- Both functions say who asks, for their own statement alone, and answer from one snapshot, so that neither needs a
-- transaction around it: a first page of a feed is two round trips, and none after it. Inside, everything runs under row
-- security as the one who calls.

-- A run of a server, within which transactions are numbered on: when it started or, after a crash, when it threw its statistics
-- away. On a standby no two answers are of one run, because it does not know which transactions have not ended.
create function daira.server_run() returns timestamptz language sql volatile parallel safe
    return case when pg_catalog.pg_is_in_recovery() then pg_catalog.clock_timestamp()
                else greatest(pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_stat_get_bgwriter_stat_reset_time()) end;
grant execute on function daira.server_run() to daira_app, daira_worker;

-- Counters as five numbers of eight bytes each.
create function daira.packed(c daira.post_counter) returns bytea language sql immutable parallel safe
    return int8send(c.post) || int8send(c.version) || int8send(c.reactions) || int8send(c.comments) || int8send(c.impressions);
grant execute on function daira.packed(daira.post_counter) to daira_app, daira_worker;

-- The newest posts of somebody's sources down to the id `since` as parallel arrays, and sets about their authors, which tell whose posts may stand
-- there and rank them. Nothing is joined: what the sets mean is put together by the caller. A post's facts are its source (1 the
-- inbox, 2 own, 3 looked up) times 256, and its reason times 16, and its kind: one array less costs less to start than to
-- take apart.
--
-- The sets are all of the reader's ties, each read as one range, as long as no one of them is longer than `most`; then
-- `whole` is true, and the caller may keep them as those of `version` (the reader's own and the one of all) and say so next
-- time: while `known` is that version, nothing of them is read. Longer ones are looked into for the authors at hand; who
-- expects that says so by a negative `known`.
--
-- `stale` are the posts and profiles that changed since the snapshot `told`, and 0 for counters, or null when too much did;
-- `snapshot` is the one that all of this is of, and `server` the run of a server that it means something for.
--
-- With `seen_after` come the signals that rank, and the reader's reactions. They are packed: of each reaction the post in eight
-- bytes and the kind in two, of counters as said above. The caller who keeps the counters of all posts from the id `kept_from`
-- on gets, instead of those, what changed since `told` of counters of any posts. Then what has to do with single posts (deleted
-- since, shown to others, their authors hidden) is not looked at: the cards of the best are. Without, they are exact.
create function daira.home_sources(
        viewer bigint, viewer_account bigint, from_post bigint, below_post bigint, until_at timestamptz, taken bigint,
        seen_after timestamptz, seen_pages bigint, known bigint, known_pulled bigint[], most bigint, told text, kept_from bigint,
        out posts bigint[], out authors bigint[], out facts smallint[], out times timestamptz[], out since bigint,
        out version bigint, out whole boolean, out follows bigint[], out blocked bigint[], out muted bigint[], out pulled bigint[],
        out close bigint[], out sums double precision[], out sums_at timestamptz[],
        out hidden bigint[], out changed bigint[], out visible bigint[], out in_circle boolean[], out mentioned boolean[],
        out counts bytea, out seen bytea, out reacted bytea, out stale bigint[], out snapshot text, out server timestamptz)
    language plpgsql stable as $$
#variable_conflict use_variable
declare
    said text;
    reach bigint := (12 * 3600 * 1000)::bigint << 22;
    other_ways boolean;
    doubtful bigint[];
    told_snapshot pg_snapshot := told;
    now_snapshot pg_snapshot := pg_current_snapshot();
    most_stale constant integer := 10000;
begin
    said := set_config('daira.profile', viewer::text, true);
    said := set_config('daira.account', viewer_account::text, true);
    until_at := coalesce(until_at, 'infinity');
    -- Most find enough in the last half day, so nothing older is read before it is needed.
    loop
        since := greatest(from_post, below_post - reach);
        select array_agg(n.post), array_agg(n.author), array_agg(n.facts), array_agg(n.at), bool_or(n.facts between 288 and 511),
               (select coalesce(bit_xor(t.version), 0)
                from daira.tie_version t where t.profile in (0, viewer))
        into posts, authors, facts, times, other_ways, version
        from (
            (select i.post, i.author, (256 + 16 * i.reason + i.kind)::smallint as facts, i.at
             from daira.inbox i
             where i.profile = viewer and i.post >= since and i.post < below_post and i.at <= until_at
             order by i.post desc limit taken)
            union all
            (select p.id, p.author, (512 + 16 * 4 + p.kind)::smallint, null
             from daira.post p
             where p.author = viewer and p.id >= since and p.id < below_post and p.deleted_at is null
             order by p.id desc limit taken)
        ) n;
        exit when since <= from_post or cardinality(posts) >= taken;
        reach := reach * 4;
    end loop;
    -- What began after that snapshot, and what had not ended in it but has now: never a range that an old transaction holds open,
    -- nor, again and again, what a long one has not committed yet. While nothing committed, the snapshots are the same.
    snapshot := now_snapshot;
    if told = snapshot then
        stale := '{}';
    elsif told is not null then
        stale := array(select c.id from daira.card_change c
                       where c.xid >= pg_snapshot_xmax(told_snapshot) and c.xid < pg_snapshot_xmax(now_snapshot)
                       union all
                       select c.id from daira.card_change c
                       where c.xid = any (array(select x from pg_snapshot_xip(told_snapshot) x
                                                where pg_visible_in_snapshot(x, now_snapshot)))
                       limit most_stale);
        if kept_from is not null and 0 = any (stale) then
            counts := (select string_agg(daira.packed(c), '')
                       from (select c.* from daira.post_counter c
                             where c.xid >= pg_snapshot_xmax(told_snapshot) and c.xid < pg_snapshot_xmax(now_snapshot)
                             union all
                             select c.* from daira.post_counter c
                             where c.xid = any (array(select x from pg_snapshot_xip(told_snapshot) x
                                                      where pg_visible_in_snapshot(x, now_snapshot)))
                             limit most_stale) c);
        end if;
        if cardinality(stale) = most_stale or octet_length(counts) >= 40 * most_stale then
            stale := null;
            counts := null;
        end if;
    end if;
    server := daira.server_run();
    whole := known = version;
    if whole then
        pulled := known_pulled;
    elsif known is null or known >= 0 then
        select array(select f.followee from daira.follow f where f.follower = viewer order by f.followee limit most),
               array(select b.blocked from daira.block b where b.blocker = viewer order by b.blocked limit most)
               || array(select b.blocker from daira.block b where b.blocked_account = viewer_account order by b.blocker limit most),
               array(select m.muted from daira.mute m where m.muter = viewer and m.posts order by m.muted limit most),
               a.*
        into follows, blocked, muted, close, sums, sums_at
        from (select array_agg(a.author), array_agg(a.sum), array_agg(a.at)
              from (select a.author, a.sum, a.at from daira.affinity a where a.viewer = home_sources.viewer
                    order by a.author limit most) a) a;
        whole := greatest(cardinality(follows), cardinality(blocked), cardinality(muted), cardinality(close)) < most;
    end if;
    -- Each by its key, so that no plan can pair the two lists with each other.
    if pulled is null and whole then
        pulled := array(select a.author from daira.pull_author a where a.author = any (follows));
    elsif pulled is null then
        pulled := array(select a.author from daira.pull_author a
                        where a.latest >= since
                          and exists (select from daira.follow f where f.follower = viewer and f.followee = a.author offset 0));
    end if;
    if pulled <> '{}' then
        select posts || array_agg(n.id), authors || array_agg(n.author), facts || array_agg(n.facts), times || array_agg(n.at)
        into posts, authors, facts, times
        from (
            select p.id, p.author, (768 + 16 + p.kind)::smallint as facts, greatest(daira.id_at(p.id), f.at) as at
            from daira.follow f
            cross join lateral (
                select q.id, q.author, q.kind
                from daira.post q
                where q.author = f.followee and q.delivery = 2 and q.id >= since and q.id < below_post and q.deleted_at is null
                  and greatest(daira.id_at(q.id), f.at) <= until_at
                order by q.id desc limit taken) p
            where f.follower = viewer and f.followee = any (pulled)
            order by p.id desc limit taken
        ) n;
    end if;
    if posts is null then
        return;
    end if;
    if not whole then
        select array(select f.followee from daira.follow f where f.follower = viewer and f.followee = any (authors)),
               array(select b.blocked from daira.block b where b.blocker = viewer and b.blocked = any (authors)
                     union all
                     select b.blocker from daira.block b where b.blocked_account = viewer_account and b.blocker = any (authors)),
               array(select m.muted from daira.mute m where m.muter = viewer and m.posts and m.muted = any (authors)),
               a.*
        into follows, blocked, muted, close, sums, sums_at
        from (select array_agg(a.author), array_agg(a.sum), array_agg(a.at)
              from daira.affinity a where a.viewer = home_sources.viewer and a.author = any (authors)) a;
    end if;
    if seen_after is null then
        select array(select p.id from daira.profile p where p.standing <> 0 and p.id = any (authors)),
               array(select c.post from daira.post_changed c where c.post = any (posts))
        into hidden, changed;
    end if;
    if other_ways or changed <> '{}' then
        doubtful := array(select o.post from unnest(facts, posts) o (facts, post)
                          where o.facts between 288 and 511 or (o.facts < 288 and o.post = any (changed)));
        select array_agg(p.id), array_agg(p.visibility = 3), array_agg(coalesce(viewer = any (p.mentions), false))
        into visible, in_circle, mentioned
        from daira.visible_post p where p.id = any (doubtful);
    end if;
    if seen_after is not null then
        select (select string_agg(s.posts, '')
                from (select s.posts from daira.page_served s
                      where s.viewer = home_sources.viewer and s.at > seen_after and s.at <= until_at
                      order by s.at desc limit seen_pages) s),
               (select string_agg(int8send(r.target) || int2send(r.kind), '')
                from daira.reaction r
                where r.by = viewer and not r.on_comment and r.target >= since and r.target < below_post)
        into seen, reacted;
        if kept_from is null or since < kept_from then
            counts := coalesce(counts, '') || coalesce((
                select string_agg(daira.packed(c), '')
                from unnest(posts) u (post) join daira.post_counter c on c.post = u.post
                where kept_from is null or u.post < kept_from), '');
        end if;
    end if;
end $$;

-- Posts with all that is shown of them, as far as the one who asks may see them. Who names the version of their ties asks for
-- candidates: their counters are known, and those with a block between are left out already, so that neither is looked
-- at while the version is that one.
create function daira.cards(viewer bigint, viewer_account bigint, ids bigint[], known bigint)
        returns table (
            id bigint, author bigint, visibility smallint, replies smallint, delivery smallint, kind smallint, version integer,
            circle bigint, edited_at timestamptz, deleted_at timestamptz, text text, warning text, media bigint[], alts text[],
            mentions bigint[], tags text[], spellings text[],
            author_account bigint, author_handle text, author_name text, author_bio text, author_links text[], author_avatar bigint,
            author_kind smallint, author_private boolean, author_standing smallint, author_created_at timestamptz, author_version integer,
            reactions bigint, comments bigint, viewer_reaction smallint, server timestamptz)
    language plpgsql stable as $$
#variable_conflict use_column
declare
    said text;
    run constant timestamptz := daira.server_run();
begin
    said := set_config('daira.profile', coalesce(viewer::text, ''), true);
    said := set_config('daira.account', coalesce(viewer_account::text, ''), true);
    if known is not null then
        return query
        select p.*, 0::bigint, 0::bigint,
               (select r.kind from daira.reaction r where r.target = p.id and not r.on_comment and r.by = cards.viewer), run
        from daira.standing_post p
        where p.id = any (ids)
          and known = (select coalesce(bit_xor(t.version), 0)
                       from daira.tie_version t where t.profile in (0, viewer));
        if found then
            return;
        end if;
    end if;
    return query
    select p.*, coalesce(c.reactions, 0), coalesce(c.comments, 0),
           (select r.kind from daira.reaction r where r.target = p.id and not r.on_comment and r.by = cards.viewer), run
    from daira.visible_post p
    left join daira.post_counter c on c.post = p.id
    where p.id = any (ids);
end $$;

grant execute on function
    daira.home_sources(bigint, bigint, bigint, bigint, timestamptz, bigint, timestamptz, bigint, bigint, bigint[], bigint, text, bigint),
    daira.cards(bigint, bigint, bigint[], bigint) to daira_app, daira_worker;
