//! Follows, requests, blocks, mutes and circles: the reading half.
//!
//! Lists are newest first; a page goes on below the last edge it showed. "From the start" is a key above all keys, so
//! that both are one range of the same index.

use async_trait::async_trait;
use daira_core::account::Profile;
use daira_core::error::Result;
use daira_core::graph::{Circle, Edge, Relation};
use daira_core::id::{CircleId, Id, ProfileId};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{EdgeKey, GraphReads};
use time::OffsetDateTime;

use super::super::error::fault;
use super::super::view::PgView;
use super::graph::CircleRow;
use super::rows::{ProfileRow, instant, raws, stored};

/// One end of an edge, as listed.
pub(super) struct EdgeRow {
    pub(super) profile: i64,
    pub(super) at: OffsetDateTime,
}

impl From<EdgeRow> for Edge {
    fn from(row: EdgeRow) -> Self {
        Self { profile: ProfileId::from_raw(row.profile), at: instant(row.at) }
    }
}

/// The two halves of a place in a list, as parameters.
pub(super) fn place(after: Option<EdgeKey>) -> (Option<OffsetDateTime>, Option<i64>) {
    (after.map(|key| stored(key.at)), after.map(|key| key.profile.raw()))
}

fn edges(rows: Vec<EdgeRow>, limit: Limit) -> Page<Edge> {
    Page::cut(rows.into_iter().map(Edge::from).collect(), limit)
}

#[async_trait]
impl GraphReads for PgView {
    async fn relations(&mut self, to: &[ProfileId]) -> Result<Vec<(ProfileId, Relation)>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query!(
            r#"select t.id as "id!",
                      exists (select from daira.follow f where f.follower = $2 and f.followee = t.id offset 0) as "follows!",
                      exists (select from daira.follow f where f.follower = t.id and f.followee = $2 offset 0) as "followed_by!",
                      exists (select from daira.follow_request r where r.follower = $2 and r.followee = t.id offset 0) as "requested!",
                      exists (select from daira.follow_request r where r.follower = t.id and r.followee = $2 offset 0) as "requested_by!",
                      b.blocked is not null as "blocks!",
                      coalesce(m.posts, false) as "mutes_posts!", coalesce(m.stories, false) as "mutes_stories!",
                      coalesce(m.notifications, false) as "mutes_notifications!"
               from (select distinct id from unnest($1::bigint[]) id) t
               left join daira.block b on b.blocker = $2 and b.blocked = t.id
               left join daira.mute m on m.muter = $2 and m.muted = t.id
               where b.blocked is not null or exists (select from daira.visible_profile p where p.id = t.id offset 0)"#,
            &raws(to),
            member.profile.raw(),
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.relations", e))?;
        let relations = rows.into_iter().map(|row| {
            let relation = Relation {
                follows: row.follows,
                followed_by: row.followed_by,
                requested: row.requested,
                requested_by: row.requested_by,
                blocks: row.blocks,
                blocked_by: false,
                mutes_posts: row.mutes_posts,
                mutes_stories: row.mutes_stories,
                mutes_notifications: row.mutes_notifications,
            };
            (ProfileId::from_raw(row.id), relation)
        });
        Ok(relations.collect())
    }

    async fn showing_activity(&mut self, of: &[ProfileId]) -> Result<Vec<ProfileId>> {
        let Some(member) = self.member() else { return Ok(Vec::new()) };
        let rows = sqlx::query_scalar!(
            r#"select p.id as "id!"
               from daira.profile p
               where p.id = any($1) and p.shows_activity
                 and exists (select from daira.follow f where f.follower = p.id and f.followee = $2 offset 0)
                 and exists (select from daira.visible_profile v where v.id = p.id offset 0)"#,
            &raws(of),
            member.profile.raw(),
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.showing_activity", e))?;
        Ok(rows.into_iter().map(ProfileId::from_raw).collect())
    }

    async fn followers(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let (at, profile) = place(after);
        let rows = sqlx::query_as!(
            EdgeRow,
            r#"select f.follower as profile, f.at
               from daira.follow f
               where f.followee = $1
                 and (f.at, f.follower) < ((select coalesce($2, 'infinity'::timestamptz)), (select coalesce($3, 9223372036854775807)))
                 and (select exists (select from daira.visible_profile p where p.id = $1)
                             and (daira.is_platform() or daira.lists_open($1)))
                 and exists (select from daira.visible_profile p where p.id = f.follower offset 0)
               order by f.at desc, f.follower desc
               limit $4"#,
            of.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.followers", e))?;
        Ok(edges(rows, limit))
    }

    async fn following(&mut self, of: ProfileId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let (at, profile) = place(after);
        let rows = sqlx::query_as!(
            EdgeRow,
            r#"select f.followee as profile, f.at
               from daira.follow f
               where f.follower = $1
                 and (f.at, f.followee) < ((select coalesce($2, 'infinity'::timestamptz)), (select coalesce($3, 9223372036854775807)))
                 and (select exists (select from daira.visible_profile p where p.id = $1)
                             and (daira.is_platform() or daira.lists_open($1)))
                 and exists (select from daira.visible_profile p where p.id = f.followee offset 0)
               order by f.at desc, f.followee desc
               limit $4"#,
            of.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.following", e))?;
        Ok(edges(rows, limit))
    }

    async fn requests(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let (at, profile) = place(after);
        let rows = sqlx::query_as!(
            EdgeRow,
            r#"select r.follower as profile, r.at
               from daira.follow_request r
               where r.followee = $1
                 and (r.at, r.follower) < ((select coalesce($2, 'infinity'::timestamptz)), (select coalesce($3, 9223372036854775807)))
                 and exists (select from daira.visible_profile p where p.id = r.follower offset 0)
               order by r.at desc, r.follower desc
               limit $4"#,
            me.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.requests", e))?;
        Ok(edges(rows, limit))
    }

    async fn blocks(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<(Edge, Profile)>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let (at, profile) = place(after);
        let rows = sqlx::query!(
            "select b.at, p.id, p.account, p.handle, p.name, p.bio, p.links, p.avatar, p.kind, p.private, p.standing, p.created_at, p.version
             from daira.block b join daira.profile p on p.id = b.blocked
             where b.blocker = $1
               and (b.at, b.blocked) < ((select coalesce($2, 'infinity'::timestamptz)), (select coalesce($3, 9223372036854775807)))
             order by b.at desc, b.blocked desc
             limit $4",
            me.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.blocks", e))?;
        let blocked = rows.into_iter().map(|row| {
            let edge = Edge { profile: ProfileId::from_raw(row.id), at: instant(row.at) };
            let profile = ProfileRow {
                id: row.id,
                account: row.account,
                handle: row.handle,
                name: row.name,
                bio: row.bio,
                links: row.links,
                avatar: row.avatar,
                kind: row.kind,
                private: row.private,
                standing: row.standing,
                created_at: row.created_at,
                version: row.version,
            };
            Ok((edge, profile.try_into()?))
        });
        Ok(Page::cut(blocked.collect::<Result<_>>()?, limit))
    }

    async fn mutes(&mut self, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let (at, profile) = place(after);
        let rows = sqlx::query_as!(
            EdgeRow,
            r#"select m.muted as profile, m.at
               from daira.mute m
               where m.muter = $1
                 and (m.at, m.muted) < ((select coalesce($2, 'infinity'::timestamptz)), (select coalesce($3, 9223372036854775807)))
                 and exists (select from daira.visible_profile p where p.id = m.muted offset 0)
               order by m.at desc, m.muted desc
               limit $4"#,
            me.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.mutes", e))?;
        Ok(edges(rows, limit))
    }

    async fn circles(&mut self) -> Result<Vec<Circle>> {
        let Some(me) = self.me() else { return Ok(Vec::new()) };
        let rows = sqlx::query_as!(
            CircleRow,
            r#"select id, owner, name, created_at, version from daira.circle where owner = $1 order by name collate "C", id"#,
            me.raw()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.circles", e))?;
        Ok(rows.into_iter().map(Circle::from).collect())
    }

    async fn circle_members(&mut self, circle: CircleId, after: Option<EdgeKey>, limit: Limit) -> Result<Page<Edge>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let (at, profile) = place(after);
        let rows = sqlx::query_as!(
            EdgeRow,
            r#"select m.member as profile, m.at
               from daira.circle_member m
               where m.circle = $1 and m.owner = $2
                 and (m.at, m.member) < ((select coalesce($3, 'infinity'::timestamptz)), (select coalesce($4, 9223372036854775807)))
                 and exists (select from daira.visible_profile p where p.id = m.member offset 0)
               order by m.at desc, m.member desc
               limit $5"#,
            circle.raw(),
            me.raw(),
            at,
            profile,
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("graph.circle_members", e))?;
        Ok(edges(rows, limit))
    }
}
