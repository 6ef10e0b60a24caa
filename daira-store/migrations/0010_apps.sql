-- Apps of others: who registered which, what profiles let them do, codes on their way, and sessions that are bound to one.

create table daira.app (
    id           bigint primary key,
    owner        bigint not null references daira.account on delete cascade,
    name         text not null check (char_length(name) <= 3200),
    redirects    text[] not null check (cardinality(redirects) between 1 and 10),
    confidential boolean not null,
    secret       integer not null check (secret >= 1),  -- how often it was drawn; the secret is derived and stands nowhere
    created_at   timestamptz not null,
    deleted_at   timestamptz,
    version      integer not null
);
create index app_owner on daira.app (owner);

create table daira.app_grant (
    app        bigint not null references daira.app on delete cascade,
    profile    bigint not null references daira.profile on delete cascade,
    account    bigint not null references daira.account on delete cascade,
    scopes     integer not null check (scopes > 0),
    created_at timestamptz not null,
    primary key (profile, app)
);
create index app_grant_account on daira.app_grant (account);
create index app_grant_app on daira.app_grant (app);
comment on table daira.app_grant is 'what a profile lets an app do; a face knows nothing of what another one agreed to';

create table daira.app_code (
    id         bigint primary key,
    app        bigint not null references daira.app on delete cascade,
    account    bigint not null references daira.account on delete cascade,
    profile    bigint not null references daira.profile on delete cascade,
    scopes     integer not null check (scopes > 0),
    redirect   text not null check (octet_length(redirect) <= 500),
    challenge  bytea not null check (octet_length(challenge) = 32),
    nonce      text check (octet_length(nonce) <= 256),
    agreed_on  bigint not null,                               -- the session of whoever agreed
    proven_at  timestamptz not null,
    expires_at timestamptz not null,
    session    bigint
);
create index app_code_expires on daira.app_code (expires_at);
create index app_code_account on daira.app_code (account);
comment on table daira.app_code is 'codes by their ids; the codes are derived and stand nowhere. Spent ones stay for a day, so that a copy is noticed';

alter table daira.session add column app bigint;
alter table daira.session add column scopes integer;
alter table daira.session add constraint session_app check ((app is null) = (scopes is null)) not valid;
alter table daira.session validate constraint session_app;
comment on column daira.session.app is 'the app of somebody else''s that it is bound to; none for clients of the house';

alter table daira.mailing drop constraint mailing_kind_check;
-- … copied; from 20: an app connected
alter table daira.mailing add constraint mailing_kind_check check (kind between 0 and 39) not valid;
alter table daira.mailing validate constraint mailing_kind_check;

do $$
declare one text;
begin
    foreach one in array array['app', 'app_grant', 'app_code'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
    foreach one in array array['app', 'app_code'] loop
        execute format('create policy reader on daira.%I to daira_reader using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.app for select to daira_app using (owner = (select daira.my_account()));
create policy own_insert on daira.app for insert to daira_app with check (owner = (select daira.my_account()));
create policy own_update on daira.app for update to daira_app
    using (owner = (select daira.my_account())) with check (owner = (select daira.my_account()));

create policy own_read on daira.app_grant for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.app_grant for insert to daira_app
    with check (account = (select daira.my_account()) and exists (
        select from daira.profile p where p.id = app_grant.profile and p.account = app_grant.account offset 0));
create policy own_update on daira.app_grant for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.app_grant for delete to daira_app using (account = (select daira.my_account()));

create policy own_read on daira.app_code for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.app_code for insert to daira_app
    with check (account = (select daira.my_account()) and exists (
        select from daira.profile p where p.id = app_code.profile and p.account = app_code.account offset 0));
create policy own_update on daira.app_code for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));

grant select, insert, update (name, redirects, secret, deleted_at, version) on daira.app to daira_app, daira_worker;
grant select on daira.app to daira_reader;
grant select, insert, delete, update (scopes) on daira.app_grant to daira_app, daira_worker;
grant select, insert, update (session) on daira.app_code to daira_app, daira_worker;
grant delete on daira.app_code to daira_worker;
grant select, update (session) on daira.app_code to daira_reader;

-- Made anew, for a session has two more columns.
create or replace function daira.session_by_id(wanted bigint) returns setof daira.session
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.session s where s.id = wanted for update;
end;

-- An app by its id: whoever is asked about it is not its owner, and whoever presents a code for it is nobody yet.
create function daira.app_by_id(wanted bigint) returns setof daira.app
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.app a where a.id = wanted;
end;

-- A code, locked, by its id alone; whoever presents it is not known before.
create function daira.app_code_by_id(wanted bigint) returns setof daira.app_code
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.app_code c where c.id = wanted for update;
end;

do $$
declare one regprocedure;
begin
    foreach one in array array['daira.app_by_id(bigint)', 'daira.app_code_by_id(bigint)']::regprocedure[] loop
        execute format('alter function %s owner to daira_reader', one);
        execute format('grant execute on function %s to daira_app, daira_worker', one);
    end loop;
end $$;
