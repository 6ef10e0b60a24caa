//! Feeds as their reader gets them.

use core::ops::Range;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use daira_core::actor::Member;
use daira_core::error::Result;
use daira_core::id::{FeedSessionId, Id, IdMap, IdSet, PostId, ProfileId, floor};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{Candidate, FeedReads, InboxReason, OLDER_MAX, SEEN_FOR, SEEN_PAGES};
use daira_core::time::Timestamp;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;

use super::super::counts::Counts;
use super::super::error::{corrupt, fault};
use super::super::questions::Question;
use super::super::shared::{Popular, Shared};
use super::super::store::PgStore;
use super::super::ties::Ties;
use super::super::view::PgView;
use super::super::wire::Pool;
use super::feed::{list, reason_at};
use super::post_reads::below;
use super::rows::{instant, stored};
use super::sources::{Found, Known, Looked, Seen, Source, Window, look};

/// How long a frozen list holds.
const FROZEN_FOR: Duration = Duration::from_hours(2);
/// How many of the newest public posts are looked at for what is popular.
const POPULAR_AMONG: i64 = 4_000;
/// How many popular posts are kept in mind.
const POPULAR_MAX: i64 = 1_000;
/// How long reading all counters that shall be kept may take.
const READING: Duration = Duration::from_secs(10);

impl PgView {
    /// The smallest id of a post that an inbox still reaches at an instant.
    fn reach(&self, at: Timestamp) -> i64 {
        floor(at - Duration::from_hours(24) * u32::from(self.inbox_days))
    }
}

impl PgView {
    /// What inboxes do not reach back to: posts below an id of the reader and of those they followed at an instant, as far
    /// as they see them, newest first.
    async fn published_before(
        &mut self,
        me: ProfileId,
        below: i64,
        followed_at: Option<OffsetDateTime>,
        wanted: usize,
    ) -> Result<Vec<Source>> {
        let rows = sqlx::query!(
            r#"select p.id as "id!", p.author as "author!", p.kind as "kind!"
               from (select $1::bigint as id
                     union all
                     select f.followee
                     from daira.follow f
                     where f.follower = $1 and f.at <= coalesce($3, 'infinity'::timestamptz)
                       and not exists (select from daira.mute m where m.muter = $1 and m.muted = f.followee and m.posts offset 0)) a
               cross join lateral (
                   select q.id, q.author, q.kind
                   from daira.post q
                   where q.author = a.id and q.id < $2 and q.deleted_at is null
                     and exists (select from daira.visible_post v where v.id = q.id offset 0)
                   order by q.id desc limit $4) p
               order by p.id desc
               limit $4"#,
            me.raw(),
            below,
            followed_at,
            i64::try_from(wanted).unwrap_or(i64::MAX)
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("feed.published_before", e))?;
        let source = |post: i64, author: i64, kind: i16| Source {
            post,
            author,
            reason: if author == me.raw() { InboxReason::Own } else { InboxReason::Follow },
            kind,
            at: stored(PostId::from_raw(post).at()),
        };
        Ok(rows.into_iter().map(|row| source(row.id, row.author, row.kind)).collect())
    }

    /// Popular public posts of others that the reader sees, the most popular first.
    async fn strangers(
        &mut self,
        me: ProfileId,
        taken: &[Source],
        timely: &Range<i64>,
        wanted: usize,
    ) -> Result<Vec<Source>> {
        let popular = match self.shared.popular() {
            Some(popular) => popular,
            None => self.look_for_popular(timely.start).await?,
        };
        let taken: IdSet<i64> = taken.iter().map(|source| source.post).collect();
        let mut rest =
            popular.iter().filter(|p| timely.contains(&p.post) && p.author != me.raw() && !taken.contains(&p.post));
        let mut found = Vec::with_capacity(wanted);
        while found.len() < wanted {
            let missing = wanted - found.len();
            let next: Vec<&Popular> = rest.by_ref().take(missing + missing / 8 + 4).collect();
            if next.is_empty() {
                break;
            }
            let ids: Vec<i64> = next.iter().map(|p| p.post).collect();
            let seen = sqlx::query_scalar!(
                r#"select p.id as "id!" from daira.visible_post p
                   where p.id = any ($1) and p.visibility = 1
                     and not exists (select from daira.mute m where m.muter = $2 and m.muted = p.author and m.posts offset 0)"#,
                &ids,
                me.raw()
            )
            .fetch_all(self.connection())
            .await
            .map_err(|e| fault("feed.popular", e))?;
            let seen: IdSet<i64> = seen.into_iter().collect();
            found.extend(next.into_iter().filter(|p| seen.contains(&p.post)).map(|p| Source {
                post: p.post,
                author: p.author,
                reason: InboxReason::Popular,
                kind: p.kind,
                at: stored(PostId::from_raw(p.post).at()),
            }));
        }
        found.truncate(wanted);
        Ok(found)
    }

    /// The most reacted to among the newest public posts, the same for every reader.
    async fn look_for_popular(&mut self, from: i64) -> Result<Arc<[Popular]>> {
        let found = sqlx::query_as!(
            Popular,
            "select p.id as post, p.author, p.kind
             from (select id, author, kind from daira.post
                   where visibility = 1 and deleted_at is null and id >= $1
                   order by id desc limit $2) p
             join daira.post_counter c on c.post = p.id and c.reactions > 0
             order by c.reactions + c.comments desc, p.id desc
             limit $3",
            from,
            POPULAR_AMONG,
            POPULAR_MAX
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("feed.popular", e))?;
        let popular: Arc<[Popular]> = found.into();
        self.shared.learn_popular(&popular);
        Ok(popular)
    }

    /// The counters of posts.
    async fn counts(&mut self, posts: &[i64]) -> Result<IdMap<i64, Counts>> {
        let packed = sqlx::query_scalar!(
            "select string_agg(daira.packed(c), '') from daira.post_counter c where c.post = any ($1)",
            posts
        )
        .fetch_one(self.connection())
        .await
        .map_err(|e| fault("feed.counters", e))?;
        Ok(Counts::unpacked(&packed.unwrap_or_default()).collect())
    }

    /// What ranks posts that came by none of the reader's sources.
    async fn known(&mut self, me: ProfileId, sources: &[Source], as_of: Timestamp) -> Result<Known> {
        if sources.is_empty() {
            return Ok(Known::default());
        }
        let posts: Vec<i64> = sources.iter().map(|source| source.post).collect();
        let authors: Vec<i64> = sources.iter().map(|source| source.author).collect();
        let counts = self.counts(&posts).await?;
        let row = sqlx::query!(
            r#"select a.authors, a.sums, a.times,
                      (select string_agg(s.posts, '')
                       from (select posts from daira.page_served
                             where viewer = $1 and at > $3 and at <= $4 order by at desc limit $5) s) as seen
               from (select array_agg(author) as authors, array_agg(sum) as sums, array_agg(at) as times
                     from (select author, sum, at from daira.affinity where viewer = $1 and author = any ($2) order by author) a) a"#,
            me.raw(),
            &authors,
            stored(as_of - SEEN_FOR),
            stored(as_of),
            i64::try_from(SEEN_PAGES).unwrap_or(i64::MAX)
        )
        .fetch_one(self.connection())
        .await
        .map_err(|e| fault("feed.history", e))?;
        let sums = row.sums.unwrap_or_default().into_iter().zip(row.times.unwrap_or_default());
        let close = row.authors.unwrap_or_default().into_iter().zip(sums);
        let affinity = close.map(|(author, (sum, at))| (author, sum, instant(at))).collect();
        let ties = Arc::new(Ties { affinity, ..Ties::default() });
        Ok(Known { counts, ties, seen: Seen::of(&posts, &row.seen.unwrap_or_default()), reacted: None })
    }
}

/// The window of a home feed's candidates.
fn ranked(as_of: Timestamp, limit: u16, inbox_days: u16) -> Window {
    Window {
        from: floor(as_of - Duration::from_hours(24) * u32::from(inbox_days)),
        below: floor(as_of + Duration::from_millis(1)),
        as_of: Some(stored(as_of)),
        wanted: usize::from(limit),
        ranked: Some(stored(as_of - SEEN_FOR)),
    }
}

/// The sources of a feed as a question.
struct Sources<'a> {
    me: Member,
    window: Window,
    shared: &'a Shared,
}

impl Question for Sources<'_> {
    type Answer = Looked;

    async fn ask(&self, connection: &mut PgConnection) -> sqlx::Result<Self::Answer> {
        look(connection, self.me, self.window, self.window.taken(), self.shared).await
    }
}

/// The counters of the newest posts, and the run of a server that they are from.
async fn newest_counts(pool: &Pool, most: usize) -> sqlx::Result<(OffsetDateTime, IdMap<i64, Counts>)> {
    let read = sqlx::query!(
        r#"select string_agg(daira.packed(c), '') as counts, daira.server_run() as "server!"
           from (select c.* from daira.post_counter c order by c.post desc limit $1) c"#,
        i64::try_from(most).unwrap_or(i64::MAX)
    )
    .fetch_one(pool);
    let row = tokio::time::timeout(READING, read).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    Ok((row.server, Counts::unpacked(&row.counts.unwrap_or_default()).collect()))
}

impl PgStore {
    /// Reads the counters that shall be kept, once, while pages go on without.
    #[expect(
        clippy::disallowed_methods,
        reason = "a read that nobody waits for: dropped with its runtime, nothing is lost"
    )]
    fn keep_counts(&self) {
        let kept = &self.shared().cards;
        if let Some(reading) = kept.begin_counts() {
            let (kept, pool) = (kept.clone(), self.app_pool().clone());
            tokio::spawn(async move {
                let read = newest_counts(&pool, reading.most).await.map_err(|e| fault("feed.counters", e));
                if let Err(error) = &read {
                    tracing::warn!(%error, "no counters are kept for now");
                }
                kept.keep_counts(&reading, read.ok());
            });
        }
    }

    /// The candidates of somebody's home feed with one statement, if that can tell: there must be enough in their sources.
    pub(in crate::postgres) async fn candidates_at_once(
        &self,
        me: Member,
        as_of: Timestamp,
        limit: u16,
    ) -> Result<Option<Vec<Candidate>>> {
        let window = ranked(as_of, limit, self.inbox_days());
        let sources = Sources { me, window, shared: self.shared() };
        let looked = self.questions().ask(&sources).await.map_err(|e| fault("feed.sources", e))?;
        let found = looked.found(me.profile.raw(), window, window.taken())?;
        self.keep_counts();
        let found = found.filter(|found| found.sources.len() == window.wanted);
        found.map(|f| f.sources.iter().map(|source| f.known.candidate(source)).collect()).transpose()
    }
}

#[async_trait]
impl FeedReads for PgView {
    async fn candidates(&mut self, as_of: Timestamp, limit: u16) -> Result<Vec<Candidate>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let window = ranked(as_of, limit, self.inbox_days);
        let Found { sources: mut taken, known } = self.sources(member, window).await?;
        let mut candidates = taken.iter().map(|source| known.candidate(source)).collect::<Result<Vec<_>>>()?;
        if taken.len() == window.wanted {
            return Ok(candidates);
        }
        let in_sources = taken.len();
        let missing = OLDER_MAX.min(window.wanted - taken.len());
        taken.extend(self.published_before(member.profile, window.from, window.as_of, missing).await?);
        if taken.len() < window.wanted {
            let missing = window.wanted - taken.len();
            taken.extend(self.strangers(member.profile, &taken, &(window.from..window.below), missing).await?);
        }
        let rest = taken.get(in_sources..).unwrap_or_default();
        let known = self.known(member.profile, rest, as_of).await?;
        for source in rest {
            candidates.push(known.candidate(source)?);
        }
        Ok(candidates)
    }

    async fn newest(&mut self, now: Timestamp, after: Option<PostId>, limit: Limit) -> Result<Page<PostId>> {
        let Some(member) = self.member() else { return Ok(Page::empty()) };
        // Clocks of other nodes may be a little ahead.
        let below = below(after).min(floor(now + Duration::from_mins(1)));
        let (from, wanted) = (self.reach(now), limit.get() + 1);
        let window = Window { from, below, as_of: None, wanted, ranked: None };
        let mut found = if below > from { self.sources(member, window).await?.sources } else { Vec::new() };
        if found.len() < wanted {
            let missing = wanted - found.len();
            found.extend(self.published_before(member.profile, from.min(below), None, missing).await?);
        }
        Ok(Page::cut(found.into_iter().map(|source| PostId::from_raw(source.post)).collect(), limit))
    }

    async fn count_new(&mut self, since: Timestamp) -> Result<i64> {
        let Some(me) = self.me() else { return Ok(0) };
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!"
               from (
                   (select i.post
                    from daira.inbox i
                    join daira.follow f on f.follower = $1 and f.followee = i.author
                    join daira.visible_post p on p.id = i.post
                    where i.profile = $1 and i.post >= $2 and i.post < daira.id_floor(now() + interval '1 day')
                      and i.at > $3 and i.author <> $1
                      and (p.delivery = 1 or greatest(daira.id_at(p.id), f.at) > $3)
                      and case i.reason when 2 then $1 = any (p.mentions) when 3 then p.visibility = 3 else true end
                      and not exists (select from daira.mute m where m.muter = $1 and m.muted = i.author and m.posts offset 0)
                    limit 100)
                   union
                   (select p.id
                    from daira.follow f
                    cross join lateral (
                        select q.id from daira.post q
                        where q.author = f.followee and q.delivery = 2 and q.id >= $2 and greatest(daira.id_at(q.id), f.at) > $3
                          and not exists (select from daira.inbox i where i.profile = $1 and i.post = q.id and i.post >= $2
                                            and i.post < daira.id_floor(now() + interval '1 day') and i.at <= $3 offset 0)
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
        // No page is older than the post on it; none is of the days to come.
        let found = sqlx::query!(
            r#"select s.at, s.reasons, p.place as "place!"
               from daira.page_served s
               join generate_series(1, octet_length(s.posts) / 8) p (place) on substr(s.posts, 8 * p.place - 7, 8) = int8send($2)
               where s.viewer = $1 and s.at >= daira.id_at($2) and s.at < now() + interval '1 day'
               order by s.at desc
               limit 1"#,
            me.raw(),
            post.raw()
        )
        .fetch_optional(self.connection())
        .await
        .map_err(|e| fault("feed.served_reason", e))?;
        let Some(row) = found else { return Ok(None) };
        let reason = usize::try_from(row.place).ok().and_then(|place| reason_at(&row.reasons, place));
        let reason = reason.ok_or_else(|| corrupt("feed.served_reason", "no reason at the place of the post"))?;
        Ok(Some((instant(row.at), reason)))
    }
}
