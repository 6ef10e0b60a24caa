-- Whether somebody lets those whom they follow see that they are active.

-- A constant default is there at once, without writing a row.
alter table daira.profile add column shows_activity boolean not null default true;
comment on column daira.profile.shows_activity is 'what its owner wishes; looked at before it is asked whether they are active';
grant update (shows_activity) on daira.profile to daira_app, daira_worker;
