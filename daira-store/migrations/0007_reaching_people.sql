-- Reaching people outside: deliveries that are tried until they are done, phone numbers, and codes that go to them.

create table daira.delivery (
    kind    smallint not null check (kind between 0 and 2),  -- a registration's mail, a mailing, the notice of a copied token
    subject bigint not null,
    tries   smallint not null default 0 check (tries >= 0),
    since   timestamptz not null,
    at      timestamptz not null,                            -- when it is tried next
    primary key (kind, subject)
);
create index delivery_at on daira.delivery (at);
comment on table daira.delivery is 'what is to be delivered to somebody outside; nothing of what is delivered';

create table daira.phone (
    account     bigint primary key references daira.account on delete cascade,
    number      text collate "C" not null constraint phone_number unique check (number ~ '^\+[1-9][0-9]{6,14}$'),
    verified_at timestamptz not null
);
comment on table daira.phone is 'numbers that accounts are reached by; proved by a code';

-- A mailing may go to a number instead of an address.
alter table daira.mailing add column phone text collate "C";
alter table daira.mailing alter column email drop not null;
alter table daira.mailing add constraint mailing_phone_check check (phone ~ '^\+[1-9][0-9]{6,14}$') not valid;
alter table daira.mailing validate constraint mailing_phone_check;
alter table daira.mailing add constraint mailing_recipient_check check (num_nonnulls(email, phone) = 1) not valid;
alter table daira.mailing validate constraint mailing_recipient_check;

alter table daira.mailing drop constraint mailing_kind_check;
-- …, code to log in with, new phone number, phone number changed
alter table daira.mailing add constraint mailing_kind_check check (kind between 0 and 13) not valid;
alter table daira.mailing validate constraint mailing_kind_check;
alter table daira.mailing drop constraint mailing_check;
-- Whose a lost password and a code to log in with are is not looked up before they are sent.
alter table daira.mailing add constraint mailing_check check ((kind in (0, 11)) = (account is null)) not valid;
alter table daira.mailing validate constraint mailing_check;

do $$
declare one text;
begin
    foreach one in array array['delivery', 'phone'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
end $$;

create policy own_read on daira.phone for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.phone for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.phone for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.phone for delete to daira_app using (account = (select daira.my_account()));
create policy reader on daira.phone for select to daira_reader using (true);

grant select, insert, delete, update (tries, at) on daira.delivery to daira_worker;
grant select, insert, delete, update (number, verified_at) on daira.phone to daira_app, daira_worker;
grant select on daira.phone to daira_reader;

-- Made anew, for a mailing has one more column.
create or replace function daira.mailing_by_id(wanted bigint) returns setof daira.mailing
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.mailing m
    where m.id = wanted and (m.account is null or m.account = daira.my_account() or session_user = 'daira_worker')
    for update;
end;

-- What a log-in needs to know of a number.
create function daira.credential_by_phone(wanted text)
        returns table (account bigint, profile bigint, password_hash text, state smallint, suspended_until timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.id, (select p.id from daira.profile p where p.account = a.id and p.standing < 2 order by p.created_at, p.id limit 1),
           c.password_hash, a.state, a.suspended_until
    from daira.phone n join daira.account a on a.id = n.account join daira.credential c on c.account = a.id
    where n.number = wanted;
end;
alter function daira.credential_by_phone(text) owner to daira_reader;
grant execute on function daira.credential_by_phone(text) to daira_app, daira_worker;
