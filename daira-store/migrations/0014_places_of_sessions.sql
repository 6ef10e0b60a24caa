-- Where a session was used last, as coarsely as a governorate, and whether its device was known: for its owner to look at.

alter table daira.session add column place text;
alter table daira.session add constraint session_place check (place ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$') not valid;
alter table daira.session validate constraint session_place;
-- Whoever is logged in already knows the device.
alter table daira.session add column known_device boolean not null default true;
alter table daira.session alter column known_device drop default;
comment on column daira.session.place is 'codes of ISO 3166; no coordinates, and no network address';

-- 3: the notice of a device that was not known
alter table daira.delivery drop constraint delivery_kind_check;
alter table daira.delivery add constraint delivery_kind_check check (kind between 0 and 3) not valid;
alter table daira.delivery validate constraint delivery_kind_check;

-- Made anew, for a session has two more columns.
create or replace function daira.session_by_id(wanted bigint) returns setof daira.session
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select * from daira.session s where s.id = wanted for update;
end;

drop function daira.session_update(bigint, integer, integer, timestamptz, timestamptz, timestamptz, timestamptz, text);
create function daira.session_update(wanted bigint, new_generation integer, new_seen integer, new_rotated timestamptz,
        new_used timestamptz, new_expires timestamptz, new_revoked timestamptz, new_device text, new_place text) returns boolean
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    update daira.session
    set generation = new_generation, seen_generation = new_seen, rotated_at = new_rotated, last_used_at = new_used,
        expires_at = new_expires, revoked_at = new_revoked, device = new_device, place = new_place
    where id = wanted
    returning true;
end;
grant update (place) on daira.session to daira_reader;
alter function daira.session_update(bigint, integer, integer, timestamptz, timestamptz, timestamptz, timestamptz, text, text)
    owner to daira_reader;
grant execute on function daira.session_update(bigint, integer, integer, timestamptz, timestamptz, timestamptz, timestamptz, text, text)
    to daira_app, daira_worker;
