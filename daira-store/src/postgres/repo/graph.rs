//! Follows, requests, blocks, mutes and circles: the writing half.

use async_trait::async_trait;
use daira_core::account::Profile;
use daira_core::error::Result;
use daira_core::graph::{Block, Circle, Follow, Mute, Relation};
use daira_core::id::{CircleId, Id, ProfileId};
use daira_core::port::store::{GraphRepository, Lock};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::unit::PgUnit;
use super::rows::{instant, limit, locked, stored};

/// A row of `circle`.
pub(super) struct CircleRow {
    pub(super) id: i64,
    pub(super) owner: i64,
    pub(super) name: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) version: i32,
}

impl From<CircleRow> for Circle {
    fn from(row: CircleRow) -> Self {
        Self {
            id: CircleId::from_raw(row.id),
            owner: ProfileId::from_raw(row.owner),
            name: row.name,
            created_at: instant(row.created_at),
            version: row.version,
        }
    }
}

#[async_trait]
impl GraphRepository for PgUnit {
    async fn lock_pair(&mut self, one: &Profile, other: &Profile, exclusive: bool) -> Result<()> {
        // A block is between a profile and an account, so these two hold whatever face is blocked; always in one order.
        let mut keys = [(one.id.raw(), other.account.raw()), (other.id.raw(), one.account.raw())];
        keys.sort_unstable();
        let [(p1, a1), (p2, a2)] = keys;
        let done = if exclusive {
            sqlx::query!(
                "select pg_advisory_xact_lock(hashint8extended($1, $2)), pg_advisory_xact_lock(hashint8extended($3, $4))",
                p1,
                a1,
                p2,
                a2
            )
            .execute(self.connection())
            .await
        } else {
            sqlx::query!(
                "select pg_advisory_xact_lock_shared(hashint8extended($1, $2)), pg_advisory_xact_lock_shared(hashint8extended($3, $4))",
                p1,
                a1,
                p2,
                a2
            )
            .execute(self.connection())
            .await
        };
        self.check("graph.lock_pair", done).map(drop)
    }

    async fn relation(&mut self, from: &Profile, to: &Profile) -> Result<Relation> {
        let found = sqlx::query!(
            r#"select exists (select from daira.follow where follower = $1 and followee = $2) as "follows!",
                      exists (select from daira.follow where follower = $2 and followee = $1) as "followed_by!",
                      exists (select from daira.follow_request where follower = $1 and followee = $2) as "requested!",
                      exists (select from daira.follow_request where follower = $2 and followee = $1) as "requested_by!",
                      exists (select from daira.block where blocker = $1 and blocked = $2) as "blocks!",
                      exists (select from daira.block where blocker = $2 and blocked_account = $3) as "blocked_by!",
                      coalesce(m.posts, false) as "mutes_posts!", coalesce(m.stories, false) as "mutes_stories!",
                      coalesce(m.notifications, false) as "mutes_notifications!"
               from (values (0)) one left join daira.mute m on m.muter = $1 and m.muted = $2"#,
            from.id.raw(),
            to.id.raw(),
            from.account.raw(),
        )
        .fetch_one(self.connection())
        .await;
        let row = self.check("graph.relation", found)?;
        Ok(Relation {
            follows: row.follows,
            followed_by: row.followed_by,
            requested: row.requested,
            requested_by: row.requested_by,
            blocks: row.blocks,
            blocked_by: row.blocked_by,
            mutes_posts: row.mutes_posts,
            mutes_stories: row.mutes_stories,
            mutes_notifications: row.mutes_notifications,
        })
    }

    async fn insert_follow(&mut self, follow: &Follow) -> Result<bool> {
        let done = sqlx::query!(
            "insert into daira.follow (follower, followee, at) values ($1, $2, $3) on conflict do nothing",
            follow.follower.raw(),
            follow.followee.raw(),
            stored(follow.at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("follow.insert", done)?.rows_affected() > 0)
    }

    async fn delete_follow(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool> {
        let done = sqlx::query!(
            "delete from daira.follow where follower = $1 and followee = $2",
            follower.raw(),
            followee.raw()
        )
        .execute(self.connection())
        .await;
        Ok(self.check("follow.delete", done)?.rows_affected() > 0)
    }

    async fn insert_request(&mut self, request: &Follow) -> Result<bool> {
        let done = sqlx::query!(
            "insert into daira.follow_request (follower, followee, at) values ($1, $2, $3) on conflict do nothing",
            request.follower.raw(),
            request.followee.raw(),
            stored(request.at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("request.insert", done)?.rows_affected() > 0)
    }

    async fn delete_request(&mut self, follower: ProfileId, followee: ProfileId) -> Result<bool> {
        let done = sqlx::query!(
            "delete from daira.follow_request where follower = $1 and followee = $2",
            follower.raw(),
            followee.raw()
        )
        .execute(self.connection())
        .await;
        Ok(self.check("request.delete", done)?.rows_affected() > 0)
    }

    async fn take_requests(&mut self, followee: ProfileId, rows: u32) -> Result<Vec<ProfileId>> {
        let taken = sqlx::query_scalar!(
            r#"with due as materialized (
                   select follower from daira.follow_request where followee = $1 order by at, follower limit $2 for update
               ), taken as (
                   delete from daira.follow_request r using due where r.followee = $1 and r.follower = due.follower
                   returning r.follower, r.at
               )
               select follower as "follower!" from taken order by at, follower"#,
            followee.raw(),
            limit(rows)
        )
        .fetch_all(self.connection())
        .await;
        Ok(self.check("request.take", taken)?.into_iter().map(ProfileId::from_raw).collect())
    }

    async fn insert_block(&mut self, block: &Block) -> Result<bool> {
        let done = sqlx::query!(
            "insert into daira.block (blocker, blocked, blocked_account, at) values ($1, $2, $3, $4) on conflict do nothing",
            block.blocker.raw(),
            block.blocked.raw(),
            block.blocked_account.raw(),
            stored(block.at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("block.insert", done)?.rows_affected() > 0)
    }

    async fn delete_block(&mut self, blocker: ProfileId, blocked: ProfileId) -> Result<bool> {
        let done =
            sqlx::query!("delete from daira.block where blocker = $1 and blocked = $2", blocker.raw(), blocked.raw())
                .execute(self.connection())
                .await;
        Ok(self.check("block.delete", done)?.rows_affected() > 0)
    }

    async fn put_mute(&mut self, mute: &Mute) -> Result<()> {
        let (muter, muted) = (mute.muter.raw(), mute.muted.raw());
        let done = if mute.posts || mute.stories || mute.notifications {
            sqlx::query!(
                "insert into daira.mute (muter, muted, posts, stories, notifications, at) values ($1, $2, $3, $4, $5, $6)
                 on conflict (muter, muted) do update
                 set posts = excluded.posts, stories = excluded.stories, notifications = excluded.notifications, at = excluded.at",
                muter,
                muted,
                mute.posts,
                mute.stories,
                mute.notifications,
                stored(mute.at)
            )
            .execute(self.connection())
            .await
        } else {
            sqlx::query!("delete from daira.mute where muter = $1 and muted = $2", muter, muted)
                .execute(self.connection())
                .await
        };
        self.check("mute.put", done).map(drop)
    }

    async fn insert_circle(&mut self, circle: &Circle) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.circle (id, owner, name, created_at, version) values ($1, $2, $3, $4, $5)",
            circle.id.raw(),
            circle.owner.raw(),
            circle.name,
            stored(circle.created_at),
            circle.version
        )
        .execute(self.connection())
        .await;
        self.check("circle.insert", done).map(drop)
    }

    async fn circle(&mut self, id: CircleId, lock: Lock) -> Result<Option<Circle>> {
        let found = locked!(
            lock,
            CircleRow,
            "select id, owner, name, created_at, version from daira.circle where id = $1",
            self.connection(),
            id.raw()
        );
        Ok(self.check("circle.load", found)?.map(Circle::from))
    }

    async fn count_circles(&mut self, owner: ProfileId) -> Result<i64> {
        let count =
            sqlx::query_scalar!(r#"select count(*) as "count!" from daira.circle where owner = $1"#, owner.raw())
                .fetch_one(self.connection())
                .await;
        self.check("circle.count", count)
    }

    async fn update_circle(&mut self, circle: &Circle) -> Result<()> {
        let done = sqlx::query!(
            "update daira.circle set name = $2, version = $3 where id = $1 and version = $3 - 1",
            circle.id.raw(),
            circle.name,
            circle.version
        )
        .execute(self.connection())
        .await;
        self.check_version("circle.update", done)
    }

    async fn delete_circle(&mut self, id: CircleId) -> Result<bool> {
        let done = sqlx::query!("delete from daira.circle where id = $1", id.raw()).execute(self.connection()).await;
        Ok(self.check("circle.delete", done)?.rows_affected() > 0)
    }

    async fn insert_circle_member(&mut self, circle: CircleId, member: ProfileId, at: Timestamp) -> Result<bool> {
        let done = sqlx::query!(
            "insert into daira.circle_member (circle, member, owner, at)
             values ($1, $2, (select owner from daira.circle where id = $1), $3)
             on conflict do nothing",
            circle.raw(),
            member.raw(),
            stored(at)
        )
        .execute(self.connection())
        .await;
        Ok(self.check("circle.add", done)?.rows_affected() > 0)
    }

    async fn delete_circle_member(&mut self, circle: CircleId, member: ProfileId) -> Result<bool> {
        let done = sqlx::query!(
            "delete from daira.circle_member where circle = $1 and member = $2",
            circle.raw(),
            member.raw()
        )
        .execute(self.connection())
        .await;
        Ok(self.check("circle.remove", done)?.rows_affected() > 0)
    }

    async fn leave_circles(&mut self, owner: ProfileId, member: ProfileId) -> Result<u64> {
        let done =
            sqlx::query!("delete from daira.circle_member where owner = $1 and member = $2", owner.raw(), member.raw())
                .execute(self.connection())
                .await;
        Ok(self.check("circle.leave", done)?.rows_affected())
    }
}
