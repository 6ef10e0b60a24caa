//! Counters: rows of their own, added to by one consumer, compared with what they count by the reconciler.

use std::collections::BTreeMap;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::port::store::{CounterDelta, CounterField, CounterRepository, Recount};

use super::super::unit::PgUnit;
use super::rows::limit;

/// A subject with what its rows say and what its counter says.
struct Compared {
    subject: i64,
    rows: i64,
    counter: i64,
}

/// Adds deltas to one column, subjects in order: batches that share subjects never wait for each other in a ring.
macro_rules! add {
    ($unit:expr, $sql:literal, $subjects:expr, $deltas:expr) => {
        sqlx::query!($sql, $subjects, $deltas).execute($unit.connection()).await
    };
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

impl PgUnit {
    async fn add(&mut self, field: CounterField, subjects: &[i64], deltas: &[i64]) -> Result<()> {
        let done = match field {
            CounterField::ProfilePosts => add!(
                self,
                "insert into daira.profile_counter as c (profile, posts)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (profile) do update set posts = c.posts + excluded.posts",
                subjects,
                deltas
            ),
            CounterField::ProfileFollowers => add!(
                self,
                "insert into daira.profile_counter as c (profile, followers)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (profile) do update set followers = c.followers + excluded.followers",
                subjects,
                deltas
            ),
            CounterField::ProfileFollowing => add!(
                self,
                "insert into daira.profile_counter as c (profile, following)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (profile) do update set following = c.following + excluded.following",
                subjects,
                deltas
            ),
            CounterField::PostReactions => add!(
                self,
                "insert into daira.post_counter as c (post, reactions)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (post) do update set reactions = c.reactions + excluded.reactions",
                subjects,
                deltas
            ),
            CounterField::PostComments => add!(
                self,
                "insert into daira.post_counter as c (post, comments)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (post) do update set comments = c.comments + excluded.comments",
                subjects,
                deltas
            ),
            CounterField::PostImpressions => add!(
                self,
                "insert into daira.post_counter as c (post, impressions)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (post) do update set impressions = c.impressions + excluded.impressions",
                subjects,
                deltas
            ),
            CounterField::CommentReactions => add!(
                self,
                "insert into daira.comment_counter as c (comment, reactions)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (comment) do update set reactions = c.reactions + excluded.reactions",
                subjects,
                deltas
            ),
            CounterField::CommentReplies => add!(
                self,
                "insert into daira.comment_counter as c (comment, replies)
                 select s, d from unnest($1::bigint[], $2::bigint[]) u (s, d) order by s
                 on conflict (comment) do update set replies = c.replies + excluded.replies",
                subjects,
                deltas
            ),
            // The list of fields is open: one that this adapter does not keep is a bug here, not a silent loss.
            _ => Err(sqlx::Error::Protocol(format!("no column for {field:?}"))),
        };
        self.check("counter.apply", done).map(drop)
    }

    async fn compare(&mut self, field: CounterField, from: i64, chunk: i64) -> Result<Vec<Compared>> {
        let compared = match field {
            CounterField::ProfilePosts => compare!(
                self,
                r#"select s.id as subject, coalesce(c.posts, 0) as "counter!",
                          (select count(*) from daira.post p
                           where p.author = s.id and p.deleted_at is null and p.visibility in (1, 6)) as "rows!"
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
                          (select count(*) from daira.comment k where k.post = s.id and k.deleted_at is null) as "rows!"
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
                          (select count(*) from daira.comment k where k.parent = s.id and k.deleted_at is null) as "rows!"
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

    async fn apply(&mut self, deltas: &[CounterDelta]) -> Result<()> {
        let mut fields: BTreeMap<CounterField, BTreeMap<i64, i64>> = BTreeMap::new();
        for delta in deltas {
            *fields.entry(delta.field).or_default().entry(delta.subject).or_default() += delta.delta;
        }
        for (field, sums) in fields {
            let (subjects, deltas): (Vec<i64>, Vec<i64>) = sums.into_iter().filter(|(_, delta)| *delta != 0).unzip();
            if !subjects.is_empty() {
                self.add(field, &subjects, &deltas).await?;
            }
        }
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
}
