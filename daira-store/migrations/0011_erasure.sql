-- Erasing accounts: when one is to go, how what is theirs is found, and the functions that take it away.
--
-- The roles of programs delete no account, no notification and no key. What they do is call these functions, and they take
-- away only what is of an account that is deleted already.

alter table daira.account add column leaving_at timestamptz;
comment on column daira.account.leaving_at is 'when it is to be erased, at its owner''s wish';
grant update (leaving_at) on daira.account to daira_app, daira_worker;

alter table daira.comment alter column author drop not null;
comment on column daira.comment.author is 'null: whoever wrote it is erased, and answers of others hang on it';

-- 14: deletion asked for, 15: erased, which is nobody's any more
alter table daira.mailing drop constraint mailing_check;
alter table daira.mailing add constraint mailing_check check ((kind in (0, 11, 15)) = (account is null)) not valid;
alter table daira.mailing validate constraint mailing_check;

-- Each was made before the first release, so no table that anybody waits for has rows.
-- before the first release
create index account_leaving on daira.account (leaving_at) where leaving_at is not null;
-- before the first release
create index handle_profile on daira.handle (profile) where profile is not null;
-- before the first release
create index session_profile on daira.session (profile);
-- before the first release
create index mute_muted on daira.mute (muted);
-- before the first release
create index circle_member_member on daira.circle_member (member);
-- before the first release
create index comment_author on daira.comment (author, depth);
-- before the first release
create index media_owner on daira.media (owner);
-- before the first release
create index affinity_author on daira.affinity (author);
-- before the first release
create index notification_actor on daira.notification (actor);

-- What the functions below look at and take away.
do $$
declare one text;
begin
    foreach one in array array['follow_request', 'block', 'mute', 'circle', 'circle_member', 'post', 'comment', 'reaction',
        'comment_counter', 'profile_counter', 'pull_author', 'inbox', 'affinity', 'page_served', 'notification',
        'notification_marker', 'idempotency', 'takedown', 'app_grant'] loop
        execute format('create policy reader on daira.%I to daira_reader using (true) with check (true)', one);
    end loop;
end $$;
grant select, delete on daira.account, daira.profile, daira.handle, daira.session, daira.follow, daira.follow_request, daira.block,
    daira.mute, daira.circle, daira.circle_member, daira.comment, daira.reaction, daira.comment_counter,
    daira.profile_counter, daira.tie_version, daira.pull_author, daira.inbox, daira.affinity, daira.page_served,
    daira.notification, daira.notification_marker, daira.idempotency, daira.takedown, daira.registration,
    daira.mailing, daira.app_grant, daira.app_code to daira_reader;
grant select on daira.post to daira_reader;
grant update (version) on daira.account to daira_reader;  -- to lock it
grant update (author, text, edited_at, deleted_at, taken_down_at, version) on daira.comment to daira_reader;

-- The faces of an account that is being erased; nothing where it is gone. Whoever is not deleted is not erased.
create function daira.erased_faces(whose bigint) returns bigint[]
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    stands smallint;
begin
    select a.state into stands from daira.account a where a.id = whose for update;
    if stands <> 4 then
        raise insufficient_privilege using message = 'an account that is not deleted is not erased';
    end if;
    return array(select p.id from daira.profile p where p.account = whose order by p.id);
end $$;

-- Takes away at most so many rows of the first kind that is there, of those that others have to be told of: follows (1) and blocks
-- (2) with both ends, reactions (3) with what they were given to, who made that and which they were, on a comment or not,
-- comments (4) with their post, parent and author, counted nowhere or not. The deepest comments go first; one on which answers
-- hang stays, and says nothing.
create function daira.erase_told(whose bigint, most integer, at timestamptz)
        returns table (what smallint, one bigint, two bigint, three bigint, four bigint, flag boolean)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    faces constant bigint[] := daira.erased_faces(whose);
    deepest smallint;
begin
    return query
    with gone as (
        delete from daira.follow f where f.ctid = any (array(
            select e.ctid from (
                (select x.ctid from daira.follow x where x.follower = any (faces) limit most)
                union
                (select x.ctid from daira.follow x where x.followee = any (faces) limit most)) e
            limit most))
        returning f.follower, f.followee)
    select 1::smallint, g.follower, g.followee, 0::bigint, 0::bigint, false from gone g;
    if found then return; end if;

    return query
    with gone as (
        delete from daira.block b where b.ctid = any (array(
            select e.ctid from (
                (select x.ctid from daira.block x where x.blocker = any (faces) limit most)
                union
                (select x.ctid from daira.block x where x.blocked_account = whose limit most)) e
            limit most))
        returning b.blocker, b.blocked)
    select 2::smallint, g.blocker, g.blocked, 0::bigint, 0::bigint, false from gone g;
    if found then return; end if;

    return query
    with gone as (
        delete from daira.reaction r where r.ctid = any (array(
            select x.ctid from daira.reaction x where x.by = any (faces) limit most))
        returning r.by, r.target, r.on_comment, r.kind)
    select 3::smallint, g.by, g.target, coalesce(p.author, c.author, 0), g.kind::bigint, g.on_comment
    from gone g
    left join daira.post p on p.id = g.target and not g.on_comment
    left join daira.comment c on c.id = g.target and g.on_comment;
    if found then return; end if;

    select max(m.depth) into deepest
    from unnest(faces) f
    cross join lateral (select c.depth from daira.comment c where c.author = f order by c.depth desc limit 1) m;
    if deepest is null then return; end if;
    return query
    with doomed as materialized (
        select c.id, c.post, c.parent, c.author, c.deleted_at is not null or c.taken_down_at is not null as uncounted,
               exists (select from daira.comment k where k.parent = c.id) as answered
        from daira.comment c where c.author = any (faces) and c.depth = deepest order by c.id limit most for update),
    let_go as (delete from daira.takedown t using doomed d where t.kind = 2 and t.subject = d.id),
    unmoved as (delete from daira.reaction r using doomed d where r.target = d.id and r.on_comment and not d.answered),
    uncounted as (delete from daira.comment_counter n using doomed d where n.comment = d.id and not d.answered),
    emptied as (
        update daira.comment c
        set author = null, text = '', edited_at = null, deleted_at = coalesce(c.deleted_at, erase_told.at), taken_down_at = null,
            version = c.version + 1
        from doomed d where c.id = d.id and d.answered),
    removed as (delete from daira.comment c using doomed d where c.id = d.id and not d.answered)
    select 4::smallint, d.id, d.post, coalesce(d.parent, 0), d.author, d.uncounted from doomed d;
end $$;

-- Takes away everything else, about so many rows, and the faces and the account when nothing of them is left; says whether that is
-- so. Whatever else is an account's goes with it by foreign keys.
create function daira.erase_rest(whose bigint, most integer) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    faces constant bigint[] := daira.erased_faces(whose);
    own record;
    gone integer;
    total integer := 0;
begin
    for own in
        select * from (values
            ('follow_request', 'follower = any ($1)'), ('follow_request', 'followee = any ($1)'),
            ('mute', 'muter = any ($1)'), ('mute', 'muted = any ($1)'),
            ('circle_member', 'member = any ($1)'), ('circle_member', 'owner = any ($1)'), ('circle', 'owner = any ($1)'),
            ('affinity', 'viewer = any ($1)'), ('affinity', 'author = any ($1)'),
            ('notification_marker', 'profile = any ($1)'), ('takedown', 'owner = any ($1)'),
            ('app_code', 'account = $2 or app in (select a.id from daira.app a where a.owner = $2)'),
            ('app_grant', 'account = $2'), ('app_grant', 'app in (select a.id from daira.app a where a.owner = $2)'),
            ('session', 'account = $2'), ('handle', 'profile = any ($1)'), ('pull_author', 'author = any ($1)'),
            ('profile_counter', 'profile = any ($1)'),
            ('registration', 'email = (select a.email from daira.account a where a.id = $2)'),
            ('mailing', 'account = $2 or (account is null and kind <> 15 and (
                 email = (select a.email from daira.account a where a.id = $2)
                 or phone = (select n.number from daira.phone n where n.account = $2)))')
        ) v (name, rule)
    loop
        execute format('delete from daira.%1$I where ctid = any (array(select ctid from daira.%1$I where %2$s limit $3))', own.name, own.rule)
            using faces, whose, most;
        get diagnostics gone = row_count;
        total := total + gone;
        if total >= most then return false; end if;
    end loop;

    -- Cut by age: a row is found by its key, for places are of one partition alone.
    delete from daira.notification n
    using (select x.recipient, x.event, x.at from daira.notification x where x.recipient = any (faces) limit most) d
    where n.recipient = d.recipient and n.event = d.event and n.at = d.at;
    get diagnostics gone = row_count;
    total := total + gone;
    delete from daira.notification n
    using (select x.recipient, x.event, x.at from daira.notification x where x.actor = any (faces) limit most) d
    where n.recipient = d.recipient and n.event = d.event and n.at = d.at;
    get diagnostics gone = row_count;
    total := total + gone;
    if total >= most then return false; end if;
    delete from daira.inbox where profile = any (faces);
    delete from daira.page_served where viewer = any (faces);
    delete from daira.idempotency where who = any (faces::text[]);

    delete from daira.tie_version where profile = any (faces);
    delete from daira.profile where account = whose;
    delete from daira.account where id = whose;
    return true;
end $$;

do $$
declare one regprocedure;
begin
    foreach one in array array['daira.erased_faces(bigint)', 'daira.erase_told(bigint, integer, timestamptz)',
        'daira.erase_rest(bigint, integer)']::regprocedure[] loop
        execute format('alter function %s owner to daira_reader', one);
        execute format('grant execute on function %s to daira_worker', one);
    end loop;
end $$;
