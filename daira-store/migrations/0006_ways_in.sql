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

alter table daira.session add column proven_at timestamptz;
comment on column daira.session.proven_at is 'when its owner last proved themselves on it; when it began, where null';

alter table daira.mailing drop constraint mailing_kind_check;
-- password reset, new e-mail, password changed, e-mail changed, second factor on, off, recovery code used, codes renewed
alter table daira.mailing add constraint mailing_kind_check check (kind between 0 and 7) not valid;
alter table daira.mailing validate constraint mailing_kind_check;

do $$
declare one text;
begin
    foreach one in array array['second_factor'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.second_factor for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.second_factor for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.second_factor for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.second_factor for delete to daira_app using (account = (select daira.my_account()));

grant select, insert, delete, update (secret, begun_at, confirmed_at, step, recovery) on daira.second_factor to daira_app, daira_worker;
grant update (proven_at) on daira.session to daira_app, daira_worker;

-- Made anew, for a session has one more column.
create or replace function daira.session_by_id(wanted bigint) returns setof daira.session
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.session s where s.id = wanted for update;
end;
