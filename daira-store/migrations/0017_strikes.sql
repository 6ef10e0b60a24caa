-- What weighs on an account can be taken back when what was done is over, or what it was done for is gone.

alter table daira.strike add column by_role smallint;
alter table daira.strike add constraint strike_by_role_check check (by_role between 1 and 3) not valid;
alter table daira.strike validate constraint strike_by_role_check;
comment on column daira.strike.by_role is 'what whoever did it was among the staff then; null: the platform itself, or long ago';
