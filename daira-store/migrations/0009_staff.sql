-- Staff: who they are, what they did to accounts, and what they took down.
--
-- Whoever serves people sees their own and writes none of it: staff work as the platform, in their own name, which is
-- `daira.me()` there too. A post or a comment that was taken down says so in its row, so that row security hides it from
-- everybody but its author without looking anywhere else.

create table daira.staff (
    account bigint primary key references daira.account on delete cascade,
    role    smallint not null check (role between 1 and 3),  -- moderator, senior moderator, admin
    since   timestamptz not null
);
comment on table daira.staff is 'who may act on others; what each role may do is in the program';

create table daira.sanction (
    account    bigint primary key references daira.account on delete cascade,
    by_profile bigint,                                       -- null: the platform itself
    reason     smallint not null check (reason between 1 and 18),
    reference  text check (reference ~ '^[A-Za-z0-9._:/#-]{1,64}$'),
    at         timestamptz not null,
    asleep     boolean not null                              -- its owner had put the account to sleep before
);
comment on table daira.sanction is 'why an account is in the state that staff brought it into';

create table daira.takedown (
    kind       smallint not null check (kind between 1 and 4),  -- post, comment, a profile's name, its picture
    subject    bigint not null,
    owner      bigint not null,
    by_profile bigint,
    reason     smallint not null check (reason between 1 and 18),
    reference  text check (reference ~ '^[A-Za-z0-9._:/#-]{1,64}$'),
    at         timestamptz not null,
    kept       text check (octet_length(kept) <= 12800),        -- what the profile showed, to be put back
    notice     bigint not null,
    primary key (kind, subject),
    check ((kind in (3, 4)) = (kept is not null))
);
create index takedown_owner on daira.takedown (owner, at desc);
create index takedown_notice on daira.takedown (notice);

alter table daira.post add column taken_down_at timestamptz;
alter table daira.comment add column taken_down_at timestamptz;

-- banned, besides active, restricted, suspended, deactivated, deleted
alter table daira.account drop constraint account_state_check;
alter table daira.account add constraint account_state_check check (state between 0 and 5) not valid;
alter table daira.account validate constraint account_state_check;

-- 17 to 19: sanctioned, sanction lifted, taken down
alter table daira.mailing drop constraint mailing_kind_check;
alter table daira.mailing add constraint mailing_kind_check check (kind between 0 and 19) not valid;
alter table daira.mailing validate constraint mailing_kind_check;

do $$
declare one text;
begin
    foreach one in array array['staff', 'sanction', 'takedown'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.staff for select to daira_app using (account = (select daira.my_account()));
create policy own_read on daira.sanction for select to daira_app using (account = (select daira.my_account()));
create policy own_read on daira.takedown for select to daira_app using (owner = (select daira.me()));

grant select on daira.staff, daira.sanction, daira.takedown to daira_app;
grant select, insert, delete, update (role, since) on daira.staff to daira_worker;
grant select, insert, delete, update (by_profile, reason, reference, at, asleep) on daira.sanction to daira_worker;
grant select, insert, delete on daira.takedown to daira_worker;
grant update (taken_down_at) on daira.post, daira.comment to daira_worker;

-- Staff keep keys and leave lines in their own name.
create policy staff_read on daira.idempotency for select to daira_worker using (who = (select daira.me())::text);
create policy staff_insert on daira.idempotency for insert to daira_worker with check (who = (select daira.me())::text);
create policy staff_insert on daira.audit for insert to daira_worker with check (who = (select daira.me())::text);

-- What may be learned: as before, and nothing that was taken down but by its author.
alter policy class_read on daira.post using (
    author = (select daira.me())
    or (deleted_at is null and taken_down_at is null and (
        visibility in (1, 6)
        or (visibility = 2 and exists (
            select from daira.follow f where f.follower = (select daira.me()) and f.followee = post.author offset 0))
        or (visibility in (3, 4) and daira.am_chosen(circle, mentions))
    ))
);
alter policy own_update on daira.post using (
    author = (select daira.me())
    or (deleted_at is null and taken_down_at is null and (
        visibility in (1, 6)
        or (visibility = 2 and exists (
            select from daira.follow f where f.follower = (select daira.me()) and f.followee = post.author offset 0))
        or (visibility in (3, 4) and daira.am_chosen(circle, mentions))
    ))
) with check (author = (select daira.me()));

alter policy post_read on daira.comment
    using (author = (select daira.me())
        or (taken_down_at is null and exists (select from daira.post p where p.id = comment.post offset 0)));
alter policy own_update on daira.comment
    using (author = (select daira.me())
        or (taken_down_at is null and exists (select from daira.post p where p.id = comment.post offset 0)))
    with check (author = (select daira.me())
        or exists (select from daira.post p where p.id = comment.post and p.author = (select daira.me()) offset 0));
