-- no-transaction
create index concurrently strike_subject on daira.strike (kind, subject, at) where kind <> 0;
