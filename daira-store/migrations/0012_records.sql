-- What is kept so that it can be proved later: seals of the audit trail, consents, breaches, and exports on their way.

-- ------------------------------------------------------------------------------------------------------ the audit trail
--
-- A seal covers lines of one month by their ids. Its tag is made with a key that is not here, over the lines and the tag of
-- the seal before, so whoever owns this database alone can change nothing unnoticed. No ids at all say that the month was let
-- go. The program's roles add seals and change none.
create table daira.audit_seal (
    n      bigint primary key check (n > 0),
    at     timestamptz not null,
    month  date not null check (extract(day from month) = 1),
    ids    int8multirange not null,
    last   bigint not null,                                   -- the last of the ids, or 0
    lines  integer not null check (lines >= 0),
    digest bytea not null check (octet_length(digest) = 32),
    before bytea not null check (octet_length(before) = 32),
    tag    bytea not null check (octet_length(tag) = 32)
);
create index audit_seal_ids on daira.audit_seal using gist (ids);
create index audit_seal_month on daira.audit_seal (month);
create index audit_seal_last on daira.audit_seal (last);
comment on table daira.audit_seal is 'the chain over the audit trail; tags are made with a key that is not here';

-- Lines are read by their ids, and by who did what. Months that have lines already stay as they are, so that nobody waits; the few that are empty, and
-- all that are made later, get the index.
do $$
declare
    child name;
    used boolean;
begin
    -- No installation has so many sessions yet that anybody would wait.
    execute 'create index session_expires on daira.session (expires_at)';
    execute 'create index audit_id on only daira.audit (id)';
    execute 'create index audit_who on only daira.audit (who, id)';
    for child in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'daira.audit'::regclass order by c.relname
    loop
        used := pg_relation_size(format('daira.%I', child)::regclass) > 0;
        continue when used;
        execute format('create index %I on daira.%I (id)', child || '_id', child);
        execute format('alter index daira.audit_id attach partition daira.%I', child || '_id');
        execute format('create index %I on daira.%I (who, id)', child || '_who', child);
        execute format('alter index daira.audit_who attach partition daira.%I', child || '_who');
    end loop;
end $$;

-- Drops a month of the trail that a seal says is let go, waiting at most a quarter of a second.
create function daira.drop_audit(of_month date) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '250ms' as $$
declare
    child name := 'audit_' || to_char(of_month, 'YYYYMM');
begin
    if not exists (select from daira.audit_seal s where s.month = of_month and isempty(s.ids)) then
        return false;
    end if;
    if to_regclass('daira.' || quote_ident(child)) is null then
        return true;
    end if;
    execute format('drop table daira.%I', child);
    return true;
exception when lock_not_available then
    return false;
end $$;

-- ------------------------------------------------------------------------------------------------------------- consents
create table daira.consent (
    account bigint      not null references daira.account on delete cascade,
    purpose smallint    not null check (purpose between 1 and 99),
    at      timestamptz not null,
    given   boolean     not null,
    version smallint    not null check (version >= 1),
    primary key (account, purpose, at)
);
comment on table daira.consent is 'what people consented to and took back: a history that only grows';

-- ------------------------------------------------------------------------------------------------------------- breaches
create table daira.breach (
    id          bigint primary key,
    known_at    timestamptz not null,
    opened_at   timestamptz not null,
    reported_at timestamptz,
    closed_at   timestamptz
);
create index breach_open on daira.breach (known_at) where closed_at is null;

create table daira.breach_note (
    number     bigint generated always as identity primary key,
    breach     bigint not null references daira.breach on delete cascade,
    at         timestamptz not null,
    by_profile bigint,                                        -- null: an operator at a command
    step       smallint not null check (step between 1 and 4),
    text       text not null check (char_length(text) <= 8000)
);
create index breach_note_breach on daira.breach_note (breach, number);

-- -------------------------------------------------------------------------------------------------------------- exports
create table daira.export (
    id           bigint primary key,
    account      bigint not null references daira.account on delete cascade,
    requested_at timestamptz not null,
    state        smallint not null check (state between 1 and 4),  -- being built, ready, given up, gone
    stage        smallint not null default 0,                      -- which kind of data is next
    after        text not null default '',                         -- how far it is with that kind
    parts        integer not null default 0,
    bytes        bigint not null default 0,
    tries        smallint not null default 0,
    turn         integer not null default 0,                       -- grows when somebody goes on with it
    until        timestamptz not null,                             -- nobody else goes on with it before
    ready_at     timestamptz,
    expires_at   timestamptz,
    locale       text not null
);
create unique index export_open on daira.export (account) where state = 1;
create index export_account on daira.export (account, id desc);
create index export_due on daira.export (until) where state = 1;
create index export_over on daira.export (expires_at) where state in (2, 3);

create table daira.export_part (
    export  bigint not null references daira.export on delete cascade,
    account bigint not null,
    n      integer not null check (n >= 0),
    file   text    not null check (octet_length(file) between 1 and 100),
    key    text    not null,
    bytes  bigint  not null check (bytes >= 0),
    rows   bigint  not null check (rows >= 0),
    sha256 bytea   not null check (octet_length(sha256) = 32),
    primary key (export, n)
);
comment on table daira.export_part is 'pieces of exports; the bytes are among the blobs';

do $$
declare one text;
begin
    foreach one in array array['audit_seal', 'consent', 'breach', 'breach_note', 'export', 'export_part'] loop
        execute format('alter table daira.%I enable row level security', one);
        execute format('alter table daira.%I force row level security', one);
        execute format('create policy worker on daira.%I to daira_worker using (true) with check (true)', one);
    end loop;
end $$;

-- The function above runs as the owner.
create policy owner_read on daira.audit_seal for select to daira_owner using (true);

create policy own_read on daira.consent for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.consent for insert to daira_app with check (account = (select daira.my_account()));
create policy own_read on daira.export for select to daira_app using (account = (select daira.my_account()));
create policy own_insert on daira.export for insert to daira_app
    with check (account = (select daira.my_account()) and state = 1 and parts = 0);
create policy own_read on daira.export_part for select to daira_app
    using (account = (select daira.my_account()));

grant select, insert on daira.consent to daira_app, daira_worker;
grant select, insert on daira.audit_seal to daira_worker;
grant select, insert, delete, update (reported_at, closed_at) on daira.breach to daira_worker;
grant select, insert on daira.breach_note to daira_worker;
grant select, insert on daira.export to daira_app, daira_worker;
grant delete, update (state, stage, after, parts, bytes, tries, turn, until, ready_at, expires_at) on daira.export to daira_worker;
grant select on daira.export_part to daira_app;
grant select, insert, delete on daira.export_part to daira_worker;
grant execute on function daira.drop_audit(date) to daira_worker;

-- What is past its time goes.
grant delete on daira.session to daira_worker;
