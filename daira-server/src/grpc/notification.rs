//! `daira.notification.v1.NotificationService`.

use async_trait::async_trait;
use daira_core::error::{CommonRefusal, Error, Result as Outcome};
use daira_core::locale::Locale;
use daira_core::notification::{self, NotificationGroup};
use daira_core::port::ReadView;
use daira_core::port::store::Access;
use daira_core::proto::notification::v1::notification_service_server::NotificationService;
use daira_core::proto::notification::v1::{
    ListNotificationsRequest, ListNotificationsResponse, MarkNotificationsReadRequest, MarkNotificationsReadResponse,
    Notification, NotificationKind, WatchNotificationsRequest,
};
use daira_core::time::Timestamp;
use futures_util::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status};

use super::Grpc;
use super::caller::{key, limit, status, token};
use crate::streams::give;

/// An instant; nothing when the text is empty.
fn instant(text: &str, field: &'static str) -> Outcome<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    Timestamp::parse(text).map(Some).map_err(|_| Error::from(CommonRefusal::Time).on_field(field))
}

fn kind(kind: notification::NotificationKind) -> NotificationKind {
    match kind {
        notification::NotificationKind::Followed => NotificationKind::Followed,
        notification::NotificationKind::FollowRequested => NotificationKind::FollowRequested,
        notification::NotificationKind::FollowApproved => NotificationKind::FollowApproved,
        notification::NotificationKind::Reacted => NotificationKind::Reacted,
        notification::NotificationKind::Commented => NotificationKind::Commented,
        notification::NotificationKind::Replied => NotificationKind::Replied,
        notification::NotificationKind::Mentioned => NotificationKind::Mentioned,
        _ => NotificationKind::Unspecified,
    }
}

/// Lines as they go out, with the names of those who are in them.
async fn lines_out(
    view: &mut dyn ReadView,
    groups: &[NotificationGroup],
    locale: Locale,
) -> Outcome<Vec<Notification>> {
    let mut ids: Vec<_> = groups.iter().flat_map(|group| group.actors.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let people = view.accounts().profiles(&ids).await?;
    let line = |group: &NotificationGroup| {
        let named = group.actors.iter().filter_map(|id| people.iter().find(|profile| profile.id == *id));
        let names: Vec<&str> = named.clone().map(|profile| profile.name.as_str()).collect();
        Notification {
            kind: kind(group.kind).into(),
            text: notification::line(group, &names, locale),
            actor_ids: named.clone().map(|profile| profile.id.to_string()).collect(),
            count: group.count,
            post_id: group.post.map(|id| id.to_string()).unwrap_or_default(),
            comment_id: group.comment.map(|id| id.to_string()).unwrap_or_default(),
            latest_at: group.latest_at.to_string(),
            unread: group.unread,
        }
    };
    Ok(groups.iter().map(line).collect())
}

#[async_trait]
impl NotificationService for Grpc {
    type WatchNotificationsStream = BoxStream<'static, Result<Notification, Status>>;

    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let answer = async {
            let first = limit(r.page_size)?;
            caller.actor.member()?;
            let mut view = self.ports.store.read(&caller.actor, Access::Read).await?;
            let after = token(&r.page_token);
            let list = self.services.notifications.list(&caller.actor, view.as_mut(), after, first).await?;
            let next_page_token = list.next().map(ToOwned::to_owned).unwrap_or_default();
            let groups = list.into_nodes();
            let notifications = lines_out(view.as_mut(), &groups, caller.locale).await?;
            Ok(ListNotificationsResponse { notifications, next_page_token })
        };
        answer.await.map(Response::new).map_err(caller.told())
    }

    async fn watch_notifications(
        &self,
        request: Request<WatchNotificationsRequest>,
    ) -> Result<Response<Self::WatchNotificationsStream>, Status> {
        let caller = self.caller(&request).await?;
        let since = instant(&request.get_ref().since, "since").map_err(caller.told())?;
        caller.actor.member().map_err(caller.told())?;
        let place = self.streams.enter(&caller.actor, caller.client.address).map_err(caller.told())?;
        let watched = self.services.notifications.watch(&caller.actor, since).await.map_err(caller.told())?;
        let (store, actor, locale) = (self.ports.store.clone(), caller.actor.clone(), caller.locale);
        // Whoever is told things as they happen is there.
        let here = self.services.activity.enter(&caller.pass);
        let lines = watched.then(move |group| {
            let _here = &here;
            let (store, actor) = (store.clone(), actor.clone());
            async move {
                let mut view = store.read(&actor, Access::Read).await?;
                Ok(lines_out(view.as_mut(), &[group?], locale).await?.into_iter().next())
            }
        });
        let lines = lines.filter_map(|line: Outcome<Option<Notification>>| async {
            if let Err(error) = &line {
                // What could not be read now is found when it is looked for again.
                tracing::warn!(?error, "a notification could not be read and is told later");
            }
            line.ok().flatten().map(Ok)
        });
        let lines = self.services.accounts.while_valid(caller.pass, lines);
        let gone = self.draining.clone().cancelled_owned();
        let goodbye = stream::once(async { Err(CommonRefusal::Unavailable.into()) });
        let lines = lines.take_until(gone).chain(goodbye);
        let lines = give(lines.boxed(), place).map(move |line| {
            // Whoever is too slow is told to come again, as by a server that goes.
            let line = line.unwrap_or_else(|| Err(CommonRefusal::Unavailable.into()));
            line.map_err(|error: Error| status(&error, locale))
        });
        Ok(Response::new(lines.boxed()))
    }

    async fn mark_notifications_read(
        &self,
        request: Request<MarkNotificationsReadRequest>,
    ) -> Result<Response<MarkNotificationsReadResponse>, Status> {
        let caller = self.caller(&request).await?;
        let r = request.into_inner();
        let answer = async {
            let (up_to, key) = (instant(&r.up_to, "up_to")?, key(r.idempotency_key)?);
            self.services.notifications.mark_read(&caller.actor, up_to, key).await
        };
        answer.await.map_err(caller.told())?;
        Ok(Response::new(MarkNotificationsReadResponse {}))
    }
}
