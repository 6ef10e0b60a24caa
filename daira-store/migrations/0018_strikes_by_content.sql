-- no-transaction
create index concurrently if not exists strike_subject on daira.strike (kind, subject, at) where kind <> 0;
