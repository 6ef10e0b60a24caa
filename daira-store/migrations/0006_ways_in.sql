-- Ways in beside the password: second factors, and when the owner of a session last proved themselves on it.

create table daira.second_factor (
    account      bigint primary key references daira.account on delete cascade,
    secret       bytea check (octet_length(secret) <= 128),  -- encrypted; the key is not here
    begun_at     timestamptz,
    confirmed_at timestamptz,
    step         bigint not null default 0,                  -- the latest step of time whose digits were taken
    recovery     bytea[] not null default '{}' check (cardinality(recovery) <= 10),
    check ((secret is null) = (begun_at is null)),
    check (confirmed_at is null or secret is not null)
);
comment on table daira.second_factor is 'what guards an account besides its password; keyed digests and encrypted secrets only';

create table daira.passkey (
    id         bigint primary key,
    account    bigint not null references daira.account on delete cascade,
    credential bytea not null constraint passkey_credential unique check (octet_length(credential) between 1 and 1023),
    key        bytea not null check (octet_length(key) <= 16384),  -- public
    name       text not null check (char_length(name) <= 3200),
    created_at timestamptz not null,
    used_at    timestamptz
);
create index passkey_account on daira.passkey (account);

create table daira.ceremony (
    id         bigint primary key,
    kind       smallint not null check (kind between 0 and 2),     -- making a passkey, log-in, proof
    account    bigint references daira.account on delete cascade,
    state      bytea not null check (octet_length(state) <= 262144),
    expires_at timestamptz not null
);
create index ceremony_expires on daira.ceremony (expires_at);
create index ceremony_account on daira.ceremony (account);
comment on table daira.ceremony is 'what passkeys were asked to sign; taken out before an answer is looked at';

alter table daira.session add column proven_at timestamptz;
comment on column daira.session.proven_at is 'when its owner last proved themselves on it; when it began, where null';

alter table daira.mailing drop constraint mailing_kind_check;
-- password reset, new e-mail, password changed, e-mail changed, second factor on, off, recovery code used, codes renewed,
-- passkey added, removed, copied
alter table daira.mailing add constraint mailing_kind_check check (kind between 0 and 10) not valid;
alter table daira.mailing validate constraint mailing_kind_check;

do $$
declare one text;
begin
    foreach one in array array['second_factor', 'passkey', 'ceremony'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
    foreach one in array array['passkey', 'ceremony'] loop
        execute format('create policy reader on daira.%I to daira_reader using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.second_factor for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.second_factor for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.second_factor for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.second_factor for delete to daira_app using (account = (select daira.my_account()));

create policy own_read on daira.passkey for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.passkey for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.passkey for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.passkey for delete to daira_app using (account = (select daira.my_account()));

-- Anybody may begin one; nobody may look, except by taking it out through the function below.
create policy anybody_insert on daira.ceremony for insert to daira_app
    with check (account is null or account = (select daira.my_account()));

grant select, insert, delete, update (key, name, used_at) on daira.passkey to daira_app, daira_worker;
grant select on daira.passkey to daira_reader;
grant insert on daira.ceremony to daira_app, daira_worker;
grant select, delete on daira.ceremony to daira_worker, daira_reader;
grant update (state) on daira.ceremony to daira_worker;  -- to skip what somebody else is purging
grant select, insert, delete, update (secret, begun_at, confirmed_at, step, recovery) on daira.second_factor to daira_app, daira_worker;
grant update (proven_at) on daira.session to daira_app, daira_worker;

-- Made anew, for a session has one more column.
create or replace function daira.session_by_id(wanted bigint) returns setof daira.session
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.session s where s.id = wanted for update;
end;

-- A ceremony, taken out by its id alone: whoever answers it may be nobody yet.
create function daira.ceremony_take(wanted bigint) returns setof daira.ceremony
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    delete from daira.ceremony c where c.id = wanted returning *;
end;

-- The passkey that an answer names, and the oldest face of its account.
create function daira.passkey_by_credential(wanted bytea)
        returns table (id bigint, account bigint, key bytea, name text, created_at timestamptz, used_at timestamptz, profile bigint)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select k.id, k.account, k.key, k.name, k.created_at, k.used_at,
           (select p.id from daira.profile p where p.account = k.account and p.standing < 2 order by p.created_at, p.id limit 1)
    from daira.passkey k where k.credential = wanted;
end;

do $$
declare one regprocedure;
begin
    foreach one in array array['daira.ceremony_take(bigint)', 'daira.passkey_by_credential(bytea)']::regprocedure[] loop
        execute format('alter function %s owner to daira_reader', one);
        execute format('grant execute on function %s to daira_app, daira_worker', one);
    end loop;
end $$;
