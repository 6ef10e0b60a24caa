-- Who people are at providers of identities, which opens their accounts without a password of ours.

create table daira.identity (
    account   bigint not null references daira.account on delete cascade,
    issuer    text collate "C" not null check (octet_length(issuer) between 1 and 255),
    subject   text collate "C" not null check (octet_length(subject) between 1 and 255),
    linked_at timestamptz not null,
    used_at   timestamptz,
    primary key (account, issuer),
    constraint identity_subject unique (issuer, subject)
);
comment on table daira.identity is 'an account is found by issuer and subject alone, never by an address that a provider tells';

alter table daira.registration add column issuer text collate "C";
alter table daira.registration add column subject text collate "C";
alter table daira.registration add constraint registration_identity check ((issuer is null) = (subject is null)) not valid;
alter table daira.registration validate constraint registration_identity;
comment on column daira.registration.subject is 'who the person is at the issuer, if they came from one; it is linked when the account is made';

-- 3 to 5: a log-in, a link and a proof at a provider
alter table daira.ceremony drop constraint ceremony_kind_check;
alter table daira.ceremony add constraint ceremony_kind_check check (kind between 0 and 5) not valid;
alter table daira.ceremony validate constraint ceremony_kind_check;
comment on table daira.ceremony is 'what passkeys were asked to sign, and ways to providers; taken out before an answer is looked at';

alter table daira.identity enable row level security;
alter table daira.identity force row level security;
create policy worker on daira.identity to daira_worker using (true) with check (true);
create policy reader on daira.identity to daira_reader using (true) with check (true);
create policy own_read on daira.identity for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.identity for insert to daira_app with check (account = (select daira.my_account()));
create policy own_update on daira.identity for update to daira_app
    using (account = (select daira.my_account())) with check (account = (select daira.my_account()));
create policy own_delete on daira.identity for delete to daira_app using (account = (select daira.my_account()));

grant select, insert, delete, update (used_at) on daira.identity to daira_app, daira_worker;
grant select on daira.identity to daira_reader;

-- Made anew, for a registration has two more columns.
create or replace function daira.registration_by_id(wanted bigint) returns setof daira.registration
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.registration r where r.id = wanted for update;
end;

-- What a log-in by an identity needs to know, as `credential_by_email` says of an address.
create function daira.credential_by_identity(by_issuer text, by_subject text)
        returns table (account bigint, profile bigint, password_hash text, state smallint, suspended_until timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.id, (select p.id from daira.profile p where p.account = a.id and p.standing < 2 order by p.created_at, p.id limit 1),
           c.password_hash, a.state, a.suspended_until
    from daira.identity i
    join daira.account a on a.id = i.account
    join daira.credential c on c.account = a.id
    where i.issuer = by_issuer and i.subject = by_subject;
end;
alter function daira.credential_by_identity(text, text) owner to daira_reader;
grant execute on function daira.credential_by_identity(text, text) to daira_app, daira_worker;
