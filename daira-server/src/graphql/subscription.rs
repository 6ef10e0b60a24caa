//! What can be subscribed to.

use async_graphql::{Context, Result, Subscription as Subscribed};
use futures_util::stream::{Stream, StreamExt};

use super::scope::InScope;
use super::types::notification::Notification;
use super::types::scalar::DateTime;

/// What is told as it happens. Every event is read anew, under what its reader may see then.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subscription;

/// What is told as it happens. Every event is read anew, under what its reader may see then.
#[Subscribed]
impl Subscription {
    /// Lines of the reader's notifications that somebody joined, as they are then. What is told may have been told before,
    /// after a broken connection above all: lines of one kind about one thing replace each other.
    async fn notification_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Also what came since this instant: the `latestAt` of the newest line that was seen, to go on after a broken connection. Of many lines only the newest 50 are told; read the list after a long time."
        )]
        since: Option<DateTime>,
    ) -> Result<impl Stream<Item = Result<Notification>> + use<>> {
        let scope = ctx.scope();
        let watched = scope.services.notifications.watch(&scope.actor, since.map(|since| since.0)).await?;
        Ok(watched.map(|group| Ok(Notification(group?))))
    }
}
