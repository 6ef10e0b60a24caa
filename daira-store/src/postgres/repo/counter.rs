//! Counters: rows of their own, added to by one consumer, compared with what they count by the reconciler.

use std::collections::BTreeMap;

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::port::store::{CounterDelta, CounterField, CounterRepository, Recount};

use super::super::unit::PgUnit;
use super::rows::limit;

/// A subject with what its rows say and what its counter says.
struct Compared {
    subject: i64,
    rows: i64,
    counter: i64,
}

/// What is added to the counters of one table, by subject: a number for each of its columns.
type Sums = BTreeMap<i64, [i64; 3]>;

/// The sums as the columns of a statement, without those that came to nothing.
fn columns(sums: Sums) -> (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (subject, [first, second, third]) in sums.into_iter().filter(|(_, row)| *row != [0; 3]) {
        columns.0.push(subject);
        columns.1.push(first);
        columns.2.push(second);
        columns.3.push(third);
    }
    columns
}

/// Reads one counter.
macro_rules! value {
    ($unit:expr, $sql:literal, $subject:expr) => {
        sqlx::query_scalar!($sql, $subject).fetch_optional($unit.connection()).await
    };
}

/// The next subjects of a field, compared.
macro_rules! compare {
    ($unit:expr, $sql:literal, $from:expr, $chunk:expr) => {
        sqlx::query_as!(Compared, $sql, $from, $chunk).fetch_all($unit.connection()).await
    };
}

/// Removes counters of what is gone among the next subjects; answers the last one, if there may be more.
macro_rules! forget {
    ($unit:expr, $sql:literal, $from:expr, $chunk:expr) => {
        sqlx::query_scalar!($sql, $from, $chunk).fetch_one($unit.connection()).await
    };
}

/// Adds columns of sums to the counters of their subjects, if there are any.
macro_rules! add {
    ($unit:expr, $sql:literal, $subjects:expr $(, $column:expr)+) => {
        if !$subjects.is_empty() {
            let done = sqlx::query!($sql, &$subjects $(, &$column)+).execute($unit.connection()).await;
            $unit.check("counter.apply", done)?;
        }
    };
}

impl PgUnit {
    async fn compare(&mut self, field: CounterField, from: i64, chunk: i64) -> Result<Vec<Compared>> {
        let compared = match field {
            CounterField::ProfilePosts => compare!(
                self,
                r#"select s.id as subject, coalesce(c.posts, 0) as "counter!",
                          (select count(*) from daira.post p
                           where p.author = s.id and p.deleted_at is null and p.taken_down_at is null
                             and p.visibility in (1, 6)) as "rows!"
                   from daira.profile s left join daira.profile_counter c on c.profile = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::ProfileFollowers => compare!(
                self,
                r#"select s.id as subject, coalesce(c.followers, 0) as "counter!",
                          (select count(*) from daira.follow f where f.followee = s.id) as "rows!"
                   from daira.profile s left join daira.profile_counter c on c.profile = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::ProfileFollowing => compare!(
                self,
                r#"select s.id as subject, coalesce(c.following, 0) as "counter!",
                          (select count(*) from daira.follow f where f.follower = s.id) as "rows!"
                   from daira.profile s left join daira.profile_counter c on c.profile = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::PostReactions => compare!(
                self,
                r#"select s.id as subject, coalesce(c.reactions, 0) as "counter!",
                          (select count(*) from daira.reaction r where r.target = s.id and not r.on_comment) as "rows!"
                   from daira.post s left join daira.post_counter c on c.post = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::PostComments => compare!(
                self,
                r#"select s.id as subject, coalesce(c.comments, 0) as "counter!",
                          (select count(*) from daira.comment k where k.post = s.id and k.deleted_at is null
                             and k.taken_down_at is null) as "rows!"
                   from daira.post s left join daira.post_counter c on c.post = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::CommentReactions => compare!(
                self,
                r#"select s.id as subject, coalesce(c.reactions, 0) as "counter!",
                          (select count(*) from daira.reaction r where r.target = s.id and r.on_comment) as "rows!"
                   from daira.comment s left join daira.comment_counter c on c.comment = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            CounterField::CommentReplies => compare!(
                self,
                r#"select s.id as subject, coalesce(c.replies, 0) as "counter!",
                          (select count(*) from daira.comment k where k.parent = s.id and k.deleted_at is null
                             and k.taken_down_at is null) as "rows!"
                   from daira.comment s left join daira.comment_counter c on c.comment = s.id
                   where s.id > $1 order by s.id limit $2"#,
                from,
                chunk
            ),
            // Only ever added to: there are no rows to compare with.
            _ => Ok(Vec::new()),
        };
        self.check("counter.recount", compared)
    }
}

#[async_trait]
impl CounterRepository for PgUnit {
    async fn value(&mut self, field: CounterField, subject: i64) -> Result<i64> {
        let value = match field {
            CounterField::ProfilePosts => {
                value!(self, "select posts from daira.profile_counter where profile = $1", subject)
            }
            CounterField::ProfileFollowers => {
                value!(self, "select followers from daira.profile_counter where profile = $1", subject)
            }
            CounterField::ProfileFollowing => {
                value!(self, "select following from daira.profile_counter where profile = $1", subject)
            }
            CounterField::PostReactions => {
                value!(self, "select reactions from daira.post_counter where post = $1", subject)
            }
            CounterField::PostComments => {
                value!(self, "select comments from daira.post_counter where post = $1", subject)
            }
            CounterField::PostImpressions => {
                value!(self, "select impressions from daira.post_counter where post = $1", subject)
            }
            CounterField::CommentReactions => {
                value!(self, "select reactions from daira.comment_counter where comment = $1", subject)
            }
            CounterField::CommentReplies => {
                value!(self, "select replies from daira.comment_counter where comment = $1", subject)
            }
            _ => Ok(None),
        };
        Ok(self.check("counter.value", value)?.unwrap_or_default())
    }

    /// One statement for each table, its rows in one order: batches that share subjects never wait for each other in a
    /// ring.
    async fn apply(&mut self, deltas: &[CounterDelta]) -> Result<()> {
        let (mut profiles, mut posts, mut comments) = (Sums::new(), Sums::new(), Sums::new());
        for CounterDelta { field, subject, delta } in deltas {
            let (sums, column) = match field {
                CounterField::ProfilePosts => (&mut profiles, 0),
                CounterField::ProfileFollowers => (&mut profiles, 1),
                CounterField::ProfileFollowing => (&mut profiles, 2),
                CounterField::PostReactions => (&mut posts, 0),
                CounterField::PostComments => (&mut posts, 1),
                CounterField::PostImpressions => (&mut posts, 2),
                CounterField::CommentReactions => (&mut comments, 0),
                CounterField::CommentReplies => (&mut comments, 1),
                // The list of fields is open: one that this adapter does not keep is a bug here, not a silent loss.
                _ => {
                    let source = format!("no column for {field:?}");
                    return Err(Error::new(ErrorKind::Internal, "counter.apply").with_source(source));
                }
            };
            if let Some(sum) = sums.entry(*subject).or_default().get_mut(column) {
                *sum += delta;
            }
        }
        let (subjects, posted, followers, following) = columns(profiles);
        add!(
            self,
            "insert into daira.profile_counter as c (profile, posts, followers, following)
             select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u (subject) order by subject
             on conflict (profile) do update set posts = c.posts + excluded.posts,
                 followers = c.followers + excluded.followers, following = c.following + excluded.following",
            subjects,
            posted,
            followers,
            following
        );
        let (subjects, reactions, commented, impressions) = columns(posts);
        add!(
            self,
            "insert into daira.post_counter as c (post, reactions, comments, impressions)
             select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u (subject) order by subject
             on conflict (post) do update set reactions = c.reactions + excluded.reactions,
                 comments = c.comments + excluded.comments, impressions = c.impressions + excluded.impressions",
            subjects,
            reactions,
            commented,
            impressions
        );
        let (subjects, reactions, replies, _) = columns(comments);
        add!(
            self,
            "insert into daira.comment_counter as c (comment, reactions, replies)
             select * from unnest($1::bigint[], $2::bigint[], $3::bigint[]) u (subject) order by subject
             on conflict (comment) do update set reactions = c.reactions + excluded.reactions, replies = c.replies + excluded.replies",
            subjects,
            reactions,
            replies
        );
        Ok(())
    }

    async fn recount(
        &mut self,
        field: CounterField,
        from: Option<i64>,
        chunk: u32,
        pending: &[CounterDelta],
    ) -> Result<Recount> {
        let mut compared = self.compare(field, from.unwrap_or(i64::MIN), limit(chunk).saturating_add(1)).await?;
        let more = compared.len() > chunk as usize;
        compared.truncate(chunk as usize);
        let mut waiting: BTreeMap<i64, i64> = BTreeMap::new();
        for delta in pending.iter().filter(|delta| delta.field == field) {
            *waiting.entry(delta.subject).or_default() += delta.delta;
        }
        let drift: Vec<CounterDelta> = compared
            .iter()
            .map(|c| CounterDelta {
                field,
                subject: c.subject,
                delta: c.rows - waiting.get(&c.subject).copied().unwrap_or_default() - c.counter,
            })
            .filter(|drift| drift.delta != 0)
            .collect();
        self.apply(&drift).await?;
        Ok(Recount { checked: compared.len() as u64, drift, next: compared.last().map(|c| c.subject).filter(|_| more) })
    }

    async fn forget(&mut self, field: CounterField, from: Option<i64>, chunk: u32) -> Result<Option<i64>> {
        let (from, chunk) = (from.unwrap_or(i64::MIN), limit(chunk));
        let last = match field {
            CounterField::ProfilePosts | CounterField::ProfileFollowers | CounterField::ProfileFollowing => forget!(
                self,
                r#"with page as materialized (
                       select profile as subject from daira.profile_counter where profile > $1 order by profile limit $2),
                   gone as (delete from daira.profile_counter c using page
                            where c.profile = page.subject and not exists (select from daira.profile p where p.id = page.subject))
                   select case when count(*) = $2 then max(subject) end from page"#,
                from,
                chunk
            ),
            CounterField::PostReactions | CounterField::PostComments | CounterField::PostImpressions => forget!(
                self,
                r#"with page as materialized (
                       select post as subject from daira.post_counter where post > $1 order by post limit $2),
                   gone as (delete from daira.post_counter c using page
                            where c.post = page.subject and not exists (select from daira.post p where p.id = page.subject))
                   select case when count(*) = $2 then max(subject) end from page"#,
                from,
                chunk
            ),
            CounterField::CommentReactions | CounterField::CommentReplies => forget!(
                self,
                r#"with page as materialized (
                       select comment as subject from daira.comment_counter where comment > $1 order by comment limit $2),
                   gone as (delete from daira.comment_counter c using page
                            where c.comment = page.subject and not exists (select from daira.comment k where k.id = page.subject))
                   select case when count(*) = $2 then max(subject) end from page"#,
                from,
                chunk
            ),
            _ => Ok(None),
        };
        self.check("counter.forget", last)
    }
}
