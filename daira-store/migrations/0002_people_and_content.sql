-- People, their edges, and what they publish.
--
-- Row security answers one question: may this person ever learn this row. Own rows are one's own; edges are known to
-- both ends and, where the lists they stand in are open, to everybody; a post is known to its author and, while it
-- lives, to the class of people it is for. Blocks, standing and the like come on top, in the views at the end.
--
-- How policies are written here:
-- * Who asks is an InitPlan, `(select daira.me())`, computed once per statement.
-- * Membership is a key probe, `exists (… offset 0)`: the planner cannot turn it into a hash of somebody's whole list.
-- * A row that a decision rests on is locked by others than its owner, and locking takes the policies of UPDATE: there
--   USING says what SELECT says, WITH CHECK says whose it must be (or, for rows that never change, `false`), and the
--   column grants leave the owner's columns out.
-- * Edges carry no foreign keys to profiles: those would lock a famous person's row with every follow. Profiles are
--   never deleted, so there is nothing to dangle.

-- ---------------------------------------------------------------------------------------------------------- accounts

create table daira.account (
    id              bigint primary key,
    email           text collate "C" not null constraint account_email unique check (octet_length(email) between 3 and 254),
    state           smallint not null default 0 check (state between 0 and 4),  -- active, restricted, suspended, deactivated, deleted
    suspended_until timestamptz check ((state = 2) = (suspended_until is not null)),
    birth_date      date not null,
    locale          text not null check (locale in ('ar', 'en')),
    created_at      timestamptz not null,
    version         integer not null check (version > 0)
);
comment on table daira.account is 'the private root of a person; its id is in no answer and in no token';

create table daira.credential (
    account       bigint primary key references daira.account on delete cascade,
    password_hash text not null check (octet_length(password_hash) <= 1024)
);

create table daira.registration (
    id            bigint primary key,
    email         text collate "C" not null check (octet_length(email) between 3 and 254),
    password_hash text not null check (octet_length(password_hash) <= 1024),
    handle        text collate "C" not null check (handle ~ '^[a-z0-9_.]{3,30}$'),
    name          text not null check (char_length(name) <= 3200),
    birth_date    date not null,
    locale        text not null check (locale in ('ar', 'en')),
    attempts      smallint not null default 0 check (attempts >= 0),
    created_at    timestamptz not null,
    expires_at    timestamptz not null
);
create index registration_expires on daira.registration (expires_at);
create index registration_email on daira.registration (email, expires_at);

create table daira.mailing (
    id         bigint primary key,
    kind       smallint not null check (kind between 0 and 3),  -- password reset, new e-mail, password changed, e-mail changed
    email      text collate "C" not null check (octet_length(email) between 3 and 254),
    account    bigint references daira.account on delete cascade,
    locale     text not null check (locale in ('ar', 'en')),
    attempts   smallint not null default 0 check (attempts >= 0),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check ((kind = 0) = (account is null))
);
create index mailing_expires on daira.mailing (expires_at);
create index mailing_account on daira.mailing (account);
comment on table daira.mailing is 'mails that are due, and what who receives them can do until they lapse';

create table daira.profile (
    id         bigint primary key,
    account    bigint not null references daira.account,
    handle     text collate "C" not null check (handle ~ '^[a-z0-9_.]{3,30}$'),
    name       text not null check (char_length(name) <= 3200),
    bio        text not null check (char_length(bio) <= 16000),
    links      text[] not null check (cardinality(links) <= 5),
    avatar     bigint,
    kind       smallint not null default 0 check (kind between 0 and 3),      -- regular, creator, verified creator, brand
    private    boolean not null default false,
    standing   smallint not null default 0 check (standing between 0 and 2),  -- live, hidden, gone
    created_at timestamptz not null,
    version    integer not null check (version > 0)
);
create unique index profile_handle on daira.profile (handle) where standing < 2;
create index profile_account on daira.profile (account);
create index profile_avatar on daira.profile (avatar) where avatar is not null;
create index profile_hidden on daira.profile (id) where standing <> 0;

create table daira.handle (
    handle       text collate "C" primary key check (handle ~ '^[a-z0-9_.]{3,30}$'),
    profile      bigint,       -- the profile that holds it or, with `until`, held it
    registration bigint,       -- the registration that holds it
    until        timestamptz,  -- when the hold lapses
    check (num_nonnulls(profile, registration) = 1),
    check (registration is null or until is not null)
);

create table daira.session (
    id              bigint primary key,
    account         bigint not null references daira.account on delete cascade,
    profile         bigint not null references daira.profile,
    device          text not null check (char_length(device) <= 400),
    salt            bytea not null check (octet_length(salt) = 16),
    generation      integer not null check (generation >= 0),
    seen_generation integer not null,
    rotated_at      timestamptz not null,
    created_at      timestamptz not null,
    last_used_at    timestamptz not null,
    expires_at      timestamptz not null,
    revoked_at      timestamptz
) with (fillfactor = 80);
create index session_account on daira.session (account);
create index session_revoked on daira.session (revoked_at) where revoked_at is not null;

-- ------------------------------------------------------------------------------------------------------------- graph

create table daira.follow (
    follower bigint not null,
    followee bigint not null,
    at       timestamptz not null,
    primary key (follower, followee),
    check (follower <> followee)
);
create index follow_followee on daira.follow (followee, follower);
create index follow_followers on daira.follow (followee, at desc, follower desc);
create index follow_following on daira.follow (follower, at desc, followee desc);

create table daira.follow_request (
    follower bigint not null,
    followee bigint not null,
    at       timestamptz not null,
    primary key (follower, followee),
    check (follower <> followee)
);
create index follow_request_list on daira.follow_request (followee, at desc, follower desc);

create table daira.block (
    blocker         bigint not null,
    blocked         bigint not null,
    blocked_account bigint not null,
    at              timestamptz not null,
    primary key (blocker, blocked),
    check (blocker <> blocked)
);
create index block_account on daira.block (blocked_account, blocker);

create table daira.mute (
    muter         bigint not null,
    muted         bigint not null,
    posts         boolean not null,
    stories       boolean not null,
    notifications boolean not null,
    at            timestamptz not null,
    primary key (muter, muted),
    check (muter <> muted),
    check (posts or stories or notifications)
);

-- A number that is drawn anew whenever what ties somebody to others changes: whom they follow, mute and block, who blocks them,
-- and how much they have to do with whom. A process may keep that in mind as long as this number stands. Under 0: whenever
-- an author became one who is looked up. Drawn, not counted: a count comes by again after a restore or a failover that
-- lost some commits.
create table daira.tie_version (
    profile bigint primary key,
    version bigint not null check (version >= 0)
) with (fillfactor = 70);
create function daira.drawn_version() returns bigint language sql volatile
    return pg_catalog.floor(pg_catalog.random() * 4611686018427387904)::bigint;

create table daira.circle (
    id         bigint primary key,
    owner      bigint not null references daira.profile,
    name       text not null check (char_length(name) between 1 and 1600),
    created_at timestamptz not null,
    version    integer not null check (version > 0),
    unique (id, owner)
);
create index circle_owner on daira.circle (owner);

create table daira.circle_member (
    circle bigint not null,
    member bigint not null,
    owner  bigint not null,
    at     timestamptz not null,
    primary key (circle, member),
    foreign key (circle, owner) references daira.circle (id, owner) on delete cascade,
    check (member <> owner)
);
create index circle_member_owner on daira.circle_member (owner, member);

-- ----------------------------------------------------------------------------------------------------------- content

create table daira.post (
    id         bigint primary key,
    author     bigint not null references daira.profile,
    visibility smallint not null check (visibility between 1 and 6),  -- public, followers, circle, mentioned, private, unlisted
    replies    smallint not null check (replies between 1 and 5),     -- everyone, followers, following, mentioned, nobody
    delivery   smallint not null check (delivery in (1, 2)),          -- push, pull
    kind       smallint not null check (kind in (0, 1)),              -- text, image
    version    integer not null check (version > 0),
    circle     bigint check ((visibility = 3) = (circle is not null)),
    edited_at  timestamptz,
    deleted_at timestamptz,
    text       text not null check (octet_length(text) <= 70400),
    warning    text check (octet_length(warning) <= 6400),
    -- What hangs on it and changes only with it lies in its row, null when there is nothing: a card is one row.
    media      bigint[] check (cardinality(media) between 1 and 10),
    alts       text[] check (cardinality(alts) is not distinct from cardinality(media)),
    mentions   bigint[] check (cardinality(mentions) between 1 and 200),
    tags       text[] check (cardinality(tags) between 1 and 200),
    spellings  text[] check (cardinality(spellings) is not distinct from cardinality(tags)),
    check (array_position(media, null) is null and array_position(mentions, null) is null),
    check (kind = (media is not null)::integer)
);
comment on column daira.post.id is 'drawn at publication: its time is when the post became visible';
create index post_author on daira.post (author, id desc);
create index post_pull on daira.post (author, id desc) where delivery = 2;
create index post_public on daira.post (id desc) where visibility = 1 and deleted_at is null;
create index post_push on daira.post (id) where delivery = 1;
create index post_deleted on daira.post (deleted_at, id) where deleted_at is not null;

-- Posts whose readers may have become others since they were published: deleted, restored, shown to another class. What
-- was true at delivery still is for all the rest, so a feed looks at these alone. Pruned with the inboxes' days, hence
-- without a foreign key.
create table daira.post_changed (
    post bigint primary key
);

-- Posts and profiles of which a row is no longer what it was, by the transaction that changed it; for a day. A process that
-- keeps such rows asks what is new here since a snapshot that it remembers. Zero stands for counters of any posts.
create table daira.card_change (
    xid xid8        not null default pg_current_xact_id(),
    id  bigint      not null,  -- of a post or a profile, or 0
    at  timestamptz not null default now()
);
create index card_change_new on daira.card_change (xid) include (id);
create index card_change_old on daira.card_change (at);

-- Authors who are looked up by their readers, and their latest such post.
create table daira.pull_author (
    author bigint primary key references daira.profile,
    latest bigint not null
);

create table daira.post_revision (
    post        bigint not null references daira.post on delete cascade,
    version     integer not null,
    text        text not null,
    warning     text,
    replaced_at timestamptz not null,
    primary key (post, version)
);

create table daira.hashtag (
    key        text collate "C" primary key check (octet_length(key) between 1 and 2048),
    spelling   text not null,
    created_at timestamptz not null default now()
);

-- Which public posts stand under a tag. Posts for fewer people are in no list of a tag, so they are not here.
create table daira.post_tag (
    tag  text collate "C" not null,
    post bigint not null references daira.post on delete cascade,
    primary key (tag, post)
);
create index post_tag_post on daira.post_tag (post);

create table daira.comment (
    id         bigint primary key,
    post       bigint not null references daira.post on delete cascade,
    parent     bigint references daira.comment on delete cascade,
    author     bigint not null references daira.profile,
    depth      smallint not null check (depth between 1 and 10 and (depth = 1) = (parent is null)),
    version    integer not null check (version > 0),
    edited_at  timestamptz,
    deleted_at timestamptz,
    text       text not null check (octet_length(text) <= 32000)
);
-- Row security lets an index see a bare column and nothing that is computed from it, not even a coalesce: answers to a post
-- and answers to a comment are found by one plain index each.
create index comment_thread on daira.comment (post, id desc);
create index comment_answers on daira.comment (parent, id desc) where parent is not null;

-- One table for both kinds of target, so that "one per person and target" is one primary key. Targets are locked or
-- present when a reaction comes; the purge of a post takes its reactions along.
create table daira.reaction (
    target     bigint not null,
    on_comment boolean not null,
    by         bigint not null,
    kind       smallint not null check (kind between 1 and 5),  -- like, love, laugh, sad, angry
    at         timestamptz not null,
    -- By person first: a feed asks for somebody's reactions to the posts of some days, as one range.
    primary key (by, on_comment, target) include (kind)
);
create index reaction_list on daira.reaction (target, on_comment, at desc, by desc);

create table daira.media (
    id         bigint primary key,
    owner      bigint not null references daira.profile,
    width      integer not null check (width > 0),
    height     integer not null check (height > 0),
    blurhash   text not null check (octet_length(blurhash) <= 200),
    alt        text not null check (octet_length(alt) <= 32000),
    variants   jsonb not null check (jsonb_typeof(variants) = 'array'),
    post       bigint references daira.post on delete set null deferrable initially deferred,
    attached   boolean not null default false,
    created_at timestamptz not null
);
create index media_post on daira.media (post) where post is not null;
create index media_free on daira.media (created_at, id) where not attached;

-- ---------------------------------------------------------------------------------------------------------- counters

-- Views of the rows, written by one consumer. Narrow, with room for updates in place, vacuumed early. Rows of posts that live are
-- set to zero, never deleted.
--
-- Which transaction changed the counters of a post last, and how often they changed, lets processes keep them. Such a change writes
-- the indexes anew. Impressions only rank, in steps of eight and more; most of them are within a step and no change.
create table daira.post_counter (
    post        bigint primary key,
    reactions   bigint not null default 0,
    comments    bigint not null default 0,
    impressions bigint not null default 0,
    version     bigint not null default 1,
    xid         xid8 not null default pg_current_xact_id()
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index post_counter_changed on daira.post_counter (xid);

-- A feed looks up dozens at once: a bucket each instead of a descent.
create index post_counter_look_up on daira.post_counter using hash (post);

create table daira.comment_counter (
    comment   bigint primary key,
    reactions bigint not null default 0,
    replies   bigint not null default 0
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create table daira.profile_counter (
    profile   bigint primary key,
    posts     bigint not null default 0,
    followers bigint not null default 0,
    following bigint not null default 0
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- -------------------------------------------------------------------------------------------------- row security: on

do $$
declare one text;
begin
    foreach one in array array['account', 'credential', 'registration', 'mailing', 'profile', 'handle', 'session', 'follow',
        'follow_request', 'block', 'mute', 'tie_version', 'circle', 'circle_member', 'post', 'post_changed', 'card_change', 'pull_author', 'post_revision', 'hashtag', 'post_tag',
        'comment', 'reaction', 'media', 'post_counter', 'comment_counter', 'profile_counter'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        -- Consumers and jobs work for everybody; what they may do at all is decided by the grants.
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
    -- What the definer functions look at or change.
    foreach one in array array['account', 'credential', 'registration', 'mailing', 'profile', 'handle', 'session', 'follow',
        'tie_version', 'card_change'] loop
        execute format('create policy reader on daira.%I to daira_reader using (true) with check (true)', one);
    end loop;
end $$;

-- ---------------------------------------------------------------------------------------------- row security: people

create policy own_read on daira.account for select to daira_app using (id = (select daira.my_account()));
create policy own_insert on daira.account for insert to daira_app with check (id = (select daira.my_account()));
create policy own_update on daira.account for update to daira_app
    using (id = (select daira.my_account())) with check (id = (select daira.my_account()));

create policy own_read on daira.credential for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.credential for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.credential for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));

-- Anybody may register; nobody may look, except by id through the functions below.
create policy anybody_insert on daira.registration for insert to daira_app with check (true);
create policy anybody_insert on daira.mailing for insert to daira_app
    with check (account is null or account = (select daira.my_account()));

-- That a face exists is public; whether it is shown is the policy's business.
create policy anybody_read on daira.profile for select to daira_app using (true);
create policy own_insert on daira.profile for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.profile for update to daira_app using (true) with check (account = (select daira.my_account()));

create policy own_read on daira.session for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.session for insert to daira_app
    with check (account = (select daira.my_account()) and exists (
        select from daira.profile p where p.id = session.profile and p.account = session.account offset 0));
create policy own_update on daira.session for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));

-- ----------------------------------------------------------------------------------------------- row security: graph

-- Whether whom a profile follows, and who follows it, is open to the one who asks: a definer function, because the
-- policy of a table cannot look at the table itself.
create function daira.lists_open(of_profile bigint) returns boolean
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from daira.profile p
        where p.id = of_profile
          and (not p.private or p.id = daira.me()
               or exists (select from daira.follow f where f.follower = daira.me() and f.followee = p.id))
    );
end;

create policy known_read on daira.follow for select to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me()) or daira.lists_open(followee) or daira.lists_open(follower));
create policy ends_insert on daira.follow for insert to daira_app
    with check (follower = (select daira.me()) or (followee = (select daira.me()) and (
        exists (select from daira.follow_request r where r.follower = follow.follower and r.followee = follow.followee offset 0)
        or exists (select from daira.profile p where p.id = follow.followee and not p.private offset 0))));
create policy lock_only on daira.follow for update to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me())) with check (false);
create policy ends_delete on daira.follow for delete to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me()));

create policy ends_read on daira.follow_request for select to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me()));
create policy own_insert on daira.follow_request for insert to daira_app with check (follower = (select daira.me()));
create policy lock_only on daira.follow_request for update to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me())) with check (false);
create policy ends_delete on daira.follow_request for delete to daira_app
    using (follower = (select daira.me()) or followee = (select daira.me()));

create policy sides_read on daira.block for select to daira_app
    using (blocker = (select daira.me()) or blocked_account = (select daira.my_account()));
create policy own_insert on daira.block for insert to daira_app
    with check (blocker = (select daira.me()) and exists (
        select from daira.profile p where p.id = block.blocked and p.account = block.blocked_account offset 0));
create policy own_delete on daira.block for delete to daira_app using (blocker = (select daira.me()));

create policy own_all on daira.mute to daira_app using (muter = (select daira.me())) with check (muter = (select daira.me()));
create policy own_read on daira.tie_version for select to daira_app using (profile = 0 or profile = (select daira.me()));
create policy own_all on daira.circle to daira_app using (owner = (select daira.me())) with check (owner = (select daira.me()));

create policy ends_read on daira.circle_member for select to daira_app
    using (member = (select daira.me()) or owner = (select daira.me()));
create policy own_insert on daira.circle_member for insert to daira_app with check (owner = (select daira.me()));
create policy lock_only on daira.circle_member for update to daira_app
    using (member = (select daira.me()) or owner = (select daira.me())) with check (false);
create policy ends_delete on daira.circle_member for delete to daira_app
    using (member = (select daira.me()) or owner = (select daira.me()));

-- --------------------------------------------------------------------------------------------- row security: content

-- Whether the one who asks is in a circle or among the mentioned. A function, so that the statements that read posts, few of
-- which are for chosen people, do not carry its plan.
create function daira.am_chosen(of_circle bigint, mentioned bigint[]) returns boolean
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if of_circle is not null then
        return exists (select from daira.circle_member m where m.circle = of_circle and m.member = daira.me());
    end if;
    return coalesce(daira.me() = any (mentioned), false);
end $$;

create policy class_read on daira.post for select to daira_app using (
    author = (select daira.me())
    or (deleted_at is null and (
        visibility in (1, 6)
        or (visibility = 2 and exists (
            select from daira.follow f where f.follower = (select daira.me()) and f.followee = post.author offset 0))
        or (visibility in (3, 4) and daira.am_chosen(circle, mentions))
    ))
);
create policy own_insert on daira.post for insert to daira_app with check (author = (select daira.me()));
create policy own_update on daira.post for update to daira_app using (
    author = (select daira.me())
    or (deleted_at is null and (
        visibility in (1, 6)
        or (visibility = 2 and exists (
            select from daira.follow f where f.follower = (select daira.me()) and f.followee = post.author offset 0))
        or (visibility in (3, 4) and daira.am_chosen(circle, mentions))
    ))
) with check (author = (select daira.me()));

create policy anybody_read on daira.card_change for select to daira_app using (true);
create policy anybody_read on daira.post_changed for select to daira_app using (true);
create policy own_insert on daira.post_changed for insert to daira_app
    with check (exists (select from daira.post p where p.id = post_changed.post and p.author = (select daira.me()) offset 0));
create policy anybody_read on daira.pull_author for select to daira_app using (true);
create policy own_write on daira.pull_author for insert to daira_app with check (author = (select daira.me()));
create policy own_update on daira.pull_author for update to daira_app
    using (author = (select daira.me())) with check (author = (select daira.me()));

create policy post_read on daira.post_revision for select to daira_app
    using (exists (select from daira.post p where p.id = post_revision.post offset 0));
create policy own_insert on daira.post_revision for insert to daira_app
    with check (exists (select from daira.post p where p.id = post_revision.post and p.author = (select daira.me()) offset 0));

create policy anybody_read on daira.hashtag for select to daira_app using (true);
create policy member_insert on daira.hashtag for insert to daira_app with check ((select daira.me()) is not null);

create policy anybody_read on daira.post_tag for select to daira_app using (true);
create policy own_insert on daira.post_tag for insert to daira_app with check (exists (
    select from daira.post p where p.id = post_tag.post and p.author = (select daira.me()) and p.visibility = 1 offset 0));
create policy own_delete on daira.post_tag for delete to daira_app using (exists (
    select from daira.post p where p.id = post_tag.post and p.author = (select daira.me()) offset 0));

create policy post_read on daira.comment for select to daira_app
    using (author = (select daira.me()) or exists (select from daira.post p where p.id = comment.post offset 0));
create policy own_insert on daira.comment for insert to daira_app with check (author = (select daira.me()));
create policy own_update on daira.comment for update to daira_app
    using (author = (select daira.me()) or exists (select from daira.post p where p.id = comment.post offset 0))
    with check (author = (select daira.me())
        or exists (select from daira.post p where p.id = comment.post and p.author = (select daira.me()) offset 0));

-- Whether a reaction's target may be known. A function, so that looking up one's own reactions does not carry the plans
-- of the policies behind it.
create function daira.target_known(of_target bigint, is_comment boolean) returns boolean
    language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if is_comment then
        return exists (select from daira.comment c where c.id = of_target);
    end if;
    return exists (select from daira.post p where p.id = of_target);
end $$;

create policy target_read on daira.reaction for select to daira_app
    using (by = (select daira.me()) or daira.target_known(target, on_comment));
create policy own_insert on daira.reaction for insert to daira_app with check (by = (select daira.me()));
create policy own_update on daira.reaction for update to daira_app
    using (by = (select daira.me())) with check (by = (select daira.me()));
create policy own_delete on daira.reaction for delete to daira_app using (by = (select daira.me()));

create policy shown_read on daira.media for select to daira_app using (
    owner = (select daira.me())
    or (post is not null and exists (select from daira.post p where p.id = media.post offset 0))
    or exists (select from daira.profile p where p.avatar = media.id offset 0)
);
create policy own_insert on daira.media for insert to daira_app with check (owner = (select daira.me()));
create policy own_update on daira.media for update to daira_app
    using (owner = (select daira.me())) with check (owner = (select daira.me()));

-- Numbers without names; they are read together with what they count.
create policy anybody_read on daira.post_counter for select to daira_app using (true);
create policy anybody_read on daira.comment_counter for select to daira_app using (true);
create policy anybody_read on daira.profile_counter for select to daira_app using (true);

-- ------------------------------------------------------------------------------------------------------------ grants

grant select, insert on daira.account to daira_app, daira_worker;
grant update (email, state, suspended_until, birth_date, locale, version) on daira.account to daira_app, daira_worker;
grant select, insert, update (password_hash) on daira.credential to daira_app, daira_worker;
grant insert on daira.registration to daira_app, daira_worker;
grant select, update (attempts), delete on daira.registration to daira_worker, daira_reader;
grant insert on daira.mailing to daira_app, daira_worker;
grant select, update (attempts), delete on daira.mailing to daira_worker, daira_reader;
grant select, insert on daira.profile to daira_app, daira_worker;
grant update (handle, name, bio, links, avatar, kind, private, standing, version) on daira.profile to daira_app, daira_worker;
grant select, insert, update (profile, registration, until), delete on daira.handle to daira_reader, daira_worker;
grant select, insert on daira.session to daira_app, daira_worker;
grant update (device, generation, seen_generation, rotated_at, last_used_at, expires_at, revoked_at) on daira.session to daira_app, daira_worker, daira_reader;
grant select on daira.account, daira.credential, daira.profile, daira.session, daira.follow to daira_reader;
grant insert (id, email, state, suspended_until, birth_date, locale, created_at, version) on daira.account to daira_reader;
grant insert on daira.credential to daira_reader;

grant select, insert, delete, update (at) on daira.follow, daira.follow_request to daira_app, daira_worker;
grant select, insert, delete on daira.block to daira_app, daira_worker;
grant select, insert, delete, update (posts, stories, notifications, at) on daira.mute to daira_app, daira_worker;
grant select on daira.tie_version, daira.card_change to daira_app;
grant select, delete on daira.card_change to daira_worker;
grant insert (id) on daira.card_change to daira_reader;
grant select, insert, update (version) on daira.tie_version to daira_worker, daira_reader;
grant execute on function daira.drawn_version() to daira_worker, daira_reader;
grant select, insert, delete, update (name, version) on daira.circle to daira_app, daira_worker;
grant select, insert, delete, update (at) on daira.circle_member to daira_app, daira_worker;

grant select, insert on daira.post to daira_app, daira_worker;
grant update (visibility, replies, kind, version, circle, edited_at, deleted_at, text, warning, media, alts, mentions, tags, spellings)
    on daira.post to daira_app, daira_worker;
grant delete on daira.post to daira_worker;
grant select, insert on daira.post_changed to daira_app, daira_worker;
grant delete on daira.post_changed to daira_worker;
grant select, insert, update (latest) on daira.pull_author to daira_app, daira_worker;
grant execute on function daira.am_chosen(bigint, bigint[]), daira.target_known(bigint, boolean) to daira_app, daira_worker;
grant select, insert on daira.post_revision to daira_app, daira_worker;
grant select, insert on daira.hashtag to daira_app, daira_worker;
grant select, insert, delete on daira.post_tag to daira_app, daira_worker;
grant select, insert, update (version, edited_at, deleted_at, text) on daira.comment to daira_app, daira_worker;
grant select, insert, delete, update (kind, at) on daira.reaction to daira_app, daira_worker;
grant select, insert, update (post, attached) on daira.media to daira_app, daira_worker;
grant delete on daira.media to daira_worker;
grant select on daira.post_counter, daira.comment_counter, daira.profile_counter to daira_app;
grant select, insert, update, delete on daira.post_counter, daira.comment_counter, daira.profile_counter to daira_worker;

-- ------------------------------------------------------------------------------- whose ties changed, by the statement

create function daira.ties_changed() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    whose bigint[];
begin
    -- In one order, so that two of them never wait for each other in a ring.
    case tg_table_name
        when 'follow' then whose := array(select distinct c.follower from changed c order by 1);
        when 'mute' then whose := array(select distinct c.muter from changed c order by 1);
        when 'block' then
            whose := array(select c.blocker from changed c
                           union select p.id from changed c join daira.profile p on p.account = c.blocked_account
                           order by 1);
        when 'pull_author' then whose := array(select distinct 0 from changed c);
    end case;
    insert into daira.tie_version as t select w, daira.drawn_version() from unnest(whose) w
    on conflict (profile) do update set version = excluded.version;
    return null;
end $$;
alter function daira.ties_changed() owner to daira_reader;

create trigger ties_new after insert on daira.follow referencing new table as changed for each statement execute function daira.ties_changed();
create trigger ties_gone after delete on daira.follow referencing old table as changed for each statement execute function daira.ties_changed();
create trigger ties_new after insert on daira.mute referencing new table as changed for each statement execute function daira.ties_changed();
create trigger ties_other after update on daira.mute referencing new table as changed for each statement execute function daira.ties_changed();
create trigger ties_gone after delete on daira.mute referencing old table as changed for each statement execute function daira.ties_changed();
create trigger ties_new after insert on daira.block referencing new table as changed for each statement execute function daira.ties_changed();
create trigger ties_gone after delete on daira.block referencing old table as changed for each statement execute function daira.ties_changed();
create trigger ties_new after insert on daira.pull_author referencing new table as changed for each statement execute function daira.ties_changed();

-- ----------------------------------------------------------------- which posts and profiles changed, by the statement

create function daira.card_changed() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into daira.card_change (id) select c.id from changed c;
    return null;
end $$;
alter function daira.card_changed() owner to daira_reader;

create trigger card_gone after delete on daira.post referencing old table as changed for each statement execute function daira.card_changed();
create trigger card_other after update on daira.post referencing old table as changed for each statement execute function daira.card_changed();
create trigger card_other after update on daira.profile referencing old table as changed for each statement execute function daira.card_changed();

-- Counters tell themselves when they changed, whoever adds to them. Two numbers of impressions are of different steps only if they
-- differ in a bit that counts so much.
create function daira.counter_changed() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.version := old.version + 1;
    new.xid := pg_current_xact_id();
    return new;
end $$;

create trigger counter_changed before update on daira.post_counter for each row
    when (new.reactions <> old.reactions or new.comments <> old.comments
          or (new.impressions # old.impressions) >= greatest(8, new.impressions / 16))
    execute function daira.counter_changed();

create function daira.counters_changed() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into daira.card_change (id) values (0);
    return null;
end $$;
alter function daira.counters_changed() owner to daira_reader;

create trigger counters_changed after insert or update on daira.post_counter for each statement execute function daira.counters_changed();

-- ----------------------------------------------------------- narrow functions for those who are not logged in (yet)

-- A registration, locked, by its id alone: the id is what the client holds.
create function daira.registration_by_id(wanted bigint) returns setof daira.registration
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.registration r where r.id = wanted for update;
end;

create function daira.registration_attempts(wanted bigint, tries smallint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    update daira.registration set attempts = tries where id = wanted;
end;

create function daira.registration_delete(wanted bigint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    delete from daira.registration where id = wanted;
end;

-- A mail that is due, locked, by its id alone: one of the own account, or of none; the worker's any. In a function with
-- rights of its own the current user is its owner, so who asks is told by the session's.
create function daira.mailing_by_id(wanted bigint) returns setof daira.mailing
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.mailing m
    where m.id = wanted and (m.account is null or m.account = daira.my_account() or session_user = 'daira_worker')
    for update;
end;

create function daira.mailing_attempt(wanted bigint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    update daira.mailing m set attempts = m.attempts + 1
    where m.id = wanted and (m.account is null or m.account = daira.my_account() or session_user = 'daira_worker');
end;

create function daira.mailing_delete(wanted bigint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    delete from daira.mailing m
    where m.id = wanted and (m.account is null or m.account = daira.my_account() or session_user = 'daira_worker');
end;

-- Makes the account whose e-mail a registration has proved, and lets the rest of the transaction act as it. Without a
-- registration under the same e-mail there is no account.
create function daira.open_account(new_id bigint, new_email text, new_state smallint, new_until timestamptz, born date,
        new_locale text, made_at timestamptz, new_version integer, new_hash text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from daira.registration r where r.email = new_email) then
        raise insufficient_privilege using message = 'an account needs a registration';
    end if;
    insert into daira.account (id, email, state, suspended_until, birth_date, locale, created_at, version)
    values (new_id, new_email, new_state, new_until, born, new_locale, made_at, new_version);
    insert into daira.credential (account, password_hash) values (new_id, new_hash);
    perform set_config('daira.account', new_id::text, true);
end $$;

-- Takes a handle if it is free: never held, lapsed, or held by the same holder; a registration's hold passes to the
-- profile it becomes. Nobody takes one for somebody else's profile.
create function daira.claim_handle(wanted text, to_profile bigint, to_registration bigint, holds_until timestamptz,
        from_registration bigint, at timestamptz) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken boolean;
begin
    if daira.my_account() is not null and exists (select from daira.profile p where p.id = to_profile and p.account <> daira.my_account()) then
        raise insufficient_privilege using message = 'a handle is claimed for another profile';
    end if;
    insert into daira.handle as h (handle, profile, registration, until)
    values (wanted, to_profile, to_registration, holds_until)
    on conflict (handle) do update
        set profile = excluded.profile, registration = excluded.registration, until = excluded.until
        where h.until <= at
           or h.profile = excluded.profile
           or h.registration = excluded.registration
           or (excluded.profile is not null and excluded.until is null and h.registration = from_registration)
    returning true into taken;
    return coalesce(taken, false);
end $$;

-- What a log-in needs: the hash to compare with, the account's state, and its oldest face.
create function daira.credential_by_email(wanted text)
        returns table (account bigint, profile bigint, password_hash text, state smallint, suspended_until timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.id, (select p.id from daira.profile p where p.account = a.id and p.standing < 2 order by p.created_at, p.id limit 1),
           c.password_hash, a.state, a.suspended_until
    from daira.account a join daira.credential c on c.account = a.id
    where a.email = wanted;
end;

-- A session, locked, by its id alone; whoever presents a token for it is not known before.
create function daira.session_by_id(wanted bigint) returns setof daira.session
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.session s where s.id = wanted for update;
end;

create function daira.session_update(wanted bigint, new_generation integer, new_seen integer, new_rotated timestamptz,
        new_used timestamptz, new_expires timestamptz, new_revoked timestamptz, new_device text) returns boolean
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    update daira.session
    set generation = new_generation, seen_generation = new_seen, rotated_at = new_rotated, last_used_at = new_used,
        expires_at = new_expires, revoked_at = new_revoked, device = new_device
    where id = wanted
    returning true;
end;

-- Who a session stands for, if it and its account live; notes that this generation's token was seen.
create function daira.session_resolve(wanted bigint, presented integer, at timestamptz)
        returns table (account bigint, profile bigint)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    update daira.session s
    set seen_generation = greatest(s.seen_generation, presented), last_used_at = greatest(s.last_used_at, at)
    from daira.account a
    where s.id = wanted and presented <= s.generation and s.revoked_at is null and at < s.expires_at
      and a.id = s.account and (a.state in (0, 1, 3) or (a.state = 2 and a.suspended_until <= at))
    returning s.account, s.profile;
end;

create function daira.sessions_revoked(since timestamptz) returns table (id bigint, revoked_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select s.id, s.revoked_at from daira.session s where s.revoked_at >= since;
end;

do $$
declare one regprocedure;
begin
    foreach one in array array['daira.lists_open(bigint)', 'daira.registration_by_id(bigint)',
        'daira.registration_attempts(bigint, smallint)', 'daira.registration_delete(bigint)',
        'daira.mailing_by_id(bigint)', 'daira.mailing_attempt(bigint)', 'daira.mailing_delete(bigint)',
        'daira.open_account(bigint, text, smallint, timestamptz, date, text, timestamptz, integer, text)',
        'daira.claim_handle(text, bigint, bigint, timestamptz, bigint, timestamptz)',
        'daira.credential_by_email(text)', 'daira.session_by_id(bigint)',
        'daira.session_update(bigint, integer, integer, timestamptz, timestamptz, timestamptz, timestamptz, text)',
        'daira.session_resolve(bigint, integer, timestamptz)', 'daira.sessions_revoked(timestamptz)']::regprocedure[] loop
        execute format('alter function %s owner to daira_reader', one);
        execute format('grant execute on function %s to daira_app, daira_worker', one);
    end loop;
end $$;

-- --------------------------------------------------------------------- the visibility policy, in its one home in SQL

-- People as the one who asks may see them now: oneself always, others while they stand and no block lies between.
create view daira.visible_profile with (security_invoker = true) as
select p.*
from daira.profile p
where (select daira.is_platform())
   or (p.standing = 0 and (
        p.account = (select daira.my_account())
        or not (
            exists (select from daira.block b where b.blocker = p.id and b.blocked_account = (select daira.my_account()) offset 0)
            or exists (select from daira.block b where b.blocker = (select daira.me()) and b.blocked = p.id offset 0))))
   or (p.standing = 1 and p.account = (select daira.my_account()));

-- Living posts by people who stand, with their authors. Row security has decided on the class; here come deletion, standing
-- and private accounts. For whoever knows that no block lies between.
create view daira.standing_post with (security_invoker = true) as
select p.*,
       a.account as author_account, a.handle as author_handle, a.name as author_name, a.bio as author_bio,
       a.links as author_links, a.avatar as author_avatar, a.kind as author_kind, a.private as author_private,
       a.standing as author_standing, a.created_at as author_created_at, a.version as author_version
from daira.post p
join daira.profile a on a.id = p.author
where p.deleted_at is null and (
    p.author = (select daira.me())
    or (select daira.is_platform())
    or (a.standing = 0
        and (not a.private or p.visibility in (3, 4) or exists (
            select from daira.follow f where f.follower = (select daira.me()) and f.followee = p.author offset 0))));

-- Posts as the one who asks may see them now: those above without a block between.
create view daira.visible_post with (security_invoker = true) as
select p.*
from daira.standing_post p
where p.author = (select daira.me())
   or (select daira.is_platform())
   or not (exists (select from daira.block b where b.blocker = p.author and b.blocked_account = (select daira.my_account()) offset 0)
           or exists (select from daira.block b where b.blocker = (select daira.me()) and b.blocked = p.author offset 0));

-- Living comments under visible posts, by visible people.
create view daira.visible_comment with (security_invoker = true) as
select c.*,
       a.account as author_account, a.handle as author_handle, a.name as author_name, a.bio as author_bio,
       a.links as author_links, a.avatar as author_avatar, a.kind as author_kind, a.private as author_private,
       a.standing as author_standing, a.created_at as author_created_at, a.version as author_version
from daira.comment c
join daira.visible_profile a on a.id = c.author
where c.deleted_at is null and exists (select from daira.visible_post p where p.id = c.post offset 0);

grant select on daira.visible_profile, daira.standing_post, daira.visible_post, daira.visible_comment to daira_app, daira_worker;
