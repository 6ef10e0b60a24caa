//! Inboxes, affinity, frozen sessions and pages served: the writing half.

use async_trait::async_trait;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{FeedSessionId, Id, PostId, ProfileId, floor};
use daira_core::port::store::{Affinity, DeliveredChunk, FeedRepository, Lock, PageServed, PostRepository};
use daira_core::post::Visibility;
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::unit::PgUnit;
use super::rows::{limit, media_code, raws, stored};
use super::sources::packed;

/// How many pages are recorded by one statement.
const PAGES: usize = 500;

/// A list of posts with packed reasons, from its two columns.
pub(super) fn list(posts: Vec<i64>, reasons: Vec<Vec<u8>>) -> Vec<(PostId, Vec<u8>)> {
    posts.into_iter().map(PostId::from_raw).zip(reasons).collect()
}

/// Reasons as pages that were served hold them: one after another, each after its length.
fn lengthened(items: &[(PostId, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (_, reason) in items {
        let length = u16::try_from(reason.len());
        let length = length.map_err(|e| Error::new(ErrorKind::Internal, "feed.record_pages").with_source(e))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(reason);
    }
    Ok(bytes)
}

/// The reason at a place of a page, from 1 on; nothing when the page holds no such one.
pub(super) fn reason_at(reasons: &[u8], place: usize) -> Option<Vec<u8>> {
    let mut rest = reasons;
    for _ in 1..place {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_be_bytes(*length))..)?;
    }
    let (length, after) = rest.split_first_chunk()?;
    after.get(..usize::from(u16::from_be_bytes(*length))).map(<[u8]>::to_vec)
}

/// Puts a post into the inboxes of the next recipients, taken in order of their ids from `$2` on: all but those who block
/// the author, whom the author blocks, or who are the author. What is there already stays. The row answered says how
/// many rows were new and who comes next.
macro_rules! deliver {
    ($unit:expr, $recipients:literal, $reason:literal, $who:expr, $post:expr, $from:expr, $chunk:expr, $at:expr) => {
        sqlx::query!(
            "with author as materialized (
                 select a.id, exists (select from daira.block b where b.blocker = a.id) as blocks
                 from daira.profile a where a.id = $3 and a.standing = 0
             ), due as materialized (" + $recipients + r#" order by 1 limit $4::bigint + 1
             ), served as (
                 insert into daira.inbox (profile, post, author, reason, kind, at)
                 select d.profile, $5, a.id, "# + $reason + r#", $6, $7
                 from (select profile from due order by profile limit $4) d, author a
                 where d.profile <> a.id
                   and not exists (select from daira.block b where b.blocker = d.profile and b.blocked = a.id offset 0)
                   and not (a.blocks and exists (
                       select from daira.profile v join daira.block b on b.blocked_account = v.account
                       where v.id = d.profile and b.blocker = a.id offset 0))
                 on conflict do nothing
                 returning 1
             )
             select (select count(*) from served) as "rows!", (select profile from due order by profile offset $4 limit 1) as next"#,
            $who,
            $from,
            $post.author.raw(),
            $chunk,
            $post.id.raw(),
            media_code($post.media_kind()),
            $at,
        )
        .fetch_one($unit.connection())
        .await
        .map(|row| (row.rows, row.next))
    };
}

#[async_trait]
impl FeedRepository for PgUnit {
    async fn deliver(
        &mut self,
        post: PostId,
        from: Option<ProfileId>,
        chunk: u32,
        at: Timestamp,
    ) -> Result<DeliveredChunk> {
        const NOBODY: DeliveredChunk = DeliveredChunk { rows: 0, next: None };
        // What the post is now decides, not what the event says of it.
        let post = PostRepository::post(self, post, Lock::None).await?.filter(|post| post.deleted_at.is_none());
        let Some(post) = post else { return Ok(NOBODY) };
        let (from, chunk, at) = (from.map_or(i64::MIN, Id::raw), limit(chunk), stored(at));
        let done = match post.visibility {
            Visibility::Public | Visibility::Unlisted | Visibility::Followers => deliver!(
                self,
                "select f.follower as profile from daira.follow f where f.followee = $1 and f.follower >= $2",
                "1::smallint",
                post.author.raw(),
                post,
                from,
                chunk,
                at
            ),
            Visibility::Circle(circle) => deliver!(
                self,
                "select m.member as profile from daira.circle_member m where m.circle = $1 and m.member >= $2",
                "3::smallint",
                circle.raw(),
                post,
                from,
                chunk,
                at
            ),
            Visibility::Mentioned => deliver!(
                self,
                "select distinct p as profile from unnest($1::bigint[]) p where p >= $2",
                "2::smallint",
                &raws(&post.mentions),
                post,
                from,
                chunk,
                at
            ),
            Visibility::Private => return Ok(NOBODY),
        };
        let (rows, next) = self.check("inbox.deliver", done)?;
        Ok(DeliveredChunk { rows: rows.unsigned_abs(), next: next.map(ProfileId::from_raw) })
    }

    async fn backfill(
        &mut self,
        follower: ProfileId,
        followee: ProfileId,
        since: Timestamp,
        posts: u16,
        at: Timestamp,
    ) -> Result<u64> {
        let done = sqlx::query!(
            "insert into daira.inbox (profile, post, author, reason, kind, at)
             select $1, p.id, p.author, 1, p.kind, $5
             from (select id, author, kind from daira.post
                   where author = $2 and id >= $3 and delivery = 1 and deleted_at is null and visibility in (1, 2, 6)
                   order by id desc limit $4) p
             join daira.profile a on a.id = p.author and a.standing = 0
             where exists (select from daira.follow where follower = $1 and followee = $2)
               and not exists (select from daira.block where blocker = $1 and blocked = $2)
               and not exists (select from daira.block b join daira.profile v on v.account = b.blocked_account where b.blocker = $2 and v.id = $1)
             on conflict do nothing",
            follower.raw(),
            followee.raw(),
            floor(since),
            i64::from(posts),
            stored(at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("inbox.backfill", done)?.rows_affected())
    }

    async fn withdraw_author(&mut self, profile: ProfileId, author: ProfileId) -> Result<u64> {
        let done = sqlx::query!(
            "delete from daira.inbox
             where profile = $1 and author = $2 and reason = 1 and post < daira.id_floor(now() + interval '1 day')
               and not (select exists (select from daira.follow where follower = $1 and followee = $2))",
            profile.raw(),
            author.raw()
        )
        .execute(self.connection())
        .await;
        Ok(self.check("inbox.withdraw_author", done)?.rows_affected())
    }

    async fn withdraw_post(&mut self, post: PostId, from: Option<ProfileId>, chunk: u32) -> Result<DeliveredChunk> {
        // By the keys of those who may have it: an index by post would cost every delivery a third more.
        let done = sqlx::query!(
            r#"with of as materialized (
                   select author, mentions from daira.post where id = $1
               ), due as materialized (
                   select distinct n.profile
                   from ((select f.follower as profile from of join daira.follow f on f.followee = of.author
                          where f.follower >= $2 order by 1 limit $3::bigint + 1)
                         union all
                         (select distinct m.member from of join daira.circle_member m on m.owner = of.author
                          where m.member >= $2 order by 1 limit $3::bigint + 1)
                         union all
                         (select p from of, unnest(of.mentions) p where p >= $2)) n
                   order by 1
                   limit $3::bigint + 1
               ), gone as (
                   delete from daira.inbox i
                   using (select profile from due order by profile limit $3) d
                   where i.profile = d.profile and i.post = $1
                   returning 1
               )
               select (select count(*) from gone) as "rows!", (select profile from due order by profile offset $3 limit 1) as next"#,
            post.raw(),
            from.map_or(i64::MIN, Id::raw),
            limit(chunk)
        )
        .fetch_one(self.connection())
        .await;
        let row = self.check("inbox.withdraw_post", done)?;
        Ok(DeliveredChunk { rows: row.rows.unsigned_abs(), next: row.next.map(ProfileId::from_raw) })
    }

    async fn add_affinity(&mut self, sums: &[(ProfileId, ProfileId, Affinity)]) -> Result<()> {
        let viewers: Vec<i64> = sums.iter().map(|(viewer, ..)| viewer.raw()).collect();
        let authors: Vec<i64> = sums.iter().map(|(_, author, _)| author.raw()).collect();
        let weights: Vec<f64> = sums.iter().map(|(.., affinity)| affinity.sum).collect();
        let times: Vec<OffsetDateTime> = sums.iter().map(|(.., affinity)| stored(affinity.at)).collect();
        // `Affinity::plus`, for many at once and in one order, so that two batches never wait for each other in a ring; the
        // viewers' ties are others then.
        let done = sqlx::query!(
            "with tied as (
                 insert into daira.tie_version as t
                 select v, daira.drawn_version() from (select distinct v from unnest($1::bigint[]) v order by 1) v
                 on conflict (profile) do update set version = excluded.version
             )
             insert into daira.affinity as a (viewer, author, sum, at)
             select * from unnest($1::bigint[], $2::bigint[], $3::double precision[], $4::timestamptz[]) u (v, a, s, t) order by v, a
             on conflict (viewer, author) do update set
                 sum = a.sum * 0.5 ^ (extract(epoch from greatest(a.at, excluded.at) - a.at)::double precision / 1209600)
                     + excluded.sum * 0.5 ^ (extract(epoch from greatest(a.at, excluded.at) - excluded.at)::double precision / 1209600),
                 at = greatest(a.at, excluded.at)",
            &viewers,
            &authors,
            &weights,
            &times
        )
        .execute(self.connection())
        .await;
        self.check("feed.affinity", done).map(drop)
    }

    async fn freeze(
        &mut self,
        session: FeedSessionId,
        viewer: ProfileId,
        items: &[(PostId, Vec<u8>)],
        at: Timestamp,
    ) -> Result<Vec<(PostId, Vec<u8>)>> {
        let posts: Vec<i64> = items.iter().map(|(post, _)| post.raw()).collect();
        let reasons: Vec<Vec<u8>> = items.iter().map(|(_, reason)| reason.clone()).collect();
        let done = sqlx::query!(
            "insert into daira.feed_session (session, viewer, posts, reasons, at) values ($1, $2, $3, $4, $5) on conflict do nothing",
            session.raw(),
            viewer.raw(),
            &posts,
            &reasons,
            stored(at)
        )
        .execute(self.connection())
        .await;
        if self.check("feed.freeze", done)?.rows_affected() > 0 {
            return Ok(items.to_vec());
        }
        let holds = sqlx::query!(
            "select posts, reasons from daira.feed_session where session = $1 and viewer = $2",
            session.raw(),
            viewer.raw()
        )
        .fetch_optional(self.connection())
        .await;
        let holds = self.check("feed.freeze", holds)?;
        holds.map(|row| list(row.posts, row.reasons)).ok_or_else(|| Error::new(ErrorKind::IdCollision, "feed.freeze"))
    }

    async fn record_pages(&mut self, pages: &[PageServed]) -> Result<()> {
        for pages in pages.chunks(PAGES) {
            let viewers: Vec<i64> = pages.iter().map(|page| page.viewer.raw()).collect();
            let times: Vec<OffsetDateTime> = pages.iter().map(|page| stored(page.at)).collect();
            let posts: Vec<Vec<u8>> = pages.iter().map(|page| packed(page.items.iter().map(|item| item.0))).collect();
            let reasons: Vec<Vec<u8>> = pages.iter().map(|page| lengthened(&page.items)).collect::<Result<_>>()?;
            let done = sqlx::query!(
                "insert into daira.page_served (viewer, at, posts, reasons)
                 select * from unnest($1::bigint[], $2::timestamptz[], $3::bytea[], $4::bytea[])",
                &viewers,
                &times,
                &posts,
                &reasons
            )
            .execute(self.connection())
            .await;
            self.check("feed.record_pages", done)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_found_by_their_place() {
        let items: Vec<(PostId, Vec<u8>)> =
            [&b"one"[..], b"", b"three"].iter().map(|reason| (PostId::from_raw(1), reason.to_vec())).collect();
        let bytes = lengthened(&items).unwrap();
        let found: Vec<_> = (1..=4).map(|place| reason_at(&bytes, place)).collect();
        assert_eq!(found, [Some(b"one".to_vec()), Some(Vec::new()), Some(b"three".to_vec()), None]);
        assert_eq!(reason_at(&bytes[..bytes.len() - 1], 3), None, "what was cut holds no reason");
        assert!(lengthened(&[(PostId::from_raw(1), vec![0; 70_000])]).is_err());
    }
}
