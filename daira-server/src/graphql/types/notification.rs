//! Notifications, grouped into lines.

use async_graphql::{Context, Enum, Object, Result};
use daira_core::notification::{self, NotificationGroup};

use super::comment::Comment;
use super::post::Post;
use super::profile::Profile;
use super::scalar::{DateTime, Language};
use crate::graphql::scope::InScope;

/// One line of notifications.
pub(crate) struct Notification(pub(in crate::graphql) NotificationGroup);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NotificationKind {
    /// Somebody follows the reader.
    Followed,
    /// Somebody asks to follow the reader.
    FollowRequested,
    /// The reader's request was approved.
    FollowApproved,
    /// Somebody reacted to the reader's post or comment.
    Reacted,
    /// Somebody commented on the reader's post.
    Commented,
    /// Somebody answered the reader's comment.
    Replied,
    /// Somebody mentioned the reader in a post.
    Mentioned,
}

impl NotificationKind {
    /// As it is shown; nothing for one that this schema does not know yet.
    fn of(kind: notification::NotificationKind) -> Option<Self> {
        Some(match kind {
            notification::NotificationKind::Followed => Self::Followed,
            notification::NotificationKind::FollowRequested => Self::FollowRequested,
            notification::NotificationKind::FollowApproved => Self::FollowApproved,
            notification::NotificationKind::Reacted => Self::Reacted,
            notification::NotificationKind::Commented => Self::Commented,
            notification::NotificationKind::Replied => Self::Replied,
            notification::NotificationKind::Mentioned => Self::Mentioned,
            _ => return None,
        })
    }
}

/// Notifications of one kind about one thing, as one line: "Mona and 12 others like your post".
#[Object]
impl Notification {
    /// What happened.
    async fn kind(&self) -> Option<NotificationKind> {
        NotificationKind::of(self.0.kind)
    }

    /// The line in words. Names are isolated, so that their script does not turn the sentence around.
    async fn text(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The language; that of the request when left out.")] language: Option<Language>,
    ) -> Result<Option<String>> {
        let scope = ctx.scope();
        let people = scope.reads.load_all(self.0.actors.iter().copied()).await?;
        let names: Vec<&str> = people.iter().map(|profile| profile.name.as_str()).collect();
        let locale = language.map_or(scope.locale, Into::into);
        Ok(Some(notification::line(&self.0, &names, locale)))
    }

    /// The latest three who did it, newest first.
    async fn actors(&self, ctx: &Context<'_>) -> Result<Option<Vec<Profile>>> {
        let people = ctx.scope().reads.load_all(self.0.actors.iter().copied()).await?;
        Ok(Some(people.into_iter().map(Profile::Alone).collect()))
    }

    /// How many different people did it.
    async fn count(&self) -> i64 {
        self.0.count
    }

    /// The post it is about.
    async fn post(&self, ctx: &Context<'_>) -> Result<Option<Post>> {
        let Some(id) = self.0.post else { return Ok(None) };
        Ok(Post::load(ctx.scope(), id).await?)
    }

    /// The comment it is about.
    async fn comment(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        let Some(id) = self.0.comment else { return Ok(None) };
        Ok(Comment::load(ctx.scope(), id).await?)
    }

    /// When it last happened.
    async fn latest_at(&self) -> DateTime {
        self.0.latest_at.into()
    }

    /// Whether any of it lies after the read marker.
    async fn is_unread(&self) -> bool {
        self.0.unread
    }
}
