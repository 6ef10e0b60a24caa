//! Notifications: insert-only rows, grouped when read, and the read marker.

use async_trait::async_trait;
use daira_core::error::Result;
use daira_core::id::{CommentId, Id, PostId, ProfileId};
use daira_core::notification::{GroupPosition, Notification, NotificationGroup, NotificationKind};
use daira_core::page::{Limit, Page};
use daira_core::port::store::{NotificationReads, NotificationRepository};
use daira_core::time::Timestamp;
use time::OffsetDateTime;

use super::super::error::{corrupt, fault};
use super::super::unit::PgUnit;
use super::super::view::PgView;
use super::rows::{instant, stored};

#[async_trait]
impl NotificationRepository for PgUnit {
    async fn insert(&mut self, notifications: &[Notification]) -> Result<u64> {
        if notifications.is_empty() {
            return Ok(0);
        }
        let recipients: Vec<i64> = notifications.iter().map(|n| n.recipient.raw()).collect();
        let events: Vec<i64> = notifications.iter().map(|n| n.event).collect();
        let times: Vec<OffsetDateTime> = notifications.iter().map(|n| stored(n.at)).collect();
        let kinds: Vec<i16> = notifications.iter().map(|n| n.kind.code()).collect();
        let actors: Vec<i64> = notifications.iter().map(|n| n.actor.raw()).collect();
        let posts: Vec<Option<i64>> = notifications.iter().map(|n| n.post.map(Id::raw)).collect();
        let comments: Vec<Option<i64>> = notifications.iter().map(|n| n.comment.map(Id::raw)).collect();
        let done = sqlx::query!(
            "insert into daira.notification (recipient, event, at, kind, actor, post, comment)
             select n.recipient, n.event, n.at, n.kind, n.actor, n.post, n.comment
             from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[])
                  n (recipient, event, at, kind, actor, post, comment)
             join daira.profile me on me.id = n.recipient
             join daira.profile them on them.id = n.actor
             where not exists (select from daira.block b where b.blocker = me.id and b.blocked = them.id offset 0)
               and not exists (select from daira.block b where b.blocker = them.id and b.blocked_account = me.account offset 0)
               and not exists (select from daira.mute m where m.muter = me.id and m.muted = them.id and m.notifications offset 0)
             on conflict do nothing",
            &recipients,
            &events,
            &times,
            &kinds,
            &actors,
            &posts as &[Option<i64>],
            &comments as &[Option<i64>],
        )
        .execute(self.connection())
        .await;
        Ok(self.check("notification.insert", done)?.rows_affected())
    }

    async fn mark_read(&mut self, profile: ProfileId, up_to: Timestamp) -> Result<()> {
        let done = sqlx::query!(
            "insert into daira.notification_marker as m (profile, read_at) values ($1, $2)
             on conflict (profile) do update set read_at = greatest(m.read_at, excluded.read_at)",
            profile.raw(),
            stored(up_to)
        )
        .execute(self.connection())
        .await;
        self.check("notification.mark", done).map(drop)
    }
}

/// The latest two thousand of the reader's notifications, up to an instant and perhaps after the read marker, that still
/// stand: whose cause is there, whose doer and subject are visible. `$1` is the reader, `$2` the instant, `$3` whether
/// only unread ones count. Row security lets an index see nothing but a column beside a plain value, hence a `case` for the
/// instant, which also leaves out the months to come, and a `select` of its own for the marker.
macro_rules! told {
    ($sql:literal $(, $argument:expr)+) => {
        sqlx::query!(
            r#"with told as materialized (
                   select n.*
                   from (select * from daira.notification
                         where recipient = $1 and at <= case when $2::timestamptz is null then now() + interval '1 day' else $2 end
                           and at > (select case when $3 then coalesce((select read_at from daira.notification_marker where profile = $1), '-infinity')
                                            else '-infinity' end)
                         order by at desc, event desc limit 2000) n
                   where case n.kind
                             when 1 then exists (select from daira.follow f where f.follower = n.actor and f.followee = $1 offset 0)
                             when 2 then exists (select from daira.follow_request r where r.follower = n.actor and r.followee = $1 offset 0)
                             when 3 then exists (select from daira.follow f where f.follower = $1 and f.followee = n.actor offset 0)
                             when 4 then exists (select from daira.reaction r where r.target = coalesce(n.comment, n.post)
                                                     and r.on_comment = (n.comment is not null) and r.by = n.actor offset 0)
                             when 7 then exists (select from daira.post p where p.id = n.post and $1 = any (p.mentions) offset 0)
                             else n.comment is not null
                         end
                     and exists (select from daira.visible_profile p where p.id = n.actor offset 0)
                     and (n.post is null or exists (select from daira.visible_post p where p.id = n.post offset 0))
                     and (n.comment is null or exists (select from daira.visible_comment c where c.id = n.comment offset 0))
               )"# + $sql
            $(, $argument)+
        )
    };
}

#[async_trait]
impl NotificationReads for PgView {
    async fn groups(&mut self, position: GroupPosition, limit: Limit) -> Result<Page<NotificationGroup>> {
        let Some(me) = self.me() else { return Ok(Page::empty()) };
        let rows = told!(
            r#", people as (
                   select distinct on (kind, post, comment, actor) kind, post, comment, actor, at, event
                   from told order by kind, post, comment, actor, at desc, event desc
               ), things as (
                   select kind, post, comment, count(*) as people,
                          (array_agg(actor order by at desc, event desc))[1:3] as actors,
                          (array_agg(at order by at desc, event desc))[1] as latest_at,
                          (array_agg(event order by at desc, event desc))[1] as latest_event
                   from people group by kind, post, comment
               )
               select kind as "kind!", post, comment, people as "people!", actors as "actors!", latest_at as "latest_at!",
                      latest_event as "latest_event!",
                      latest_at > coalesce((select read_at from daira.notification_marker where profile = $1), '-infinity') as "unread!"
               from things
               where (latest_at, latest_event) < (coalesce($4, 'infinity'::timestamptz), coalesce($5, 9223372036854775807))
               order by latest_at desc, latest_event desc
               limit $6"#,
            me.raw(),
            stored(position.as_of),
            false,
            position.after.map(|(at, _)| stored(at)),
            position.after.map(|(_, event)| event),
            limit.fetch()
        )
        .fetch_all(self.connection())
        .await
        .map_err(|e| fault("notification.groups", e))?;
        let groups = rows.into_iter().map(|row| {
            Ok(NotificationGroup {
                kind: NotificationKind::from_code(row.kind)
                    .ok_or_else(|| corrupt("notification.groups", row.kind.to_string()))?,
                post: row.post.map(PostId::from_raw),
                comment: row.comment.map(CommentId::from_raw),
                actors: row.actors.into_iter().map(ProfileId::from_raw).collect(),
                count: row.people,
                latest_at: instant(row.latest_at),
                latest_event: row.latest_event,
                unread: row.unread,
            })
        });
        Ok(Page::cut(groups.collect::<Result<_>>()?, limit))
    }

    async fn unread(&mut self) -> Result<i64> {
        let Some(me) = self.me() else { return Ok(0) };
        let row = told!(
            r#" select least(count(distinct (kind, post, comment)), 100) as "unread!" from told"#,
            me.raw(),
            None::<OffsetDateTime>,
            true
        )
        .fetch_one(self.connection())
        .await
        .map_err(|e| fault("notification.unread", e))?;
        Ok(row.unread)
    }
}
