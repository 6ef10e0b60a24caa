//! Feeds as their reader gets them.

use core::time::Duration;
use std::collections::HashMap;

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::id::{FeedSessionId, Id, PostId, ProfileId, floor};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{Candidate, FeedReads, InboxReason, Signals};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::view::PgView;
use super::feed::list;
use super::post_reads::{below, id_page};
use super::rows::{instant, media_kind, stored};

/// How long a frozen list holds.
const FROZEN_FOR: Duration = Duration::from_hours(2);

impl PgView {
    /// The smallest id of a post that an inbox still reaches at an instant.
    fn reach(&self, at: Timestamp) -> i64 {
        floor(at - Duration::from_hours(24) * u32::from(self.inbox_days))
    }
}

/// What the two statements for candidates answer alike: a post with its signals.
struct CandidateRow {
    post: i64,
    author: i64,
    reason: i16,
    kind: i16,
    at: OffsetDateTime,
    reactions: Option<i64>,
    comments: Option<i64>,
    impressions: Option<i64>,
    affinity: Option<f64>,
    affinity_at: Option<OffsetDateTime>,
    served: Option<Vec<i64>>,
}

/// Answers candidates out of `$sources`, a query for post, author, reason, kind and at, in its order. Signals are looked up by
/// key, row by row: a join would go through all the reader's authors for each post. What the reader was served of late comes
/// once, with the first row.
macro_rules! candidates {
    ($sources:literal, $connection:expr $(, $argument:expr)+) => {
        sqlx::query_as!(
            CandidateRow,
            r#"select s.post as "post!", s.author as "author!", s.reason as "reason!", s.kind as "kind!", s.at as "at!",
                      n.reactions as "reactions?", n.comments as "comments?", n.impressions as "impressions?",
                      a.sum as "affinity?", a.at as "affinity_at?",
                      case when row_number() over () = 1 then array(
                          select unnest(r.posts)
                          from (select posts from daira.page_served
                                where viewer = $1 and at > $4 - interval '3 days' and at < $4 + interval '1 day'
                                order by at desc limit 100) r) end as served
               from ("# + $sources + r#") s
               left join lateral (
                   select n.reactions, n.comments, n.impressions from daira.post_counter n where n.post = s.post offset 0) n on true
               left join lateral (
                   select a.sum, a.at from daira.affinity a where a.viewer = $1 and a.author = s.author offset 0) a on true"#
            $(, $argument)+
        )
        .fetch_all($connection)
        .await
        .map_err(|e| fault("feed.candidates", e))
    };
}

/// The candidates in rows of one reader.
fn candidates(rows: Vec<CandidateRow>) -> Result<Vec<Candidate>> {
    let mut pages: HashMap<i64, u16> = HashMap::new();
    for post in rows.first().and_then(|row| row.served.as_ref()).into_iter().flatten() {
        let seen = pages.entry(*post).or_default();
        *seen = seen.saturating_add(1);
    }
    let candidate = |row: CandidateRow| {
        Ok(Candidate {
            post: PostId::from_raw(row.post),
            author: ProfileId::from_raw(row.author),
            reason: InboxReason::from_code(row.reason)
                .ok_or_else(|| corrupt("feed.candidates", row.reason.to_string()))?,
            delivered_at: instant(row.at),
            media: media_kind(row.kind)?,
            signals: Signals {
                reactions: row.reactions.unwrap_or_default(),
                comments: row.comments.unwrap_or_default(),
                impressions: row.impressions.unwrap_or_default(),
                affinity: row.affinity.unwrap_or_default(),
                affinity_at: row.affinity_at.map_or(Timestamp::EPOCH, instant),
                seen: pages.get(&row.post).copied().unwrap_or_default(),
            },
        })
    };
    rows.into_iter().map(candidate).collect()
}

impl PgView {
    /// The newest posts of the reader's own sources, each once: the inbox, authors that are looked up, and the reader's own.
    /// The sources are put in order by what lies in indexes; who may see a post is asked of one after the other, until there
    /// are enough.
    async fn own_candidates(&mut self, me: ProfileId, as_of: Timestamp, limit: u16) -> Result<Vec<CandidateRow>> {
        candidates!(
            r#"select s.post, s.author, s.reason, s.kind, s.at
               from (
                   select distinct on (s.post) s.*
                   from (
                       select i.post, i.author, i.reason, i.kind, i.at, i.reason as edge
                       from daira.inbox i
                       where i.profile = $1 and i.post >= $2 and i.post < $3 and i.at <= $4
                       union all
                       select q.id, q.author, 1::smallint, q.kind, greatest(daira.id_at(q.id), q.since), 0::smallint
                       from (select p.id, p.author, p.kind,
                                    (select g.at from daira.follow g where g.follower = $1 and g.followee = p.author) as since
                             from daira.follow f
                             cross join lateral (
                                 select p.id, p.author, p.kind from daira.post p
                                 where p.author = f.followee and p.delivery = 2 and p.id >= $2 and p.id < $3 offset 0) p
                             where f.follower = $1) q
                       where daira.id_at(q.id) <= $4 and q.since <= $4
                       union all
                       select p.id, p.author, 4::smallint, p.kind, daira.id_at(p.id), 4::smallint
                       from daira.post p
                       where p.author = $1 and p.id >= $2 and p.id < $3 and daira.id_at(p.id) <= $4
                   ) s
                   order by s.post desc, s.at
               ) s
               cross join lateral (
                   select v.visibility, v.mentions from daira.visible_post v where v.id = s.post offset 0) p
               where case s.edge
                         when 1 then exists (select from daira.follow f where f.follower = $1 and f.followee = s.author offset 0)
                         when 2 then $1 = any (p.mentions)
                         when 3 then p.visibility = 3
                         else true
                     end
                 and not exists (select from daira.mute m where m.muter = $1 and m.muted = s.author and m.posts offset 0)
               order by s.post desc
               limit $5"#,
            self.connection(),
            me.raw(),
            self.reach(as_of),
            floor(as_of + Duration::from_millis(1)),
            stored(as_of),
            i64::from(limit)
        )
    }

    /// Posts of others that many like, out of the latest thousand public ones, without those in `taken`.
    async fn popular(
        &mut self,
        me: ProfileId,
        as_of: Timestamp,
        limit: u16,
        taken: &[i64],
    ) -> Result<Vec<CandidateRow>> {
        candidates!(
            r#"select s.id as post, p.author, 5::smallint as reason, p.kind, daira.id_at(s.id) as at
               from (
                   select n.id, c.reactions + c.comments as score
                   from (select id from daira.post
                         where visibility = 1 and deleted_at is null and id >= $2 and id < $3
                         order by id desc limit 1000) n
                   cross join lateral (
                       select c.reactions, c.comments from daira.post_counter c where c.post = n.id and c.reactions > 0 offset 0) c
                   where n.id <> all ($6) and daira.id_at(n.id) <= $4
                   order by score desc, n.id desc
               ) s
               cross join lateral (
                   select v.author, v.kind from daira.visible_post v where v.id = s.id offset 0) p
               where p.author <> $1
                 and not exists (select from daira.mute m where m.muter = $1 and m.muted = p.author and m.posts offset 0)
               order by s.score desc, s.id desc
               limit $5"#,
            self.connection(),
            me.raw(),
            self.reach(as_of),
            floor(as_of + Duration::from_millis(1)),
            stored(as_of),
            i64::from(limit),
            taken
        )
    }
}

#[async_trait]
impl FeedReads for PgView {
    async fn candidates(&mut self, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        let Some(me) = self.me() else { return Ok(Vec::new()) };
        let mut rows = self.own_candidates(me, as_of, limit).await?;
        let missing = usize::from(limit).saturating_sub(rows.len());
        if let Some(missing) = u16::try_from(missing).ok().filter(|missing| *missing > 0) {
            let taken: Vec<i64> = rows.iter().map(|row| row.post).collect();
            rows.extend(self.popular(me, as_of, missing, &taken).await?);
        }
        candidates(rows)
    }

    async fn newest(&mut self, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        // Every branch is limited by itself, after its filters, so that none reads more than it can give.
        let ids = sqlx::query_scalar!(
            r#"select post as "post!"
               from (
                   (select i.post
                    from daira.inbox i
                    join daira.visible_post p on p.id = i.post
                    where i.profile = $1 and i.post < $2
                      and case i.reason
                              when 1 then exists (select from daira.follow f where f.follower = $1 and f.followee = i.author offset 0)
                              when 2 then $1 = any (p.mentions)
                              when 3 then p.visibility = 3
                              else true
                          end
                      and not exists (select from daira.mute m where m.muter = $1 and m.muted = i.author and m.posts offset 0)
                    order by i.post desc limit $3)
                   union
                   (select p.id
                    from daira.follow f
                    cross join lateral (
                        select q.id
                        from daira.post q
                        where q.author = f.followee and q.delivery = 2 and q.id < $2
                          and exists (select from daira.visible_post v where v.id = q.id offset 0)
                        order by q.id desc limit $3) p
                    where f.follower = $1
                      and not exists (select from daira.mute m where m.muter = $1 and m.muted = f.followee and m.posts offset 0)
                    order by p.id desc limit $3)
                   union
                   (select p.id
                    from daira.post p
                    where p.author = $1 and p.deleted_at is null and p.id < $2
                    order by p.id desc limit $3)
               ) s
               order by post desc
               limit $3"#,
            me.raw(),
            below(after),
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("feed.newest", e))?;
        Ok(id_page(ids, limit))
    }

    async fn count_new(&mut self, since: Timestamp) -> Result<i64> {
        let Some(me) = self.me() else { return Ok(0) };
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!"
               from (
                   (select i.post
                    from daira.inbox i
                    join daira.visible_post p on p.id = i.post
                    where i.profile = $1 and i.post >= $2 and i.at > $3 and i.author <> $1
                      and exists (select from daira.follow f where f.follower = $1 and f.followee = i.author offset 0)
                      and case i.reason when 2 then $1 = any (p.mentions) when 3 then p.visibility = 3 else true end
                      and not exists (select from daira.mute m where m.muter = $1 and m.muted = i.author and m.posts offset 0)
                    limit 100)
                   union
                   (select p.id
                    from daira.follow f
                    cross join lateral (
                        select q.id from daira.post q
                        where q.author = f.followee and q.delivery = 2 and q.id >= $2 and greatest(daira.id_at(q.id), f.at) > $3
                          and exists (select from daira.visible_post v where v.id = q.id offset 0)
                        order by q.id desc limit 100) p
                    where f.follower = $1
                      and not exists (select from daira.mute m where m.muter = $1 and m.muted = f.followee and m.posts offset 0)
                    limit 100)
                   limit 100
               ) new"#,
            me.raw(),
            self.reach(since),
            stored(since)
        )
        .fetch_one(self.connection())
        .await
        .map_err(|e| fault("feed.count_new", e))?;
        Ok(count)
    }

    async fn frozen(&mut self, session: FeedSessionId, now: Timestamp) -> Result<Option<Vec<(PostId, Vec<u8>)>>> {
        let Some(me) = self.me() else { return Ok(None) };
        let found = sqlx::query!(
            "select posts, reasons from daira.feed_session where session = $1 and viewer = $2 and at > $3",
            session.raw(),
            me.raw(),
            stored(now - FROZEN_FOR)
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("feed.frozen", e))?;
        Ok(found.map(|row| list(row.posts, row.reasons)))
    }

    async fn served_reason(&mut self, post: PostId) -> Result<Option<(Timestamp, Vec<u8>)>> {
        let Some(me) = self.me() else { return Ok(None) };
        // No page is older than the post on it.
        let found = sqlx::query!(
            r#"select at, reasons[array_position(posts, $2)] as "reason!"
               from daira.page_served
               where viewer = $1 and at >= daira.id_at($2) and $2 = any (posts)
               order by at desc
               limit 1"#,
            me.raw(),
            post.raw()
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("feed.served_reason", e))?;
        Ok(found.map(|row| (instant(row.at), row.reason)))
    }
}
