-- Pages of comments. Row security lets an index see a bare column and nothing that is computed from it, not even a coalesce:
-- answers to a post and answers to a comment are found by one plain index each.

drop index daira.comment_thread;
drop index daira.comment_parent;
create index comment_thread on daira.comment (post, id desc);
create index comment_answers on daira.comment (parent, id desc) where parent is not null;
