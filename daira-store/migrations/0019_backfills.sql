-- How far back-fills are: what changes of the schema ask of rows that were there before. Which there are stands in the program.

create table daira.backfill (
    name     text primary key check (name ~ '^[a-z0-9-]{1,60}$'),
    after    bigint[] not null default '{}',        -- the key of the last row that was gone over
    rows     bigint not null default 0 check (rows >= 0),
    paused   boolean not null default false,
    moved_at timestamptz not null default now(),
    done_at  timestamptz
);
comment on table daira.backfill is 'how far back-fills are; each is moved on in the transaction that fills in';
alter table daira.backfill enable row level security;
alter table daira.backfill force row level security;
create policy worker on daira.backfill to daira_worker using (true) with check (true);
grant select, insert, update on daira.backfill to daira_worker;

-- To lock a row takes the right to change something of it.
grant update (notice) on daira.takedown to daira_worker;
-- Strikes that were written before their rank was.
grant update (by_role) on daira.strike to daira_worker;
