-- Whose word weighs how much: the rank that a sanction was set with, and apps whose owner was shut out.

-- A new column without a default is there at once.
alter table daira.sanction add column by_role smallint;
alter table daira.sanction add constraint sanction_by_role_check check (by_role between 1 and 3) not valid;
alter table daira.sanction validate constraint sanction_by_role_check;
comment on column daira.sanction.by_role is 'what whoever set it was among the staff then; null: the platform itself';
grant update (by_role) on daira.sanction to daira_worker;

-- An app by its id, while it stands and whoever registered it may come in: who is shut out lets nobody in.
create function daira.living_app(wanted bigint, at timestamptz) returns setof daira.app
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.* from daira.app a join daira.account o on o.id = a.owner
     where a.id = wanted and a.deleted_at is null
       and o.state not in (4, 5) and (o.state <> 2 or o.suspended_until <= at);
end;
alter function daira.living_app(bigint, timestamptz) owner to daira_reader;
grant execute on function daira.living_app(bigint, timestamptz) to daira_app, daira_worker;

-- What staff did against accounts and has not taken back; it weighs on an account's trust for half a year.
create table daira.strike (
    account bigint not null references daira.account on delete cascade,
    kind    smallint not null check (kind between 0 and 4),  -- the account itself, or what was taken down of it
    subject bigint not null,
    at      timestamptz not null,
    primary key (account, at, kind, subject)
);
comment on table daira.strike is 'acts of staff against an account that were not taken back';
alter table daira.strike enable row level security;
alter table daira.strike force row level security;
create policy worker on daira.strike to daira_worker using (true) with check (true);
create policy reader on daira.strike for select to daira_reader using (true);
grant select, insert, delete on daira.strike to daira_worker;
grant select on daira.strike to daira_reader;

-- What an account's trust is made of, for whoever has its id, which is in no answer: it comes from a session.
create function daira.trust_facts(wanted bigint, since timestamptz)
    returns table (joined_at timestamptz, has_phone boolean, is_verified boolean, strikes bigint)
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.created_at,
           exists (select from daira.phone p where p.account = a.id),
           exists (select from daira.profile f where f.account = a.id and f.kind = 2 and f.standing <> 2),
           (select count(*) from daira.strike s where s.account = a.id and s.at > since)
      from daira.account a where a.id = wanted;
end;
alter function daira.trust_facts(bigint, timestamptz) owner to daira_reader;
grant execute on function daira.trust_facts(bigint, timestamptz) to daira_app, daira_worker;
