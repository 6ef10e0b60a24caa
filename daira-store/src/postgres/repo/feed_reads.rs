//! Feeds as their reader gets them.

use async_trait::async_trait;
use core::time::Duration;
use daira_core::error::Result;
use daira_core::id::{FeedSessionId, Id, PostId, ProfileId, floor};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{Candidate, FeedReads, InboxReason, Signals};
use daira_core::time::Timestamp;

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

/// The newest posts of the reader's own sources, each once, in a CTE named `found` (post, author, reason, kind, at): the
/// inbox, authors that are looked up, and the reader's own. `$1` is the reader; posts are from `$2` on and below `$3`,
/// delivered at or before `$4`, at most `$5`. Every branch is limited by itself, after its filters, so that none reads
/// more than it can give.
macro_rules! sources {
    ($row:ident, $tail:literal $(, $argument:expr)+) => {
        sqlx::$row!(
            r#"with found as materialized (
                   select distinct on (s.post) s.post, s.author, s.reason, s.kind, s.at
                   from (
                       (select i.post, i.author, i.reason, i.kind, i.at
                        from daira.inbox i
                        join daira.visible_post p on p.id = i.post
                        where i.profile = $1 and i.post >= $2 and i.post < $3 and i.at <= coalesce($4, 'infinity'::timestamptz)
                          and case i.reason
                                  when 1 then exists (select from daira.follow f where f.follower = $1 and f.followee = i.author offset 0)
                                  when 2 then $1 = any (p.mentions)
                                  when 3 then p.visibility = 3
                                  else true
                              end
                          and not exists (select from daira.mute m where m.muter = $1 and m.muted = i.author and m.posts offset 0)
                        order by i.post desc limit $5)
                       union all
                       (select p.id, p.author, 1::smallint, p.kind, greatest(daira.id_at(p.id), f.at)
                        from daira.follow f
                        cross join lateral (
                            select q.id, q.author, q.kind
                            from daira.post q
                            where q.author = f.followee and q.delivery = 2 and q.id >= $2 and q.id < $3
                              and greatest(daira.id_at(q.id), f.at) <= coalesce($4, 'infinity'::timestamptz)
                              and exists (select from daira.visible_post v where v.id = q.id offset 0)
                            order by q.id desc limit $5) p
                        where f.follower = $1
                          and not exists (select from daira.mute m where m.muter = $1 and m.muted = f.followee and m.posts offset 0)
                        order by p.id desc limit $5)
                       union all
                       (select p.id, p.author, 4::smallint, p.kind, daira.id_at(p.id)
                        from daira.post p
                        where p.author = $1 and p.deleted_at is null and p.id >= $2 and p.id < $3 and daira.id_at(p.id) <= coalesce($4, 'infinity'::timestamptz)
                        order by p.id desc limit $5)
                   ) s
                   order by s.post desc, s.reason = 4 desc, s.at
                   limit $5
               )"# + $tail
            $(, $argument)+
        )
    };
}

#[async_trait]
impl FeedReads for PgView {
    async fn candidates(&mut self, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        let Some(me) = self.me() else { return Ok(Vec::new()) };
        let rows = sources!(
            query,
            r#", popular as (
                   select p.id as post, p.author, 5::smallint as reason, p.kind, daira.id_at(p.id) as at
                   from (select n.id, c.reactions + c.comments as score
                         from (select id from daira.post
                               where visibility = 1 and deleted_at is null and id >= $2 and id < $3
                                 and (select count(*) from found) < $5
                               order by id desc limit 1000) n
                         join daira.post_counter c on c.post = n.id and c.reactions > 0) n
                   join daira.visible_post p on p.id = n.id
                   where daira.id_at(p.id) <= $4
                     and p.author <> $1
                     and not exists (select from found f where f.post = p.id)
                     and not exists (select from daira.mute m where m.muter = $1 and m.muted = p.author and m.posts offset 0)
                   order by n.score desc, p.id desc
                   limit (select $5 - count(*) from found)
               ), seen as (
                   select post, count(*) as pages
                   from (select posts from daira.page_served where viewer = $1 and at > $4 - interval '3 days' order by at desc limit 60) s,
                        unnest(s.posts) post
                   group by post
               )
               select c.post as "post!", c.author as "author!", c.reason as "reason!", c.kind as "kind!", c.at as "at!",
                      n.reactions as "reactions?", n.comments as "comments?", n.impressions as "impressions?",
                      a.sum as "affinity?", a.at as "affinity_at?", s.pages as "pages?"
               from (select * from found union all select * from popular) c
               left join daira.post_counter n on n.post = c.post
               left join daira.affinity a on a.viewer = $1 and a.author = c.author
               left join seen s on s.post = c.post"#,
            me.raw(),
            self.reach(as_of),
            floor(as_of + Duration::from_millis(1)),
            stored(as_of),
            i64::from(limit)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("feed.candidates", e))?;
        let candidates = rows.into_iter().map(|row| {
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
                    seen: u16::try_from(row.pages.unwrap_or_default()).unwrap_or(u16::MAX),
                },
            })
        });
        candidates.collect()
    }

    async fn newest(&mut self, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let ids = sources!(
            query_scalar,
            r#" select post as "post!" from found order by post desc"#,
            me.raw(),
            0_i64,
            below(after),
            None::<time::OffsetDateTime>,
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
